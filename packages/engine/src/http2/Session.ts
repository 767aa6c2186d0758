import { BufferedBytes } from "./BufferedBytes.js"
import { incomplete, isWhole } from "./endOfResponse.js"
import { ErrorCode } from "./ErrorCode.js"
import { type Failure, type GoAway, goAwayAfter, type LocalError, type StreamFailure } from "./Failure.js"
import { FloodGuard } from "./FloodGuard.js"
import { Inbound, type InboundOwner } from "./Inbound.js"
import { type ContentOwner, InboundContent } from "./InboundContent.js"
import { Liveness } from "./Liveness.js"
import { Outbound, type OutboundOwner } from "./Outbound.js"
import { connectionError, type ProtocolError } from "./ProtocolError.js"
import { requestFields, trailerFields } from "./RequestFields.js"
import { retryOf, wasProcessed } from "./retryOf.js"
import type { SessionHost } from "./SessionHost.js"
import type { SessionOptions } from "./SessionOptions.js"
import { PeerSettings } from "./Settings.js"
import { Stream, type StreamOwner } from "./Stream.js"
import type { StreamReceiver, StreamRequest } from "./StreamRequest.js"
import { StreamTable } from "./StreamTable.js"

/** Streams that may be opened before the server has named its limit. */
const streamsBeforeSettings = 100

/**
 * - `Opening`: the server's SETTINGS have not come yet.
 * - `Open`: it takes streams.
 * - `Draining`: it takes nothing new; what it carries may finish.
 * - `Closed`.
 */
export type SessionState = "Opening" | "Open" | "Draining" | "Closed"

/**
 * The client's side of one HTTP/2 connection (RFC 9113), without I/O: bytes in, events out; requests out as bytes. It
 * keeps no time and throws nothing.
 */
export class Session<E> implements InboundOwner<E>, OutboundOwner<E>, ContentOwner<E>, StreamOwner<E> {
  state: SessionState = "Opening"
  readonly peer = new PeerSettings()
  readonly table = new StreamTable<E>()
  readonly flood: FloodGuard
  readonly liveness: Liveness
  readonly buffered: BufferedBytes
  readonly content: InboundContent<E>
  readonly outbound: Outbound<E>
  readonly allocate: (size: number) => Uint8Array
  readonly latin1: (bytes: Uint8Array, start: number, end: number) => string
  now: number
  private readonly inbound: Inbound<E>
  private goAway: GoAway | undefined = undefined
  /** As many streams as the server took when it refused another one (REFUSED_STREAM). */
  private refusedAbove = Infinity
  private reportedCapacity = 0
  private isScheduled = false
  /** Streams that have failed before anything was written of them, and are to be notified. */
  private doomed: Array<readonly [Stream<E>, Failure]> = []
  /** What the host was notified of, and what falls due. */
  private armedAt = Infinity
  private settingsDueAt: number
  private settingsSentAt: number
  private pingNumber = 0

