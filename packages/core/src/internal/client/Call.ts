import type { Failure, RunInContext } from "@sluice/engine"
import { Deadline, type LeaseOwner, type LeaseTicket, type Slot, UnreadBody } from "@sluice/engine/pool"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import type { Connection, Exchange, ExchangeHead, ExchangeReceiver } from "../../Connection.js"
import type { Origin } from "../../Origin.js"
import * as TransportError from "../../TransportError.js"
import type { EffectHost } from "../EffectHost.js"
import type { ClientOptions } from "./ClientOptions.js"
import { HttpResponse } from "./HttpResponse.js"
import type { PreparedRequest } from "./PreparedRequest.js"
import { type BodySource, ResponseBody } from "./ResponseBody.js"
import { Upload } from "./Upload.js"

/**
 * - `Waiting`: for a connection.
 * - `Sending`: an exchange is under way, its answer has not begun.
 * - `Receiving`: the head has been handed to the caller, the body arrives.
 * - `Discarding`: nobody wants the rest of the body; what comes is thrown away.
 * - `Tunneling`: bytes go both ways, and the request is over (`TunnelCall`).
 * - `Done`: it holds nothing any more.
 */
type CallState = "Waiting" | "Sending" | "Receiving" | "Discarding" | "Tunneling" | "Done"

/** How often a request is sent again because its connection had died while it was idle. */
const maxRepeats = 2

/** How long the rest of an unwanted body may take to arrive before the exchange is cancelled, in milliseconds. */
const discardTime = 500

/**
 * One request: from the caller to the pool, to a connection, and until the last byte of the answer. Everything in it is
 * a synchronous step; the caller's fiber waits in one `Effect.async`.
 */
export class Call implements LeaseOwner, ExchangeReceiver, BodySource {
  protected state: CallState = "Waiting"
  protected onAnswer: ((answer: Exit.Exit<HttpResponse, TransportError.TransportError>) => void) | undefined = undefined
  protected ticket: LeaseTicket | undefined = undefined
  protected exchange: Exchange | undefined = undefined
  private upload: Upload | undefined = undefined
  private head: ExchangeHead | undefined = undefined
  protected body: ResponseBody | undefined = undefined
  private received = 0
  private discarded = 0
  private isPaused = false
  private repeats = 0
  /** Bytes of the answer have come. */
  private hasBegun = false
  private unreadEntry: UnreadBody | undefined = undefined
  /** How long the server may be silent, or take nothing. */
  private stall: Deadline<Call> | undefined = undefined
  private stallSetTo = 0
  private activeAt = 0
  private headersDeadline: Deadline<Call> | undefined = undefined
  private totalDeadline: Deadline<Call> | undefined = undefined

  readonly inContext: RunInContext | undefined

  constructor(
    private readonly host: EffectHost,
    protected readonly options: ClientOptions,
    protected readonly prepared: PreparedRequest,
    private readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  ) {
    this.inContext = host.captureContext()
  }

  start(onAnswer: (answer: Exit.Exit<HttpResponse, TransportError.TransportError>) => void): void {
    this.onAnswer = onAnswer
    const { total } = this.prepared.timeouts
    if (total !== Infinity) {
      this.totalDeadline = new Deadline(this, () => {
        this.fail(new TransportError.TotalTimeout({ ...this.details(), timeout: total }))
      })
      this.host.driver.time.deadlines.set(this.totalDeadline, total, this.host.driver.time.now())
    }
    this.askForConnection()
  }

  /** The caller was interrupted: before there was an answer, or before it got hold of it. */
  cancel(): void {
    if (this.body === undefined) this.end()
    else this.body.abandon("Cancelled")
  }

