import { ErrorCode } from "./ErrorCode.js"
import { debugText, type GoAway } from "./Failure.js"
import type { FloodGuard } from "./FloodGuard.js"
import type { FrameHandler } from "./frames/FrameHandler.js"
import { FrameReader } from "./frames/FrameReader.js"
import type { HeaderField } from "./hpack/HeaderField.js"
import { HpackDecoder } from "./hpack/HpackDecoder.js"
import type { InboundContent } from "./InboundContent.js"
import type { Liveness } from "./Liveness.js"
import type { Outbound } from "./Outbound.js"
import { connectionError, type ProtocolError, type ProtocolErrorCode } from "./ProtocolError.js"
import { malformed, responseHead, responseTrailers } from "./ResponseFields.js"
import type { SessionOptions } from "./SessionOptions.js"
import type { Stream } from "./Stream.js"
import type { ResponseHead } from "./StreamRequest.js"
import type { StreamTable } from "./StreamTable.js"

/** What it needs of its connection. */
export interface InboundOwner<E> {
  readonly options: SessionOptions
  readonly table: StreamTable<E>
  readonly content: InboundContent<E>
  readonly outbound: Outbound<E>
  readonly flood: FloodGuard
  readonly liveness: Liveness
  readonly now: number
  readonly latin1: (bytes: Uint8Array, start: number, end: number) => string
  readonly onSettings: (entries: ReadonlyArray<number>) => void
  readonly onSettingsAck: () => void
  readonly onPingAck: (number: number) => void
  readonly onGoAway: (goAway: GoAway) => void
  readonly onReset: (stream: Stream<E>, errorCode: number) => void
  /** The response is complete. */
  readonly onComplete: (stream: Stream<E>, trailers: ReadonlyArray<string>) => void
  /** The server has ended a stream that was abandoned. */
  readonly onUnwantedEnd: (stream: Stream<E>) => void
  /** The server broke a rule on this stream; the connection goes on. */
  readonly failMessage: (stream: Stream<E>, error: ProtocolError) => void
  readonly failConnection: (error: ProtocolError) => void
}

/** The largest frame that we take: what each side takes at least (RFC 9113 §4.2). */
const maxFrameSize = 16_384

/**
 * A header list over our limit is decoded all the same, to keep the table in step, so that its stream fails alone. This
 * much is decoded at most.
 */
const maxDecodedBytes = (maxHeaderSize: number): number => Math.max(16 * maxHeaderSize, 1024 * 1024)

const noTrailers: ReadonlyArray<string> = []

/** What the server sends: checks whether each frame may come, and what it means for its stream. */
export class Inbound<E> implements FrameHandler {
  private readonly reader: FrameReader
  private readonly decoder: HpackDecoder
  /** The DATA frame that is being read: whose it is, if anybody's, and what is known of it. */
  private dataStream: Stream<E> | undefined = undefined
  private dataLength = 0
  private dataContent = 0
  private dataEnds = false
  /** The fields of the response head that came last. Many are the same: the decoder gives the same array then. */
  private lastFields: unknown = undefined
  /** What they say, once they have come twice. */
  private lastHead: ResponseHead | undefined = undefined

  constructor(private readonly owner: InboundOwner<E>) {
    const { maxHeaderSize } = owner.options
    this.reader = new FrameReader(this, { maxFrameSize, maxHeaderBlockBytes: maxDecodedBytes(maxHeaderSize) })
    this.decoder = new HpackDecoder({
      maxListBytes: maxHeaderSize,
      maxDecodedBytes: maxDecodedBytes(maxHeaderSize),
      latin1: owner.latin1
    })
  }

  /** Takes in `bytes[start, end)`. */
  receive(bytes: Uint8Array, start: number, end: number, more: boolean): void {
    const error = this.reader.execute(bytes, start, end)
    this.owner.content.endOfRead(more && error === undefined)
    if (error !== undefined) this.owner.failConnection(error)
  }

  stop(): void {
    this.reader.stop()
    this.dataStream = undefined
  }

  // ---------------------------------------------------------------------------------------------------------------
  // DATA
  // ---------------------------------------------------------------------------------------------------------------

