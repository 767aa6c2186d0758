import { type Failure, PassingReceiver } from "@sluice/engine"
import { defaultParserLimits } from "@sluice/engine/http1"
import {
  Http1Server,
  Http2Server,
  MemorySocket,
  Pipe,
  type ServerOptions,
  ServerSocket,
  toLatin1
} from "@sluice/engine/memory"
import { Http1Connection, Http2Connection, sessionOptions } from "@sluice/engine/node"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type {
  Connection,
  ConnectionListener,
  Exchange,
  ExchangeReceiver,
  ExchangeRequest,
  Protocol
} from "../../../Connection.js"
import type { Origin } from "../../../Origin.js"
import { fromFailure, ReadError, type TransportError } from "../../../TransportError.js"
import type * as models from "../memoryModels.js"
import { MemoryRequest } from "../MemoryRequest.js"
import { MemoryRuntime } from "./MemoryRuntime.js"
import { Responder } from "./Responder.js"

export interface ConnectionOptions {
  readonly number: number
  readonly origin: Origin
  readonly endpoint: models.Endpoint
  readonly listener: ConnectionListener
  readonly runtime: Context.Context<never>
  readonly respond: (request: MemoryRequest) => Effect.Effect<models.Reply, TransportError>
  readonly onRequest: (request: models.Request) => void
  readonly onFault: (fault: string) => void
}

const policyOf = (runtime: MemoryRuntime): ConstructorParameters<typeof Http1Connection>[3] => ({
  runtime,
  parser: { limits: defaultParserLimits, latin1: (bytes, start, end) => toLatin1(bytes.subarray(start, end)) },
  reuseAfterNoContent: "quarantine",
  sendsLateBytes: () => false,
  onLateBytes: () => {}
})

/**
 * Both ends of a connection: the driver that works over real sockets, over a socket in memory, and the server at its other
 * end.
 */
export class WireConnection implements Connection, models.Server {
  readonly protocol: Protocol
  readonly number: number
  readonly origin: Origin
  readonly remoteAddress = "memory"
  maxActive = 0
  private isDraining = false
  private readonly runtime: MemoryRuntime
  private readonly socket: MemorySocket
  private readonly serverSocket: ServerSocket
  private readonly server: Http1Server<MemoryRequest> | Http2Server<MemoryRequest>
  private readonly responder: Responder
  private readonly driver: Http1Connection | Http2Connection
  private readonly listener: ConnectionListener
  /** What the test lets exchanges fail with, by their streams. */
  private readonly scripted = new Map<number, Cause.Cause<TransportError>>()
  /** Whether the other side has said that it speaks the protocol, or why it does not. */
  private outcome: Effect.Effect<void, TransportError> | undefined
  private onOutcome: (() => void) | undefined = undefined

  constructor(private readonly options: ConnectionOptions) {
    const { bandwidth = Infinity, buffer = 65_536, capacity = 100, latency = 0, protocol = "http/1.1" } =
      options.endpoint
    const runtime = this.runtime = new MemoryRuntime(options.runtime)
    const wire = { bandwidth, buffer, latency: Duration.toMillis(latency) }
    const [up, down] = [new Pipe(runtime, wire), new Pipe(runtime, wire)]
    this.protocol = protocol
    this.number = options.number
    this.origin = options.origin
    this.listener = options.listener
    this.socket = new MemorySocket(runtime, down, up)
    this.serverSocket = new ServerSocket(up, down)
    this.responder = new Responder({
      runtime,
      respond: options.respond,
      onScripted: (cause, streamId) => {
        this.scripted.set(streamId, cause)
      }
    })
    if (protocol === "h2") {
      this.server = new Http2Server({ ...this.serverOptions, capacity })
      this.driver = this.speakHttp2()
    } else {
      this.server = new Http1Server(this.serverOptions)
      this.driver = new Http1Connection(this.socket, this.listener, undefined, policyOf(runtime))
      this.outcome = Effect.void
    }
    this.socket.readWith(this.driver)
  }

  private get serverOptions(): ServerOptions<MemoryRequest> {
    const { endpoint: { window = 65_536 }, onFault, onRequest } = this.options
    return {
      socket: this.serverSocket,
      window,
      makeRequest: (head, content, streamId) => new MemoryRequest(this, head, content, streamId),
      serve: this.responder.serve,
      onRequest: (request) => {
        this.maxActive = Math.max(this.maxActive, this.active)
        onRequest(request)
      },
      onFault
    }
  }

