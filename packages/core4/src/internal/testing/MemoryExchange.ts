import { opensTunnel } from "@sluice/engine/call"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import type { Exchange, ExchangeHead, ExchangeReceiver, ExchangeRequest } from "../../Connection.js"
import { ReadError, type TransportError } from "../../TransportError.js"
import { nextStep } from "../soon.js"
import type * as models from "./memoryModels.js"
import { MemoryRequest } from "./MemoryRequest.js"

/** What an exchange needs of its connection. */
export interface ExchangeHost extends models.Server {
  readonly window: number
  readonly respond: (request: MemoryRequest) => Effect.Effect<models.Reply, TransportError>
  /** It carries one less. `reply` is what was sent to the end. Its receiver learns it after this. */
  readonly exchangeEnded: (exchange: MemoryExchange, reply: models.Reply | undefined) => void
  /** The exchange broke, and its receiver knows. */
  readonly exchangeFailed: () => void
}

/** Some responses have no content, whatever their headers say (RFC 9110 §6.4.1). */
const hasContent = (method: string, status: number) => method !== "HEAD" && status !== 204 && status !== 304

const flat = (headers: models.Reply["headers"] = {}): ReadonlyArray<string> =>
  Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]))

const encode = (part: string | Uint8Array) => typeof part === "string" ? new TextEncoder().encode(part) : part

/**
 * A request and its response: a fiber that does what the test says, and notifies the receiver.
 */
export class MemoryExchange implements Exchange {
  readonly written = true
  readonly unwritten = 0
  readonly request: MemoryRequest
  readonly fiber: Fiber.Fiber<void>
  private phase: "headers" | "body" = "headers"
  private isBlocked = false
  /** Whether the server has ended its side of the tunnel that this is; undefined while it is none. */
  private isEnded: boolean | undefined = undefined
  private readonly mayRead = Latch.makeUnsafe(true)

  constructor(
    private readonly host: ExchangeHost,
    private readonly wire: ExchangeRequest,
    private readonly receiver: ExchangeReceiver,
    runtime: Context.Context<never>
  ) {
    this.request = new MemoryRequest(host, wire, host.window, () => this.onRoom())
    if (wire.body._tag === "Bytes") this.request.receive(wire.body.bytes)
    if (wire.body._tag !== "Chunks") this.request.complete()
    const run = Effect.suspend(() => this.begin()).pipe(
      Effect.flatMap((reply) => this.respond(reply)),
      Effect.catchCause((cause) => Effect.sync(() => this.onCause(cause)))
    )
    // Not before the caller has the exchange in its hands.
    this.fiber = Effect.runForkWith(runtime)(Effect.andThen(nextStep, run))
  }

  /** With its response the server has ended the exchange: nothing more of the request is wanted. */
  get sent(): boolean {
    return this.request.isReceived || !this.isRunning
  }

  private get isRunning(): boolean {
    return this.request.state === "Running"
  }

  // From the client

  write(bytes: Uint8Array): boolean {
    if (!this.isRunning) return true
    this.request.receive(bytes)
    this.isBlocked = !this.request.hasRoom
    return !this.isBlocked
  }

  end(trailers?: Readonly<Record<string, string>>): void {
    if (!this.isRunning) return
    this.request.complete(trailers)
    this.reportSent()
  }

  pause(): void {
    this.mayRead.closeUnsafe()
  }

  resume(): void {
    this.mayRead.openUnsafe()
  }

  cancel(): void {
    const isOver = this.isEnded === true && this.sent
    if (this.finish(isOver ? "Responded" : "Cancelled")) this.fiber.interruptUnsafe()
  }

  // From the server

  /** The connection is gone. */
  breakOff(reason: ReadError["reason"], detail: string, cause?: unknown): void {
    const error = new ReadError({
      origin: this.wire.origin.href,
      phase: this.phase,
      written: this.written,
      safeToRetry: this.wire.retryable,
      reason,
      detail,
      cause
    })
    if (this.finish("Failed")) this.receiver.onError(error)
    this.fiber.interruptUnsafe()
  }

  private begin(): Effect.Effect<models.Reply, TransportError> {
    if (!this.host.isOpen) this.breakOff("Reset", "the connection was closed before the request")
    this.reportSent()
    return this.host.respond(this.request)
  }

  private respond(reply: models.Reply): Effect.Effect<void, TransportError> {
    return Effect.suspend(() => {
      const { body = "", headers, interim = [], status = 200 } = reply
      for (const { headers, status = 103 } of interim) {
        this.notify((receiver) =>
          receiver.onInformational({ status, rawHeaders: flat(headers), contentLength: undefined })
        )
      }
      const bytes = typeof body === "string" || body instanceof Uint8Array ? encode(body) : undefined
      const isTunnel = opensTunnel(this.request.method, status)
      if (isTunnel) this.openTunnel()
      const head: ExchangeHead = { status, rawHeaders: flat(headers), contentLength: bytes?.length }
      this.notify((receiver) => receiver.onHead(head))
      this.phase = "body"
      const sendBody = typeof body === "string" || body instanceof Uint8Array
        ? this.send(encode(body))
        : Stream.runForEach(body, (part) => this.send(encode(part)))
      return Effect.map(
        hasContent(this.request.method, status) ? sendBody : Effect.void,
        () => {
          if (isTunnel) this.endTunnel()
          else if (this.finish("Responded", reply)) this.receiver.onComplete(flat(reply.trailers))
        }
      )
    })
  }

  private openTunnel(): void {
    this.isEnded = false
    this.request.reopen()
  }

  private endTunnel(): void {
    this.isEnded = true
    this.notify((receiver) => receiver.onComplete([]))
  }

  private send(part: Uint8Array): Effect.Effect<void> {
    if (part.length === 0) return Effect.void
    return Effect.map(this.mayRead.await, () => this.notify((receiver) => receiver.onData(part)))
  }

  private onCause(cause: Cause.Cause<TransportError>): void {
    if (Cause.hasInterruptsOnly(cause)) return
    if (!Cause.hasFails(cause)) return this.breakOff("Other", "the server of the test died", Cause.squash(cause))
    if (!this.finish("Failed")) return
    this.receiver.onError(Cause.squash(cause) as TransportError)
    this.host.exchangeFailed()
  }

  private onRoom(): void {
    this.notify((receiver) => receiver.onWritten())
    if (this.isBlocked) {
      this.isBlocked = false
      this.notify((receiver) => receiver.onDrain())
    }
    this.reportSent()
  }

  private reportSent(): void {
    if (this.sent) this.notify((receiver) => receiver.onSent())
  }

  private notify(what: (receiver: ExchangeReceiver) => void): void {
    if (this.isRunning) what(this.receiver)
  }

  /** Ends it, unless something has: then nothing more is reported. */
  private finish(state: "Responded" | "Failed" | "Cancelled", reply?: models.Reply): boolean {
    if (!this.isRunning) return false
    this.request.state = state
    this.host.exchangeEnded(this, reply)
    return true
  }
}