  onDataHead(streamId: number, flowLength: number, endStream: boolean): void {
    const { content, flood, liveness } = this.owner
    liveness.onFrame()
    this.dataStream = undefined
    // What nobody wants any more counts too (RFC 9113 §6.9).
    if (!content.receive(flowLength)) return this.failFlow("of the connection")
    if (flowLength === 0 && !endStream && !this.spend("empty DATA")) return
    const stream = this.find(streamId, "DATA", endStream)
    if (stream === undefined) return this.absorb(streamId, flowLength)
    if (flowLength > 0 || endStream) flood.earn(1)
    if (stream.progress === "Head") {
      return this.fail("UnexpectedData", `DATA on stream ${streamId}, which has no response head yet`, "8.1")
    }
    if (stream.state === "HalfClosedRemote") return this.failClosed("DATA", streamId)
    if (!content.receiveFor(stream, flowLength, endStream)) return this.failFlow(`of stream ${streamId}`)
    this.dataStream = stream
    this.dataLength = flowLength
    this.dataContent = 0
    this.dataEnds = endStream
  }

  onDataBytes(bytes: Uint8Array, start: number, end: number): void {
    const stream = this.dataStream
    if (stream === undefined || stream.hasEnded) return
    this.onFrameOf(stream)
    this.dataContent += end - start
    stream.received += end - start
    if (stream.progress === "NoBody") {
      return this.failMessage(stream, malformed("UnexpectedContent", "content where the response has none", "8.1.1"))
    }
    if (stream.contentLength !== undefined && stream.received > stream.contentLength) {
      return this.failMessage(stream, this.wrongLength(stream))
    }
    this.owner.content.add(stream, bytes, start, end)
  }