  private speakHttp2(): Http2Connection {
    const { listener, origin, runtime, socket } = this
    return new Http2Connection({
      socket,
      origin,
      listener,
      session: sessionOptions({}, defaultParserLimits, undefined),
      time: { elapsed: runtime.now, sleep: (millis, wake) => runtime.after(millis, wake) },
      runtime,
      tlsTime: undefined,
      onHttp1Required: () => {},
      onPrefaceReceived: (failure) => {
        this.outcome ??= failure === undefined ? Effect.void : Effect.fail(fromFailure(failure))
        this.onOutcome?.()
      }
    })
  }

  // ---------------------------------------------------------------------------------------------------------------
  // For the client
  // ---------------------------------------------------------------------------------------------------------------

  /** Ends when it can carry requests: the SETTINGS of an HTTP/2 server have come. */
  readonly ready: Effect.Effect<void, TransportError> = Effect.callback((resume) => {
    const onOutcome = this.onOutcome = () => {
      if (this.outcome !== undefined) resume(this.outcome)
    }
    onOutcome()
  })

  get capacity(): number {
    return this.driver.capacity
  }

  get streamLimit(): number | undefined {
    return "streamLimit" in this.driver ? this.driver.streamLimit : undefined
  }

  get reusable(): boolean {
    return this.driver.reusable && !this.isDraining
  }

  get keepAliveHint(): number | undefined {
    return this.driver.keepAliveHint
  }

  exchange(request: ExchangeRequest, receiver: ExchangeReceiver): Exchange {
    const fault = (what: string) => this.options.onFault(`${request.method} ${request.target}: ${what}`)
    if (request.origin.key !== this.origin.key) {
      fault(`for ${request.origin.key}, on a connection to ${this.origin.key}`)
    }
    if (this.socket.destroyed || this.socket.readableEnded) fault(`connection ${this.number} is closed`)
    if (this.protocol === "http/1.1" && this.active > 0) fault(`connection ${this.number} carries a request already`)
    const scripted = new ScriptedReceiver(receiver, (failure) => this.asScripted(failure, exchange))
    const exchange: Exchange = this.driver.exchange(request, scripted)
    return exchange
  }

  private asScripted(failure: Failure.Failure, exchange: Exchange): Failure.Failure {
    const scripted = this.scripted.get(streamIdOf(exchange))
    if (scripted === undefined) return failure
    const cause = Cause.squash(scripted)
    if (Cause.hasFails(scripted)) return cause as TransportError
    const { origin, phase, safeToRetry, written } = failure as ReadError
    const detail = `the server of the test died: ${cause instanceof Error ? cause.message : String(cause)}`
    return new ReadError({ origin, phase, written, safeToRetry, reason: "Other", detail, cause })
  }

  /** The socket is closed here. Ends when no fiber of it is left. */
  readonly end: Effect.Effect<void> = Effect.andThen(
    Effect.callback<void>((resume) => {
      this.socket.on("close", () => resume(Effect.void))
      if (this.socket.isGone) resume(Effect.void)
      if (this.driver instanceof Http2Connection) this.driver.shutdown()
      this.socket.destroy()
    }),
    Effect.suspend(() => this.responder.end(() => this.server.onReset()))
  )

  // ---------------------------------------------------------------------------------------------------------------
  // For the test
  // ---------------------------------------------------------------------------------------------------------------

  get isOpen(): boolean {
    return this.serverSocket.isOpen && !this.socket.destroyed
  }

  get requests(): ReadonlyArray<models.Request> {
    return this.server.requests
  }

  get active(): number {
    return this.server.active
  }

  close(): void {
    this.server.breakOff()
    this.serverSocket.close()
  }

  reset(): void {
    this.server.breakOff()
    this.serverSocket.reset()
  }

  send(bytes: string | Uint8Array): void {
    this.serverSocket.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes)
  }

  goAway(): void {
    if (this.server instanceof Http2Server) return this.server.goAway()
    this.isDraining = true
    this.listener.onDraining()
  }

  setCapacity(capacity: number): void {
    if (this.server instanceof Http2Server) this.server.setCapacity(capacity)
    else this.listener.onCapacity(capacity)
  }
}

/** The number of its stream; of HTTP/1.1 there is one. */
const streamIdOf = (exchange: Exchange): number => "id" in exchange ? exchange.id as number : 1

/** Passes on what a driver reports; a failure that the test has scripted instead of its own. */
class ScriptedReceiver extends PassingReceiver {
  constructor(
    receiver: ExchangeReceiver,
    private readonly asScripted: (failure: Failure.Failure) => Failure.Failure
  ) {
    super(receiver)
  }

  override onError(failure: Failure.Failure): void {
    this.receiver.onError(this.asScripted(failure))
  }
}
