import type { Connection, Exchange, ExchangeHead, ExchangeReceiver } from "../Connection.js"
import * as Failure from "../Failure.js"
import type { CallerContext, Cancel } from "../Host.js"
import type { Origin } from "../Origin.js"
import { Deadline, type LeaseOwner, type LeaseTicket, type PoolDriver } from "../pool/index.js"
import { undisturbed } from "../unawaited.js"
import type { BodyProblem } from "./BodySource.js"
import { unaskedUpgrade } from "./callFailures.js"
import { CallResponse, type UploadProgress } from "./CallResponse.js"
import { type Awaited, CallTimer, type Overdue } from "./CallTimer.js"
import { countEnd, withConnection } from "./connectionFacts.js"
import { overdueFailure } from "./overdue.js"
import type { CallOptions, PreparedRequest } from "./PreparedRequest.js"
import { type BodyOwner, ResponseBody } from "./ResponseBody.js"
import { maxRetries, mayRetry, pauseBefore } from "./retries.js"
import { Upload, type UploadOwner } from "./Upload.js"

/**
 * - `Waiting`: for a connection.
 * - `Sending`: an exchange is under way, its response has not begun.
 * - `Receiving`: the head has been handed to the caller, the body arrives.
 * - `Discarding`: nobody wants the rest of the body; what comes is thrown away.
 * - `Uploading`: the response is complete and was a success; the rest of the request is still being sent.
 * - `Tunneling`: bytes go both ways, and the request is over (`TunnelCall`).
 * - `Done`: it holds nothing any more.
 */
export type CallState = "Waiting" | "Sending" | "Receiving" | "Discarding" | "Uploading" | "Tunneling" | "Done"

/** Whom a call notifies, once: of its response, or of why there is none. */
export interface CallListener {
  readonly onResponse: (response: CallResponse) => void
  readonly onFailure: (failure: Failure.Failure) => void
  /** See `LeaseOwner.kin`. */
  readonly kin?: (() => ReadonlyArray<unknown>) | undefined
  /** An interim response but `100 Continue`. May throw. */
  readonly onInformational?: ((head: ExchangeHead) => unknown) | undefined
}

/**
 * One request: from the caller to the pool, to a connection, and until the last byte of the response. Everything in it is
 * a synchronous step; its caller is notified through its listener.
 */
export class Call implements LeaseOwner, ExchangeReceiver, BodyOwner, UploadOwner {
  /** The context of whoever made the call: the caller is notified, and its body is read, in there. */
  readonly context: CallerContext | undefined
  protected state: CallState = "Waiting"
  protected exchange: Exchange | undefined = undefined
  protected body: ResponseBody | undefined = undefined
  protected listener: CallListener | undefined = undefined
  protected readonly timer: CallTimer
  private ticket: LeaseTicket | undefined = undefined
  protected upload: Upload | undefined = undefined
  private head: ExchangeHead | undefined = undefined
  private received = 0
  private discarded = 0
  private isPaused = false
  private retries = 0
  /** Bytes of the response have come. */
  private hasBegun = false
  private headAt = 0
  /** What the server said is no reason to send it less. */
  private isWelcome = true
  /** It was abandoned before all of the request's body had been sent. */
  private wasCutShort = false
  private uploadedAtEnd = 0
  private startedAt = 0
  private totalDeadline: Deadline<Call> | undefined = undefined
  private endPause: Cancel | undefined = undefined

  constructor(
    protected readonly pool: PoolDriver,
    protected readonly options: CallOptions,
    protected readonly prepared: PreparedRequest,
    /** The caller, compared by identity. */
    readonly caller: unknown
  ) {
    this.context = pool.host.captureContext()
    this.timer = new CallTimer(this, prepared.timeouts, pool.time)
  }

  start(listener: CallListener): void {
    this.listener = listener
    const { source, timeouts } = this.prepared
    if (source !== undefined) {
      const problem = source.problem()
      if (problem !== undefined) return this.fail(this.unusableBody(problem))
      source.onBroken((cause) => this.fail(this.bodyFailed(cause)))
      // It may have failed before its request began.
      if (this.state === "Done") return
    }
    if (timeouts.total !== Infinity) {
      this.totalDeadline = new Deadline<Call>(this, onTotal)
      this.pool.time.deadlines.set(this.totalDeadline, timeouts.total, this.pool.time.now())
    }
    this.askForConnection()
  }