  onDataEnd(): void {
    const stream = this.dataStream
    this.dataStream = undefined
    if (stream === undefined || stream.hasEnded) return
    if (this.dataEnds) return this.end(stream, noTrailers)
    if (this.dataLength > this.dataContent) this.owner.content.taken(stream, this.dataLength - this.dataContent)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // HEADERS
  // ---------------------------------------------------------------------------------------------------------------

  onHeaders(streamId: number, endStream: boolean, bytes: Uint8Array, start: number, end: number): void {
    // The table is the connection's: blocks that nobody wants are decoded too (RFC 9113 §4.3).
    const error = this.decoder.decode(bytes, start, end)
    if (error !== undefined) return this.owner.failConnection(error)
    const stream = this.find(streamId, "HEADERS", endStream)
    if (stream === undefined) {
      // Few can be on their way to a stream that was abandoned: some interim responses, a response head and trailers.
      this.spend("HEADERS of streams that are gone")
      return
    }
    if (stream.state === "HalfClosedRemote") return this.failClosed("HEADERS", streamId)
    this.owner.flood.earn(1)
    this.onFrameOf(stream)
    if (this.decoder.tooLarge) return this.failMessage(stream, this.tooLarge())
    if (stream.progress === "Head") this.onHead(stream, endStream)
    else this.onTrailers(stream, endStream)
  }

  private onHead(stream: Stream<E>, endStream: boolean): void {
    const { fields } = this.decoder
    const head = fields === this.lastFields ? this.sameHead(fields) : responseHead(fields)
    if ("_tag" in head) return this.failMessage(stream, head)
    if (fields !== this.lastFields) this.lastHead = undefined
    this.lastFields = fields
    const { status } = head
    if (status < 200) return this.onInformational(stream, head, endStream)
    const { content, now } = this.owner
    content.observe(now - stream.since)
    stream.since = now
    const { method } = stream.request
    if (method === "CONNECT" && status < 300) {
      stream.progress = "Tunnel"
    } else if (method === "HEAD" || status === 204 || status === 304) {
      stream.progress = "NoBody"
    } else {
      stream.progress = "Body"
      stream.contentLength = head.contentLength
      if (endStream && head.contentLength !== undefined && head.contentLength > 0) {
        return this.failMessage(stream, this.wrongLength(stream))
      }
    }
    stream.receiver.onHead(head)
    if (endStream && !stream.hasEnded) this.end(stream, noTrailers)
  }

  /** The fields are those of the head before. Each request gets a head of its own: what it does to it is nothing to others. */
  private sameHead(fields: ReadonlyArray<HeaderField>): ResponseHead | ProtocolError {
    const head = this.lastHead ?? responseHead(fields)
    if ("_tag" in head) return head
    this.lastHead = head
    return { status: head.status, rawHeaders: head.rawHeaders.slice(), contentLength: head.contentLength }
  }

  private onInformational(stream: Stream<E>, head: ResponseHead, endStream: boolean): void {
    const { maxInformationalSize } = this.owner.options
    if (endStream) {
      return this.failMessage(
        stream,
        malformed("UnexpectedEnd", `the stream ends with a response of ${head.status}, which is not final`, "8.1")
      )
    }
    stream.informationalBytes += this.decoder.listBytes
    if (stream.informationalBytes > maxInformationalSize) {
      return this.failMessage(
        stream,
        malformed(
          "InformationalTooLarge",
          `the interim responses before the final one are larger than maxInformationalSize, ${maxInformationalSize} bytes`,
          "8.1"
        )
      )
    }
    stream.receiver.onInformational(head)
  }

  private onTrailers(stream: Stream<E>, endStream: boolean): void {
    if (!endStream) {
      return this.failMessage(
        stream,
        malformed("UnexpectedHeaders", "HEADERS after the response head that do not end the stream", "8.1")
      )
    }
    const trailers = responseTrailers(this.decoder.fields)
    if ("_tag" in trailers) return this.failMessage(stream, trailers)
    this.end(stream, trailers)
  }

  private end(stream: Stream<E>, trailers: ReadonlyArray<string>): void {
    if (stream.contentLength !== undefined && stream.received !== stream.contentLength) {
      return this.failMessage(stream, this.wrongLength(stream))
    }
    this.owner.content.finish(stream)
    if (!stream.hasEnded) this.owner.onComplete(stream, trailers)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // All other frames
  // ---------------------------------------------------------------------------------------------------------------

  onRstStream(streamId: number, errorCode: number): void {
    const stream = this.owner.table.get(streamId)
    this.owner.liveness.onFrame()
    if (stream !== undefined) return this.owner.onReset(stream, errorCode)
    if (this.owner.table.absent(streamId) === "Idle") return this.failIdle("RST_STREAM", streamId)
    // It crossed the end of the stream.
    this.spend("RST_STREAM")
  }

  onSettings(entries: ReadonlyArray<number>): void {
    if (this.spend("SETTINGS")) this.owner.onSettings(entries)
  }

  onSettingsAck(): void {
    if (this.isBearable("SETTINGS")) this.owner.onSettingsAck()
  }

  onPing(high: number, low: number): void {
    if (this.spend("PING")) this.owner.outbound.pong(high, low)
  }

  onPingAck(high: number, low: number): void {
    if (this.spend("PING") && high === 0) this.owner.onPingAck(low)
  }

  onGoAway(lastStreamId: number, errorCode: number, bytes: Uint8Array, start: number, end: number): void {
    if (!this.spend("GOAWAY")) return
    this.owner.content.flush()
    this.owner.onGoAway({ lastStreamId, errorCode, debug: debugText(bytes, start, end) })
  }

  onWindowUpdate(streamId: number, increment: number): void {
    const { outbound, table } = this.owner
    if (!this.spend("WINDOW_UPDATE")) return
    if (streamId === 0) {
      if (increment === 0) return this.fail("InvalidWindowUpdate", "WINDOW_UPDATE of 0 for the connection", "6.9")
      if (!outbound.widen(increment)) this.failWindow("of the connection")
      return
    }
    const stream = table.get(streamId)
    if (stream === undefined) {
      if (table.absent(streamId) === "Idle") this.failIdle("WINDOW_UPDATE", streamId)
    } else if (stream.hasEnded) {
      return
    } else if (increment === 0) {
      this.failMessage(stream, malformed("InvalidWindowUpdate", `WINDOW_UPDATE of 0 for stream ${streamId}`, "6.9"))
    } else if (!outbound.widenStream(stream, increment)) {
      this.failMessage(stream, {
        ...malformed("WindowOverflow", `the window of stream ${streamId} is more than 2^31-1`, "6.9.1"),
        errorCode: ErrorCode.FLOW_CONTROL_ERROR
      })
    }
  }

  onIgnored(_streamId: number, _type: number): void {
    this.spend("frames without effect")
  }

  onStreamError(streamId: number, error: ProtocolError): void {
    const stream = this.owner.table.get(streamId)
    if (stream !== undefined && !stream.hasEnded) this.failMessage(stream, error)
    else this.spend("frames that are wrong")
  }

  onProgress(streamId: number): void {
    const stream = this.owner.table.get(streamId)
    if (stream === undefined || stream.hasEnded) return
    this.onFrameOf(stream)
    this.owner.content.flush()
    if (!stream.hasEnded) stream.receiver.onProgress()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // What goes wrong
  // ---------------------------------------------------------------------------------------------------------------

  /** The stream that such a frame is for; undefined if there is none that wants it, which may be an error. */
  private find(streamId: number, what: string, endStream: boolean): Stream<E> | undefined {
    const stream = this.owner.table.get(streamId)
    if (stream !== undefined) {
      if (!stream.hasEnded) return stream
      if (endStream) this.owner.onUnwantedEnd(stream)
      return undefined
    }
    switch (this.owner.table.absent(streamId)) {
      case "Idle":
        this.failIdle(what, streamId)
        return undefined
      case "Ended":
        this.failClosed(what, streamId)
        return undefined
      case "Absorbed":
        return undefined
    }
  }

  /** Nobody wants it any more, but it was on its way, as much as the stream's window let through. */
  private absorb(streamId: number, flowLength: number): void {
    const { content, table } = this.owner
    const stream = table.get(streamId)
    if (stream === undefined && table.absent(streamId) !== "Absorbed") return
    const fits = stream === undefined
      ? table.absorb(streamId, flowLength)
      : content.receiveFor(stream, flowLength, false)
    if (fits === false) this.failFlow(`of stream ${streamId}, which was reset`)
    else if (fits === undefined) this.spend("DATA of streams that are long gone")
  }

  private onFrameOf(stream: Stream<E>): void {
    const { liveness } = this.owner
    liveness.onFrame()
    liveness.onResponse()
    stream.mark = liveness.mark
  }

  private spend(what: string): boolean {
    this.owner.liveness.onFrame()
    return this.isBearable(what)
  }

  /** False if it was too much: the connection has ended. */
  private isBearable(what: string): boolean {
    if (this.owner.flood.spend()) return true
    this.owner.failConnection(
      connectionError(
        "Flood",
        ErrorCode.ENHANCE_YOUR_CALM,
        `too many frames that do nothing: ${what}`,
        "RFC 9113 §10.5"
      )
    )
    return false
  }

  private failMessage(stream: Stream<E>, error: ProtocolError): void {
    this.owner.content.finish(stream)
    if (!stream.hasEnded) this.owner.failMessage(stream, error)
  }

  private fail(code: ProtocolErrorCode, detail: string, section: string, errorCode: number = ErrorCode.PROTOCOL_ERROR) {
    this.owner.failConnection(connectionError(code, errorCode, detail, `RFC 9113 §${section}`))
  }

  private failIdle(what: string, streamId: number): void {
    this.fail("InvalidStreamId", `${what} on stream ${streamId}, which was never opened`, "5.1")
  }

  private failClosed(what: string, streamId: number): void {
    this.fail(
      "StreamClosed",
      `${what} on stream ${streamId}, which the server had ended`,
      "5.1",
      ErrorCode.STREAM_CLOSED
    )
  }

  private failFlow(of: string): void {
    this.fail("FlowControl", `DATA beyond the window ${of}`, "6.9.1", ErrorCode.FLOW_CONTROL_ERROR)
  }

  private failWindow(of: string): void {
    this.fail("WindowOverflow", `the window ${of} is more than 2^31-1`, "6.9.1", ErrorCode.FLOW_CONTROL_ERROR)
  }

  private wrongLength({ contentLength, received }: Stream<E>): ProtocolError {
    return malformed("WrongContentLength", `content-length is ${contentLength}, the content ${received} bytes`, "8.1.1")
  }

  private tooLarge(): ProtocolError {
    return malformed(
      "HeaderListTooLarge",
      `a header section of more than maxHeaderSize, ${this.owner.options.maxHeaderSize} bytes`,
      "6.5.2"
    )
  }
}
