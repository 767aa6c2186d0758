import { type Failure, PassingReceiver } from "@sluice/engine"
import { defaultParserLimits } from "@sluice/engine/http1"
import { MemorySocket, Pipe, toLatin1 } from "@sluice/engine/memory"
import { Http1Connection } from "@sluice/engine/node"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type {
  Connection,
  ConnectionListener,
  Exchange,
  ExchangeReceiver,
  ExchangeRequest
} from "../../../Connection.js"
import type { Origin } from "../../../Origin.js"
import { ReadError, type TransportError } from "../../../TransportError.js"
import type { ConnectionOptions } from "../MemoryConnection.js"
import type * as models from "../memoryModels.js"
import { Http1Server } from "./Http1Server.js"
import { MemoryRuntime } from "./MemoryRuntime.js"
import { ServerSocket } from "./ServerSocket.js"

const policyOf = (runtime: MemoryRuntime): ConstructorParameters<typeof Http1Connection>[3] => ({
  runtime,
  parser: { limits: defaultParserLimits, latin1: (bytes, start, end) => toLatin1(bytes.subarray(start, end)) },
  reuseAfterNoContent: "quarantine",
  sendsLateBytes: () => false,
  onLateBytes: () => {}
})

/**
 * Both ends of an HTTP/1.1 connection: the driver that works over real sockets, over a socket in memory, and the server
 * at its other end.
 */
export class WireConnection implements Connection, models.Server {
  readonly protocol = "http/1.1" as const
  readonly number: number
  readonly origin: Origin
  readonly remoteAddress = "memory"
  maxActive = 0
  private isDraining = false
  private readonly socket: MemorySocket
  private readonly serverSocket: ServerSocket
  private readonly server: Http1Server
  private readonly driver: Http1Connection
  private readonly listener: ConnectionListener
  /** What the test lets the exchange fail with, whose connection it breaks. */
  private scripted: Cause.Cause<TransportError> | undefined = undefined

  constructor(private readonly options: ConnectionOptions) {
    const { bandwidth = Infinity, buffer = 65_536, latency = 0, window = 65_536 } = options.endpoint
    const runtime = new MemoryRuntime(options.runtime)
    const wire = { bandwidth, buffer, latency: Duration.toMillis(latency) }
    const [up, down] = [new Pipe(runtime, wire), new Pipe(runtime, wire)]
    this.number = options.number
    this.origin = options.origin
    this.listener = options.listener
    this.socket = new MemorySocket(runtime, down, up)
    this.serverSocket = new ServerSocket(up, down)
    this.server = new Http1Server({
      connection: this,
      socket: this.serverSocket,
      runtime,
      window,
      respond: options.respond,
      onRequest: (request) => {
        this.maxActive = Math.max(this.maxActive, this.active)
        options.onRequest(request)
      },
      onFault: options.onFault,
      onScripted: (cause) => {
        this.scripted = cause
      }
    })
    this.driver = new Http1Connection(this.socket, options.listener, undefined, policyOf(runtime))
    this.socket.readWith(this.driver)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // For the client
  // ---------------------------------------------------------------------------------------------------------------

  get capacity(): number {
    return this.driver.capacity
  }

  get reusable(): boolean {
    return this.driver.reusable && !this.isDraining
  }

  get keepAliveHint(): number | undefined {
    return this.driver.keepAliveHint
  }

  exchange(request: ExchangeRequest, receiver: ExchangeReceiver): Exchange {
    if (request.origin.key !== this.origin.key) {
      this.options.onFault(
        `${request.method} ${request.target}: for ${request.origin.key}, on a connection to ${this.origin.key}`
      )
    }
    if (this.active > 0) {
      this.options.onFault(
        `${request.method} ${request.target}: connection ${this.number} carries a request already`
      )
    }
    return this.driver.exchange(request, new ScriptedReceiver(receiver, (failure) => this.asScripted(failure)))
  }

  private asScripted(failure: Failure.Failure): Failure.Failure {
    const { scripted } = this
    if (scripted === undefined) return failure
    const cause = Cause.squash(scripted)
    if (Cause.hasFails(scripted)) return cause as TransportError
    const { origin, phase, safeToRetry, written } = failure as ReadError
    const detail = "the server of the test died"
    return new ReadError({ origin, phase, written, safeToRetry, reason: "Other", detail, cause })
  }

  /** The socket is closed here. Ends when no fiber of it is left. */
  readonly end: Effect.Effect<void> = Effect.andThen(
    Effect.callback<void>((resume) => {
      this.socket.on("close", () => resume(Effect.void))
      if (this.socket.isGone) resume(Effect.void)
      this.socket.destroy()
    }),
    Effect.suspend(() => this.server.end)
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
    this.serverSocket.unsafeWrite(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes)
  }

  goAway(): void {
    this.isDraining = true
    this.listener.onDraining()
  }

  setCapacity(capacity: number): void {
    this.listener.onCapacity(capacity)
  }
}

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