  /** The Scope that decides how long the answer lives has ended, and the caller may be waiting still. */
  scopeClosed(): void {
    if (this.body !== undefined) this.body.abandon("ScopeClosed")
    else this.fail(new TransportError.BodyAbandoned({ ...this.details(), reason: "ScopeClosed" }))
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The pool
  // ---------------------------------------------------------------------------------------------------------------

  private askForConnection(): void {
    const { target, timeouts } = this.prepared
    this.state = "Waiting"
    // A server that ends its connections unannounced ends many: what has been used has failed twice, and the last time
    // it will not do.
    const fresh = this.repeats === maxRepeats
    const ticket = this.host.driver.request(target.origin, this, timeouts.pool, timeouts.connect, fresh)
    this.ticket = ticket
    if (ticket.state === "Granted") this.begin(ticket)
  }

  granted(ticket: LeaseTicket): void {
    this.ticket = ticket
    this.begin(ticket)
  }

  refused(ticket: LeaseTicket, failure: Failure.Failure): void {
    this.ticket = ticket
    this.fail(TransportError.fromFailure(failure))
  }

  get wanted(): Origin {
    return this.prepared.target.origin
  }

  get caller(): FiberId.FiberId {
    return this.fiber.id()
  }

  describe() {
    return {
      method: this.prepared.wire.method,
      url: this.prepared.target.display,
      bodyUnread: this.body !== undefined && this.body.isUnread
    }
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The exchange
  // ---------------------------------------------------------------------------------------------------------------

  protected begin(ticket: LeaseTicket): void {
    const { body, expect, timeouts, wire } = this.prepared
    const connection = ticket.slot?.connection as Connection
    this.state = "Sending"
    const exchange = this.exchange = connection.exchange(wire, this)
    if (timeouts.headers !== Infinity) {
      this.headersDeadline ??= new Deadline(this, () => {
        this.fail(new TransportError.HeadersTimeout({ ...this.details(), timeout: timeouts.headers }))
      })
      this.host.driver.time.deadlines.set(this.headersDeadline, timeouts.headers, this.host.driver.time.now())
    }
    if (body.parts !== undefined) {
      this.upload = new Upload({
        exchange,
        parts: body.parts,
        length: body.exchange._tag === "Chunks" ? body.exchange.length : undefined,
        trailers: body.trailers,
        expect,
        caller: this.fiber,
        onState: () => this.watch(),
        onFailed: (cause) => this.fail(new TransportError.RequestBodyError({ ...this.details(), cause }))
      })
      this.host.track(this.upload.start(), `${this.prepared.wire.method} ${this.origin}`)
    }
    this.watch()
  }

  onWritten(): void {
    this.watch()
  }

  onSent(): void {
    this.watch()
  }

  onDrain(): void {
    this.upload?.onDrain()
    this.watch()
  }

  onProgress(): void {
    this.hasBegun = true
    this.watch()
  }

  onInformational(head: ExchangeHead): void {
    this.hasBegun = true
    if (head.status === 100) this.upload?.onContinue()
    else if (this.options.onInformational !== undefined) this.callHook(this.options.onInformational, head)
    this.watch()
  }

  /** We are inside of the socket's event: an error of the hook would end the process (undici #5360). */
  private callHook(hook: NonNullable<ClientOptions["onInformational"]>, head: ExchangeHead): void {
    try {
      hook(this.prepared.request, head)
    } catch (cause) {
      const log = Effect.logError("onInformational threw; its answer goes on without it", Cause.die(cause))
      this.host.track(Runtime.runFork(this.host.options.runtime)(log), `${this.prepared.wire.method} ${this.origin}`)
    }
  }

  onHead(head: ExchangeHead): void {
    if (this.state !== "Sending") return
    if (head.status === 421 && this.isMisdirected) return this.takeHome()
    if (head.status === 101) return this.fail(this.unusable())
    this.upload?.onAnswer(head.status)
    this.state = "Receiving"
    this.host.driver.time.deadlines.cancel(this.headersDeadline)
    this.head = head
    const body = this.body = new ResponseBody(this, this.options.maxBufferedBody)
    this.answer(head, body)
    // HEAD and 304 tell the length of a body that does not come.
    if (this.prepared.wire.method !== "HEAD" && head.status !== 304 && this.isTooLarge(head.contentLength ?? 0)) return
    this.watch()
  }

  protected answer(head: ExchangeHead, body: ResponseBody): void {
    const ticket = this.ticket as LeaseTicket
    const slot = ticket.slot as Slot<Connection>
    this.onAnswer?.(Exit.succeed(new HttpResponse(this.prepared.request, head, body, ticket, slot)))
  }

  /** The server goes on in another protocol, whether it was asked to or not. */
  private unusable(): TransportError.TransportError {
    return new TransportError.RemoteProtocolError({
      ...this.details(),
      safeToRetry: false,
      code: "UnexpectedUpgrade",
      detail: "it answered 101 and went on in another protocol; where that is wanted, ask for it with Tunnel.upgrade",
      section: "RFC 9110 §15.2.2"
    })
  }

  onData(bytes: Uint8Array): void {
    this.received += bytes.length
    if (this.state === "Discarding") {
      this.discarded += bytes.length
      if (this.discarded > this.options.maxDiscardedBody) this.end()
    } else if (this.state === "Receiving" && !this.isTooLarge(this.received)) {
      this.body?.push(bytes)
      this.watch()
    }
  }

  onComplete(trailers: ReadonlyArray<string>): void {
    this.body?.complete(trailers)
    this.end()
    // An answer that somebody keeps refers to its call.
    this.exchange = undefined
    this.onAnswer = undefined
  }

  onError(failure: Failure.Failure): void {
    const error = TransportError.fromFailure(failure)
    if (this.state === "Sending" && this.mayRepeat(error)) this.repeat()
    else this.fail(error)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Sending again
  // ---------------------------------------------------------------------------------------------------------------

  /**
   * A server may close an idle connection just when we send on it. Then the request is sent again, if the server cannot
   * have acted on it, or may act on it twice; never because a new connection failed (Go #60636).
   */
  private mayRepeat(error: TransportError.TransportError): boolean {
    if (this.repeats >= maxRepeats || !error.safeToRetry) return false
    // A server that has begun to answer was not just closing an idle connection.
    if (this.hasBegun) return false
    if (error._tag !== "ReadError" && error._tag !== "WriteError" && error._tag !== "StreamReset") return false
    if (error._tag === "ReadError" && error.reason === "PoolClosed") return false
    // The server saw it and said no. The stream's end tells nothing about the connection.
    if (error._tag === "StreamReset" && error.written) return false
    if (!this.canSendAgain) return false
    const ticket = this.ticket as LeaseTicket
    // HTTP/2 tells which streams it has not begun to process (RFC 9113 §8.7).
    const isUnprocessed = !error.written && ticket.slot?.connection?.protocol === "h2"
    return ticket.reused || isUnprocessed
  }

  private get canSendAgain(): boolean {
    return this.upload === undefined || this.upload.isUntouched || this.prepared.body.replayable
  }

  private repeat(): void {
    this.repeats++
    this.host.meter.retried()
    const ticket = this.ticket as LeaseTicket
    this.host.driver.emit({
      _tag: "Repeated",
      origin: this.origin,
      connection: ticket.slot?.id ?? 0,
      attempt: this.repeats + 1
    })
    this.letGo()
    this.askForConnection()
  }

  /** The connection is another origin's, and the server does not answer for ours there. */
  private get isMisdirected(): boolean {
    return this.ticket?.origin.key !== this.wanted.key && this.canSendAgain
  }

  /** Nothing was done with the request: it goes over a connection of its own origin (RFC 9110 §15.5.20). */
  private takeHome(): void {
    this.host.driver.excludeFromCoalescing(this.wanted)
    this.repeat()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The body
  // ---------------------------------------------------------------------------------------------------------------

  get origin(): string {
    return this.prepared.target.origin.href
  }

  pause(): void {
    this.isPaused = true
    this.exchange?.pause()
    this.watch()
  }

  resume(): void {
    this.isPaused = false
    this.exchange?.resume()
    this.watch()
  }

  unread(): void {
    this.unreadEntry = new UnreadBody(this.host.driver.time.now(), () => this.body?.abandon("Unread"))
    this.host.driver.unread.add(this.unreadEntry)
  }

  reading(): void {
    if (this.unreadEntry !== undefined) this.host.driver.unread.remove(this.unreadEntry)
  }

  /** A short rest is drained, which keeps the connection; a long one would cost more than a new connection. */
  discard(): void {
    if (this.state !== "Receiving") return
    const rest = (this.head?.contentLength ?? 0) - this.received
    if (rest > this.options.maxDiscardedBody || this.upload?.isRunning === true) return this.end()
    this.state = "Discarding"
    this.reading()
    this.exchange?.resume()
    this.setStall(discardTime, this.host.driver.time.now())
  }

  private isTooLarge(size: number): boolean {
    const { maxResponseSize } = this.options
    if (size <= maxResponseSize) return false
    this.fail(new TransportError.ResponseTooLarge({ ...this.details(), maxResponseSize }))
    return true
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Time
  // ---------------------------------------------------------------------------------------------------------------

  /**
   * Sees to the timeout for what we wait for from the server now: that it takes our bytes, or that it sends its own. We
   * wait for neither while the user's stream or the user's reader is what holds things up.
   *
   * Something has just happened, so the time begins anew; but the deadline is left where it is and looks, when it
   * passes, at how long ago that was. A request that lasts a millisecond sets it once.
   */
  protected watch(): void {
    if (this.state !== "Sending" && this.state !== "Receiving" && this.state !== "Tunneling") return
    const { deadlines } = this.host.driver.time
    if (this.isUserSlow) return deadlines.cancel(this.stall)
    const timeout = this.stallTimeout
    this.activeAt = this.host.driver.time.now()
    if (timeout === this.stallSetTo && deadlines.isSet(this.stall)) return
    this.stallSetTo = timeout
    this.setStall(timeout, this.activeAt)
  }

  private setStall(timeout: number, now: number): void {
    this.host.driver.time.deadlines.set(this.stall ??= new Deadline<Call>(this, onStall), timeout, now)
  }

  protected get isUserSlow(): boolean {
    return this.isPaused || (this.upload !== undefined && this.upload.isRunning && !this.upload.isBlocked)
  }

  private get stallTimeout(): number {
    return this.isSending ? this.prepared.timeouts.write : this.prepared.timeouts.read
  }

  /** Whether bytes of the request wait for the server. What it did not want any more (413) does not count. */
  protected get isSending(): boolean {
    return this.exchange?.sent === false && (this.state === "Sending" || this.upload?.isRunning !== false)
  }

  onStall(now: number): void {
    if (this.state === "Discarding") return this.end()
    const timeout = this.stallTimeout
    const rest = this.activeAt + timeout - now
    if (rest > 0) return this.setStall(rest, now)
    const error = this.isSending
      ? new TransportError.WriteTimeout({ ...this.details(), timeout })
      : new TransportError.ReadTimeout({ ...this.details(), timeout })
    this.exchange?.cancel("Silent")
    this.fail(error)
  }

  details(): TransportError.Details {
    const written = this.exchange?.written === true
    return {
      origin: this.origin,
      phase: this.phase,
      written,
      safeToRetry: !written || this.prepared.wire.retryable
    }
  }

  private get phase(): TransportError.Phase {
    if (this.state === "Waiting") return "pool"
    if (this.state !== "Sending") return "body"
    return this.exchange?.sent === false ? "send" : "head"
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------------------------------------------

  protected fail(error: TransportError.TransportError): void {
    if (this.state === "Done") return
    const body = this.body
    this.end()
    if (body === undefined) this.onAnswer?.(Exit.fail(error))
    else body.fail(error)
  }

  /** Gives everything back, whatever the state. An exchange that has not ended is cancelled. */
  protected end(): void {
    if (this.state === "Done") return
    this.state = "Done"
    this.endDeadlines()
    this.letGo()
  }

  /** Those of the request as a whole. */
  protected endDeadlines(): void {
    this.host.driver.time.deadlines.cancel(this.headersDeadline)
    this.host.driver.time.deadlines.cancel(this.totalDeadline)
  }

  private letGo(): void {
    this.host.driver.time.deadlines.cancel(this.stall)
    this.reading()
    this.upload?.stop()
    this.upload = undefined
    this.exchange?.cancel("Unwanted")
    if (this.ticket !== undefined) this.host.driver.abandon(this.ticket)
  }
}

const onStall = (call: Call, now: number): void => call.onStall(now)