  /** The caller was interrupted: before there was a response, or before it got hold of it. */
  cancel(): void {
    if (this.state === "Uploading") this.end()
    else if (this.body === undefined) this.end()
    else this.body.abandon("Cancelled")
  }

  /** The scope that decides how long the response lives has ended, and the caller may be waiting still. */
  scopeClosed(): void {
    if (this.state === "Uploading") this.end()
    else if (this.body !== undefined) this.body.abandon("ScopeClosed")
    else this.fail(Failure.bodyAbandoned({ ...this.details(), reason: "ScopeClosed" }))
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The pool
  // ---------------------------------------------------------------------------------------------------------------

  private askForConnection(): void {
    const { timeouts, wire } = this.prepared
    this.state = "Waiting"
    // A server that ends its connections unannounced ends many: what has been used has failed twice, and the last time
    // it will not do.
    const fresh = this.retries === maxRetries
    this.ticket = this.pool.request(wire.origin, this, timeouts.pool, timeouts.connect, fresh)
    if (this.retries === 0) this.startedAt = this.ticket.waitingSince
    if (this.ticket.state === "Granted") this.granted(this.ticket)
  }

  granted(ticket: LeaseTicket): void {
    if (this.state !== "Waiting") return
    const connection = ticket.slot?.connection
    if (connection !== undefined) this.begin(connection, ticket.grantedAt)
  }

  refused(_ticket: LeaseTicket, failure: Failure.Failure): void {
    this.fail(failure)
  }

  get wanted(): Origin {
    return this.prepared.wire.origin
  }

  get sharesConnections(): boolean {
    return !this.prepared.wire.hasOwnHost
  }

  kin(): ReadonlyArray<unknown> {
    return this.listener?.kin?.() ?? []
  }

  describe() {
    return {
      method: this.prepared.wire.method,
      url: this.prepared.url,
      bodyUnread: this.body !== undefined && this.body.isUnread
    }
  }

  progress() {
    return { phase: this.phase, received: this.received }
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The exchange
  // ---------------------------------------------------------------------------------------------------------------

  protected begin(connection: Connection, now: number): void {
    const { source, wire } = this.prepared
    this.state = "Sending"
    const exchange = this.exchange = connection.exchange(wire, this)
    if (source !== undefined) {
      const length = wire.body._tag === "Chunks" ? wire.body.length : undefined
      this.upload = new Upload(exchange, source, length ?? Infinity, this.pool.time, this)
      this.upload.start(this.prepared.expect)
    }
    this.watch(now)
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
    else this.runInContext(() => this.notifyInformational(head))
    this.watch()
  }

  /** We are inside of the socket's event: an error of the caller's code would end the process (undici #5360). */
  private notifyInformational(head: ExchangeHead): void {
    undisturbed(() => this.listener?.onInformational?.(head), (cause) => {
      this.pool.host.reportDefect("onInformational threw; its response goes on without it", cause)
    })
  }

  onHead(head: ExchangeHead): void {
    if (this.state !== "Sending") return
    if (head.status === 421 && this.isMisdirected) return this.sendToOwnOrigin()
    if (head.status === 101) return this.fail(unaskedUpgrade(this.details()))
    this.upload?.onResponse(head.status)
    this.isWelcome = head.status < 300
    this.state = "Receiving"
    const now = this.headAt = this.pool.time.now()
    this.head = head
    const body = this.body = new ResponseBody(this, this.options.maxBufferedBody)
    this.respond(head, body)
    // HEAD and 304 say the length of a body that does not come.
    if (this.prepared.wire.method !== "HEAD" && head.status !== 304 && this.isTooLarge(head.contentLength ?? 0)) return
    this.watch(now)
  }

  protected respond(head: ExchangeHead, body: ResponseBody): void {
    const { ticket } = this
    const slot = ticket?.slot
    const connection = slot?.connection
    if (ticket === undefined || slot === undefined || connection === undefined) return
    const response = new CallResponse(head, body, ticket, slot, connection, this)
    this.runInContext(() => this.listener?.onResponse(response))
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
    if (this.isStillSending && this.state === "Receiving") return this.goOnSending(trailers)
    // First the connection is given back, then the reader is notified: it may ask for one at once.
    this.end()
    this.body?.complete(trailers)
    // A response that somebody keeps refers to its call.
    this.exchange = undefined
    this.listener = undefined
  }

  /** A whole response may be there before its request is: only what is no success asks to cease (RFC 9112 §9.5). */
  private get isStillSending(): boolean {
    const { exchange, upload } = this
    if (exchange?.sent !== false || !this.isWelcome) return false
    return upload === undefined || upload.isRunning || upload.state === "Complete"
  }

  private goOnSending(trailers: ReadonlyArray<string>): void {
    this.state = "Uploading"
    this.isPaused = false
    this.body?.complete(trailers)
    this.watch()
  }

  /** What has become of the request's body. */
  get uploadState(): UploadProgress {
    if (this.prepared.wire.body._tag === "None") return "none"
    if (this.wasCutShort) return "stopped"
    if (this.exchange?.sent !== false) return "complete"
    return this.upload?.state === "Stopped" ? "stopped" : "sending"
  }

  /** How many bytes of the request's body have gone to the transport. */
  get uploaded(): number {
    const { body } = this.prepared.wire
    if (this.state === "Done" || body._tag === "None") return this.uploadedAtEnd
    const handedOver = body._tag === "Bytes" ? body.bytes.length : this.upload?.written ?? 0
    return handedOver - (this.exchange?.unwritten ?? 0)
  }

  onError(failure: Failure.Failure): void {
    if (this.state === "Sending" && this.mayRetry(failure)) {
      this.retry(pauseBefore(failure, this.retries, this.pool.host.random))
    } else {
      this.fail(failure)
    }
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The body of the request
  // ---------------------------------------------------------------------------------------------------------------

  /** The first chunk was read of it. */
  onTouched(): void {
    if (this.prepared.source?.replayable === false) this.prepared.wire.retryable = false
  }

  onUploadState(): void {
    this.watch()
  }

  onUploadFailed(cause: unknown): void {
    this.fail(this.bodyFailed(cause))
  }

  /** What was read from already would be sent short, or empty. */
  private unusableBody({ cause, problem }: BodyProblem): Failure.Failure {
    const detail = `its body cannot be sent: ${problem}. Make a new one for each attempt`
    return Failure.localProtocolError({
      origin: this.wanted.href,
      reason: "InvalidBody",
      detail,
      ...(cause === undefined ? {} : { cause })
    })
  }

  private bodyFailed(cause: unknown): Failure.Failure {
    return Failure.requestBodyError({ ...this.details(), cause })
  }

  private get canSendAgain(): boolean {
    return this.upload === undefined || !this.upload.isTouched || this.prepared.source?.replayable === true
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Sending again
  // ---------------------------------------------------------------------------------------------------------------

  private mayRetry(failure: Failure.Failure): boolean {
    return mayRetry(failure, {
      retries: this.retries,
      hasBegun: this.hasBegun,
      reused: this.ticket?.reused === true,
      isHttp2: this.ticket?.slot?.connection?.protocol === "h2",
      canSendAgain: this.canSendAgain
    })
  }

  private retry(pause = 0): void {
    this.prepared.retries = ++this.retries
    this.pool.host.meter?.retried(this.wanted)
    this.pool.emit({
      _tag: "Retried",
      origin: this.wanted.href,
      connection: this.ticket?.slot?.id ?? 0,
      attempt: this.retries + 1
    })
    this.letGo()
    if (pause === 0) return this.askForConnection()
    this.state = "Waiting"
    this.endPause = this.pool.pause(pause, () => this.askForConnection())
  }

  /** The connection is another origin's, and the server does not respond for ours there. */
  private get isMisdirected(): boolean {
    return this.ticket?.origin.key !== this.wanted.key && this.canSendAgain
  }

  /** Nothing was done with the request: it goes over a connection of its own origin (RFC 9110 §15.5.20). */
  private sendToOwnOrigin(): void {
    this.pool.excludeFromCoalescing(this.wanted)
    this.retry()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The body of the response
  // ---------------------------------------------------------------------------------------------------------------

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

  get unreadSince(): number | undefined {
    return this.body?.isDispensable === true ? this.headAt : undefined
  }

  /** A request waits for the connection: the rest is not even discarded. */
  abandonUnread(): void {
    this.pool.host.meter?.abandoned(this.wanted)
    this.body?.abandon("Unread")
    this.end()
  }

  captureContext(): CallerContext | undefined {
    return this.pool.host.captureContext()
  }

  /** A short rest is drained, which keeps the connection; a long one would cost more than a new connection. */
  discard(): void {
    if (this.state !== "Receiving") return
    const rest = (this.head?.contentLength ?? 0) - this.received
    if (rest > this.options.maxDiscardedBody || this.upload?.isRunning === true) return this.end()
    // It may be endless: nobody is to wait for its end, nor is it to be looked for where nothing may be thrown away. Who
    // leaves an event stream wants whatever makes the events to stop.
    const isNeeded = this.pool.core.state.waitersWithoutDial > 0 || this.options.maxDiscardedBody === 0
    if (this.head?.contentLength === undefined && (isNeeded || isEventStream(this.head))) return this.end()
    this.state = "Discarding"
    this.exchange?.resume()
    this.timer.watch("Rest")
  }

  private isTooLarge(size: number): boolean {
    const { maxResponseSize } = this.options
    if (size <= maxResponseSize) return false
    this.fail(Failure.responseTooLarge({ ...this.details(), maxResponseSize }))
    return true
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Time
  // ---------------------------------------------------------------------------------------------------------------

  protected watch(now?: number): void {
    if (this.state === "Sending" || this.state === "Receiving" || this.state === "Tunneling") {
      this.timer.watch(this.awaited, now)
    } else if (this.state === "Uploading") {
      if (this.isStillSending) this.timer.watch(this.awaited)
      else this.end()
    }
  }

  /** What is waited for from the server now. */
  protected get awaited(): Awaited {
    if (this.isPaused) return "Nothing"
    if (this.upload?.isRunning === true) return this.upload.isBlocked ? "Room" : "Nothing"
    // What it did not want any more (413) does not count.
    const isSending = this.exchange?.sent === false && (this.state !== "Receiving" || this.upload === undefined)
    return isSending ? "Room" : this.state === "Sending" ? "Head" : "Bytes"
  }

  onOverdue(overdue: Overdue): void {
    if (overdue === "rest") return this.end()
    const timeout = this.prepared.timeouts[overdue]
    const failure = overdueFailure(overdue, this.details(), timeout, this.handedOver)
    this.exchange?.cancel("Silent")
    this.fail(failure)
  }

  private get handedOver(): Failure.HandedOver | undefined {
    const { body } = this.prepared.wire
    if (body._tag === "None" || this.state !== "Sending") return undefined
    return { size: body._tag === "Bytes" ? body.bytes.length : this.upload?.written ?? 0, ago: this.timer.waited }
  }

  totalPassed(): void {
    this.fail(Failure.totalTimeout({ ...this.details(), timeout: this.prepared.timeouts.total }))
  }

  details(): Failure.Details {
    const written = this.exchange?.written === true
    return {
      origin: this.wanted.href,
      phase: this.phase,
      written,
      safeToRetry: !written || this.prepared.wire.retryable
    }
  }

  private get phase(): Failure.Phase {
    if (this.state === "Waiting") return "pool"
    if (this.state !== "Sending") return "body"
    return this.exchange?.sent === false ? "send" : "headers"
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------------------------------------------

  protected fail(given: Failure.Failure): void {
    if (this.state === "Done") return
    const failure = withConnection(given, this.ticket, this.received)
    const { body } = this
    this.end(failure)
    if (body === undefined) this.runInContext(() => this.listener?.onFailure(failure))
    else body.fail(failure)
  }

  /** Gives everything back, whatever the state. An exchange that has not ended is cancelled. */
  protected end(failure?: Failure.Failure): void {
    if (this.state === "Done") return
    if (this.body !== undefined) this.uploadedAtEnd = this.uploaded
    this.state = "Done"
    if (this.exchange?.sent === false) this.wasCutShort = true
    this.endTotal()
    const now = this.pool.time.now()
    countEnd(this.pool.host.meter, this.prepared.wire, this.ticket, now - this.startedAt, this.head?.status, failure)
    this.letGo(now)
    this.prepared.source?.destroy(failure)
  }

  /** The request as a whole takes no longer. */
  protected endTotal(): void {
    this.pool.time.deadlines.cancel(this.totalDeadline)
  }

  /** What it has of the pool. */
  private letGo(now = this.pool.time.now()): void {
    this.timer.cancel()
    this.endPause?.()
    this.upload?.stop()
    this.upload = undefined
    this.exchange?.cancel("Unwanted")
    if (this.ticket !== undefined) this.pool.abandon(this.ticket, now)
  }

  runInContext(run: () => void): void {
    if (this.context === undefined) run()
    else this.context.run(run)
  }
}

const onTotal = (call: Call): void => call.totalPassed()

const isEventStream = (head: ExchangeHead | undefined): boolean => {
  const fields = head?.rawHeaders ?? []
  return fields.some((name, i) =>
    i % 2 === 0 && name.toLowerCase() === "content-type" && /^text\/event-stream\s*(;|$)/i.test(fields[i + 1])
  )
}