  constructor(private readonly host: SessionHost<E>, readonly options: SessionOptions) {
    const now = this.now = this.settingsSentAt = host.elapsed()
    this.settingsDueAt = now + options.settingsTimeout
    this.allocate = host.allocate
    this.latin1 = host.latin1
    this.flood = new FloodGuard(host.elapsed)
    this.liveness = new Liveness(options)
    this.buffered = new BufferedBytes(options.maxBufferedBytes)
    this.content = new InboundContent(this)
    this.outbound = new Outbound(this)
    this.inbound = new Inbound(this)
    this.reportedCapacity = this.capacity
    this.outbound.start(this.content.start())
    this.arm()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // For the driver
  // ---------------------------------------------------------------------------------------------------------------

  /** How many streams it may carry at once, now. */
  get capacity(): number {
    if (this.liveness.isUnresponsive) return 0
    return Math.max(
      0,
      Math.min(this.options.maxConcurrentStreams, this.streamLimit, this.refusedAbove) - this.outbound.lingering
    )
  }

  /** What the server allows (SETTINGS_MAX_CONCURRENT_STREAMS). */
  get streamLimit(): number {
    return this.state === "Opening" ? streamsBeforeSettings : this.peer.maxConcurrentStreams
  }

  /** Whether it takes new streams. */
  get isUsable(): boolean {
    return this.state === "Open" || this.state === "Opening"
  }

  /** Whether the server is awaited. */
  get isBusy(): boolean {
    return this.table.isAwaited || this.state === "Opening"
  }

  /** Whether it carries nothing, and has carried something. */
  get isIdle(): boolean {
    return this.table.size === 0 && this.table.nextId > 1
  }

  /** Begins a stream. It is written at the next `flush`; the receiver is notified of nothing before that. */
  request(request: StreamRequest, receiver: StreamReceiver<E>): Stream<E> {
    const fields = requestFields(request)
    const stream = new Stream<E>(this, request, receiver, Array.isArray(fields) ? fields : undefined)
    if (!Array.isArray(fields)) this.doom(stream, fields)
    else if (!this.isUsable) this.doom(stream, { _tag: "NotSent", goAway: this.goAway })
    else if (request.protocol !== undefined && !this.peer.connectProtocol) this.doom(stream, noConnectProtocol)
    else this.outbound.open(stream)
    return stream
  }

  /**
   * Bytes have come.
   *
   * @param more others may follow in this turn, and `flush` comes at its end
   */
  receive(bytes: Uint8Array, start: number, end: number, more = false): void {
    if (this.state === "Closed") return
    // Of all reads of a turn the time is that of the first.
    if (!more || !this.isScheduled) this.now = this.host.elapsed()
    const { mark } = this.liveness
    this.inbound.receive(bytes, start, end, more)
    if (more && this.content.isPending) this.onOutput()
    if (mark !== this.liveness.mark) this.liveness.onRead(this.now, this.table.size > 0)
    this.arm()
  }

  /** The server has ended the connection. */
  receiveEnd(): void {
    this.close({ _tag: "Ended", goAway: this.goAway })
  }

  /** Reading or writing has failed. */
  receiveError(cause: unknown): void {
    this.close({ _tag: "Broken", goAway: this.goAway, cause })
  }

  /**
   * Writes what there is, for as many bytes as the transport has room for. True if more waits: it is to be called again
   * when there is room.
   */
  flush(room: number): boolean {
    this.isScheduled = false
    this.now = this.host.elapsed()
    if (this.content.isPending) this.content.flush()
    const waits = this.state !== "Closed" && this.outbound.flush(room)
    if (this.doomed.length > 0) this.failDoomed()
    this.reportCapacity()
    this.arm()
    return waits
  }

  /** The time given to `setDeadline` has come. */
  onDeadline(): void {
    this.armedAt = Infinity
    if (this.state === "Closed") return
    const now = this.now = this.host.elapsed()
    if (now >= this.settingsDueAt) {
      return this.closeWith(ErrorCode.SETTINGS_TIMEOUT, "", { _tag: "Unresponsive", what: "SETTINGS" })
    }
    switch (this.liveness.onDeadline(now)) {
      case "Dead":
        return this.close({ _tag: "Unresponsive", what: "PING" })
      case "Ping":
        this.ping()
        break
      case "Nothing":
        break
    }
    if (now >= this.outbound.pacedUntil) this.outbound.resumeResets()
    this.arm()
  }

  /** We end the connection: whatever it carries fails, and the server is notified. The host is notified of nothing more. */
  shutdown(): void {
    if (this.state === "Closed") return
    this.state = "Closed"
    this.end({ _tag: "Closed" })
    this.outbound.writeGoAway(ErrorCode.NO_ERROR, "")
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the streams
  // ---------------------------------------------------------------------------------------------------------------

  onBody(stream: Stream<E>): void {
    this.outbound.touch(stream)
  }

  onTrailers(stream: Stream<E>, trailers: Readonly<Record<string, string>>): void {
    const fields = trailerFields(trailers)
    if (!Array.isArray(fields)) {
      if (stream.id !== 0) this.outbound.reset(stream.id, ErrorCode.CANCEL)
      return this.fail(stream, fields)
    }
    const body = stream.body!
    body.trailers = fields.length === 0 ? undefined : fields
    body.ended = true
    this.outbound.touch(stream)
  }

  onResume(stream: Stream<E>): void {
    this.content.resume(stream)
  }

  onCancel(stream: Stream<E>, reason: "Unwanted" | "Silent"): void {
    this.content.drop(stream)
    if (stream.id === 0) {
      stream.state = "Closed"
      return
    }
    stream.state = "Cancelled"
    this.outbound.cancel(stream)
    const isSilent = reason === "Silent"
    if (!isSilent && stream.hasResponse) return
    if (!this.liveness.onAbandoned(stream.mark, isSilent, this.now = this.host.elapsed())) return this.reportCapacity()
    this.ping()
    this.reportCapacity()
    this.arm()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the server
  // ---------------------------------------------------------------------------------------------------------------

  onSettings(entries: ReadonlyArray<number>): void {
    const { peer } = this
    const window = peer.initialWindow
    const invalid = peer.apply(entries)
    if (invalid !== undefined) return this.failConnection(invalid)
    if (!this.outbound.onSettings(peer.initialWindow - window)) {
      return this.failConnection(
        connectionError(
          "WindowOverflow",
          ErrorCode.FLOW_CONTROL_ERROR,
          "SETTINGS_INITIAL_WINDOW_SIZE makes a window larger than 2^31-1",
          "RFC 9113 §6.9.2"
        )
      )
    }
    this.outbound.acknowledgeSettings()
    if (this.state === "Opening") {
      this.state = "Open"
      this.reportedCapacity = this.capacity
      this.host.onReady()
    } else {
      this.reportCapacity()
    }
  }

  onSettingsAck(): void {
    if (!this.content.onSettingsAcknowledged() || this.settingsDueAt === Infinity) return
    this.settingsDueAt = Infinity
    this.content.observe(this.now - this.settingsSentAt)
  }

  onPingAck(number: number): void {
    if (number !== this.pingNumber || !this.liveness.isPinging) return
    this.liveness.onAcknowledged(this.now, this.table.size > 0)
    this.reportCapacity()
  }

  /**
   * The server takes no streams above the number, and has not begun with those that are there (RFC 9113 §6.8). A number
   * of 2^31-1 announces the real one. A response that has begun counts for more than the number.
   */
  onGoAway(said: GoAway): void {
    const goAway = this.goAway = goAwayAfter(this.goAway, said)
    this.drain()
    if (said.errorCode === ErrorCode.HTTP_1_1_REQUIRED) this.host.onHttp1Required(undefined)
    for (const stream of [...this.table.values()]) {
      if (stream.id > goAway.lastStreamId && !stream.hasResponse) this.fail(stream, { _tag: "Unprocessed", goAway })
    }
  }

  onReset(stream: Stream<E>, errorCode: number): void {
    this.content.finish(stream)
    if (stream.state === "Cancelled") return this.retire(stream, false)
    if (stream.hasEnded) return
    if (errorCode === ErrorCode.NO_ERROR && stream.state !== "HalfClosedRemote") {
      // Node's own servers end a response so when they have not read the request.
      return isWhole(stream) ? this.completeReset(stream) : this.fail(stream, incomplete(stream))
    }
    if (errorCode === ErrorCode.HTTP_1_1_REQUIRED) this.host.onHttp1Required(stream.request)
    if (errorCode === ErrorCode.REFUSED_STREAM && this.table.size > 1) this.refusedAbove = this.table.size - 1
    this.reportCapacity()
    this.fail(stream, { _tag: "StreamReset", errorCode })
  }

  onComplete(stream: Stream<E>, trailers: ReadonlyArray<string>): void {
    // Our side goes on, as long as somebody wants it to: a tunnel's, or a request that has its response already.
    if (stream.state === "Open") stream.state = "HalfClosedRemote"
    else this.retire(stream, true)
    stream.receiver.onComplete(trailers)
  }

  /** The server has ended what nobody wants any more: if our side is complete too, it needs no reset. */
  onUnwantedEnd(stream: Stream<E>): void {
    if (!stream.sent || stream.state !== "Cancelled") return
    this.retire(stream, true)
    this.onOutput()
  }

  private completeReset(stream: Stream<E>): void {
    this.retire(stream, false)
    stream.receiver.onComplete([])
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From what is written
  // ---------------------------------------------------------------------------------------------------------------

  write(bytes: Uint8Array): void {
    this.host.write(bytes)
  }

  onOutput(): void {
    if (this.isScheduled) return
    this.isScheduled = true
    this.host.onOutput()
  }

  get canOpen(): boolean {
    return this.isUsable && this.table.size < this.streamLimit && !this.table.isExhausted
  }

  onOpened(stream: Stream<E>): void {
    stream.mark = this.liveness.mark
    stream.since = this.now
    this.liveness.onRequest(this.now)
    this.flood.earn(2)
    if (this.table.isExhausted) this.drain()
  }

  onNotSent(stream: Stream<E>): void {
    this.fail(stream, { _tag: "NotSent", goAway: this.goAway })
  }

  onResetWritten(stream: Stream<E>): void {
    stream.state = "Closed"
    this.table.removeReset(stream, this.content.left(stream))
  }

  onFrame(): void {
    // A server may give credit for each frame, for the stream and for the connection.
    this.flood.earn(3)
  }

  onLocalEnd(stream: Stream<E>): void {
    if (stream.state === "Open") stream.state = "HalfClosedLocal"
    else if (stream.state === "HalfClosedRemote") this.retire(stream, true)
  }

  onTooMuchControl(): void {
    this.failConnection(
      connectionError(
        "Flood",
        ErrorCode.ENHANCE_YOUR_CALM,
        "the server asks for more than it reads the replies to",
        "RFC 9113 §10.5"
      )
    )
  }

  creditConnection(bytes: number): void {
    this.outbound.creditConnection(bytes)
  }

  creditStream(stream: Stream<E>, bytes: number): void {
    this.outbound.creditStream(stream, bytes)
  }

  announceWindow(size: number): void {
    this.outbound.announceWindow(size)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The ends
  // ---------------------------------------------------------------------------------------------------------------

  failMessage(stream: Stream<E>, error: ProtocolError): void {
    this.outbound.reset(stream.id, error.errorCode)
    this.fail(stream, error)
  }

  failConnection(error: ProtocolError): void {
    this.closeWith(error.errorCode, error.detail, error)
  }

  /** What had come of it is delivered before it fails. */
  private fail(stream: Stream<E>, failure: Failure): void {
    this.content.finish(stream)
    if (stream.hasEnded) {
      if (stream.state === "Cancelled") this.retire(stream, false)
      return
    }
    const failed: StreamFailure = {
      failure,
      written: stream.written && wasProcessed(failure, stream.hasResponse),
      hasResponse: stream.hasResponse,
      retry: retryOf(failure, stream)
    }
    this.retire(stream, false)
    stream.receiver.onError(this.host.toError(failed, stream.request))
  }

  /** @param byServer the server has ended its side in order */
  private retire(stream: Stream<E>, byServer: boolean): void {
    stream.state = "Closed"
    this.content.drop(stream)
    if (stream.id === 0) return
    if (byServer) this.table.remove(stream)
    else this.table.removeReset(stream, this.content.left(stream))
    if (this.table.size < this.refusedAbove && this.refusedAbove !== Infinity) {
      this.refusedAbove = Infinity
      this.reportCapacity()
    }
  }

  private doom(stream: Stream<E>, failure: Failure): void {
    this.doomed.push([stream, failure])
    this.onOutput()
  }

  private failDoomed(): void {
    const doomed = this.doomed
    this.doomed = []
    for (const [stream, failure] of doomed) this.fail(stream, failure)
  }

  /** It takes nothing new. What was not written yet goes over another connection. */
  drain(): void {
    if (!this.isUsable) return
    this.state = "Draining"
    this.host.onDraining()
    this.failIdle()
  }

  private failIdle(): void {
    for (const stream of this.outbound.takeIdle()) {
      if (!stream.hasEnded) this.fail(stream, { _tag: "NotSent", goAway: this.goAway })
    }
  }

  private closeWith(errorCode: number, debug: string, failure: Failure): void {
    if (this.state === "Closed") return
    this.inbound.stop()
    this.close(failure, () => this.outbound.writeGoAway(errorCode, debug))
  }

  /** The pool is notified that nothing new may come here before the requests are, which may ask it for another connection. */
  private close(failure: Failure, farewell?: () => void): void {
    if (this.state === "Closed") return
    const { state } = this
    this.state = "Closed"
    if (state !== "Draining") this.host.onDraining()
    farewell?.()
    this.end(failure)
    this.host.onClosed(failure)
  }

  private end(failure: Failure): void {
    this.inbound.stop()
    this.content.flush()
    this.armedAt = Infinity
    this.host.setDeadline(Infinity)
    this.failIdle()
    for (const stream of [...this.table.values()]) this.fail(stream, failure)
    if (this.doomed.length > 0) this.failDoomed()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Time, and what the host is notified of
  // ---------------------------------------------------------------------------------------------------------------

  private ping(): void {
    this.pingNumber++
    this.outbound.sendPing(this.pingNumber)
    this.reportCapacity()
  }

  private reportCapacity(): void {
    if (this.state === "Opening" || this.state === "Closed" || this.reportedCapacity === this.capacity) return
    this.reportedCapacity = this.capacity
    this.host.onCapacity()
  }

  /** Asks for the next deadline. One that is set too early does no harm, and saves setting it again and again. */
  private arm(): void {
    if (this.state === "Closed") return
    const next = Math.min(this.settingsDueAt, this.liveness.deadline, this.outbound.pacedUntil)
    if (next === Infinity ? this.armedAt === Infinity : next >= this.armedAt) return
    this.armedAt = next
    this.host.setDeadline(next)
  }
}

const noConnectProtocol: LocalError = {
  _tag: "LocalError",
  reason: "NotSupported",
  detail: "the server does not take extended CONNECT (SETTINGS_ENABLE_CONNECT_PROTOCOL)",
  section: "RFC 8441 §3"
}
