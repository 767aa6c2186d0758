import { ErrorCode } from "../ErrorCode.js"
import type { ProtocolError } from "../ProtocolError.js"
import { connectionError, streamError } from "../ProtocolError.js"
import { quoteBytes } from "../quote.js"
import { checkFrameHead } from "./checkFrameHead.js"
import type { FrameHandler } from "./FrameHandler.js"
import * as FrameType from "./FrameType.js"
import { HeaderBlock } from "./HeaderBlock.js"

export interface FrameReaderOptions {
  /** Our SETTINGS_MAX_FRAME_SIZE, in octets. */
  readonly maxFrameSize: number
  /** The octets of one header block, encoded, that are accepted over all of its frames. */
  readonly maxHeaderBlockBytes: number
}

/** What the next octet belongs to. */
const Head = 0
/** A payload that is of use only when it is complete. */
const Payload = 1
const PadLength = 2
const Content = 3
const Padding = 4
/** A payload of no use. */
const Ignored = 5
const Stopped = 6

/** As much of a peer that speaks another protocol as a message quotes: a status line, a banner. */
const quotable = 24

const { frameHeadBytes } = FrameType

const uint31 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] & 0x7f) << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]

const uint32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]) >>> 0

/**
 * Turns the octets that a client receives on one connection into frames. It makes the same events of the same octets
 * however they are split, and holds nothing between calls but a frame or a header block that is incomplete. DATA is never
 * held.
 */
export class FrameReader {
  private state = Head
  private failure: ProtocolError | undefined = undefined
  /** The server's SETTINGS have begun: its connection preface (RFC 9113 §3.4). */
  private prefaced = false
  private readonly head = new Uint8Array(frameHeadBytes)
  private headEnd = 0

  private type = 0
  private flags = 0
  private streamId = 0
  /** Octets of the payload that are still to come; of DATA without its padding. */
  private remaining = 0
  private padding = 0
  /** The payload, while it is incomplete and `state` is `Payload`. */
  private held: Uint8Array | undefined = undefined

  private readonly block: HeaderBlock

  constructor(private readonly handler: FrameHandler, private readonly options: FrameReaderOptions) {
    this.block = new HeaderBlock(options.maxHeaderBlockBytes)
  }

  /** Whether the frame that began last is incomplete, or a header block is. */
  get midFrame(): boolean {
    return this.state === Head ? this.headEnd > 0 || this.block.streamId !== 0 : this.state !== Stopped
  }

  /** What has been received, quoted, while it is too little to be a frame; for a connection that ends there. */
  get firstBytes(): string | undefined {
    return this.prefaced ? undefined : quoteBytes(this.head, 0, this.headEnd, quotable)
  }

  /** No more events, whatever input there is. */
  stop(): void {
    this.state = Stopped
    this.held = undefined
    this.block.finish()
  }

  /** Takes in `bytes[start, end)`. Returns why the connection cannot go on, if so; every later call returns the same. */
  execute(bytes: Uint8Array, start: number, end: number): ProtocolError | undefined {
    let i = start
    while (i < end) {
      switch (this.state) {
        case Head:
          i = this.readHead(bytes, i, end)
          break
        case Payload:
          i = this.readPayload(bytes, i, end)
          break
        case PadLength:
          i = this.readPadLength(bytes, i)
          break
        case Content:
          i = this.readContent(bytes, i, end)
          break
        case Stopped:
          return this.failure
        default:
          i = this.skip(i, end)
      }
    }
    // What begins as no SETTINGS frame is no HTTP/2: the rest of its first nine octets may never come.
    if (!this.prefaced && this.headEnd > 0 && !mayBeSettings(this.head, this.headEnd)) {
      this.fail(notSettings(this.head, 0, this.headEnd), end)
    }
    if (start < end) this.reportProgress()
    return this.failure
  }

  private readHead(bytes: Uint8Array, start: number, end: number): number {
    // A head that lies in the input as a whole is read where it lies.
    if (this.headEnd === 0 && end - start >= frameHeadBytes) return this.begin(bytes, start, bytes, start, end)
    const from = start
    const stop = Math.min(end, start + frameHeadBytes - this.headEnd)
    let i = from
    while (i < stop) this.head[this.headEnd++] = bytes[i++]
    if (this.headEnd < frameHeadBytes) return i
    this.headEnd = 0
    return this.begin(this.head, 0, bytes, i - frameHeadBytes, end)
  }

  /** `head[at, at + 9)` is a frame's head; in the input, it ends at `start + 9`. Returns where to read on. */
  private begin(head: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): number {
    const length = head[at] << 16 | head[at + 1] << 8 | head[at + 2]
    const type = this.type = head[at + 3]
    const flags = this.flags = head[at + 4]
    const streamId = this.streamId = uint31(head, at + 5)
    const from = start + frameHeadBytes
    const failure = this.checkOrder(head, at, bytes, end) ??
      checkFrameHead(type, length, flags, streamId, this.options.maxFrameSize)
    if (failure !== undefined) return this.fail(failure, from)
    this.remaining = length
    switch (type) {
      case FrameType.DATA:
        return this.beginData(length, from)
      case FrameType.HEADERS:
        this.block.begin(streamId, (flags & FrameType.END_STREAM) !== 0)
        return this.beginFragment(bytes, from, end)
      case FrameType.CONTINUATION:
        return this.beginFragment(bytes, from, end)
      case FrameType.RST_STREAM:
      case FrameType.SETTINGS:
      case FrameType.PING:
      case FrameType.GOAWAY:
      case FrameType.WINDOW_UPDATE:
        return this.beginPayload(bytes, from, end)
      default:
        return this.beginIgnored(length, from)
    }
  }

  /** What comes first, and what may stand within a header block. */
  private checkOrder(
    head: Uint8Array,
    at: number,
    bytes: Uint8Array,
    end: number
  ): ProtocolError | undefined {
    if (!this.prefaced) {
      // A status line or a banner says more than its first nine octets, so what came with them is quoted too.
      if (this.type !== FrameType.SETTINGS || (this.flags & FrameType.ACK) !== 0 || this.streamId !== 0) {
        return head === bytes ? notSettings(bytes, at, end) : notSettings(head, at, at + frameHeadBytes)
      }
      this.prefaced = true
      return undefined
    }
    const open = this.block.streamId
    if (
      open === 0
        ? this.type !== FrameType.CONTINUATION
        : this.type === FrameType.CONTINUATION && this.streamId === open
    ) {
      return undefined
    }
    return connectionError(
      "InvalidContinuation",
      ErrorCode.PROTOCOL_ERROR,
      open === 0
        ? `CONTINUATION on stream ${this.streamId} without a header block that it continues`
        : `${FrameType.frameTypeName(this.type)} on stream ${this.streamId} within the header block of stream ${open}`,
      "RFC 9113 §6.10"
    )
  }

  private beginData(length: number, from: number): number {
    const padded = (this.flags & FrameType.PADDED) !== 0
    this.padding = 0
    this.state = padded ? PadLength : Content
    this.handler.onDataHead(this.streamId, length, (this.flags & FrameType.END_STREAM) !== 0)
    if (!padded) this.endContent()
    return from
  }

  private readPadLength(bytes: Uint8Array, i: number): number {
    this.padding = bytes[i]
    this.remaining -= 1 + this.padding
    if (this.remaining < 0) return this.fail(this.tooMuchPadding("RFC 9113 §6.1"), i)
    this.state = Content
    this.endContent()
    return i + 1
  }

  private readContent(bytes: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + this.remaining)
    this.remaining -= stop - start
    this.handler.onDataBytes(bytes, start, stop)
    this.endContent()
    return stop
  }

  /** Goes on to the padding, or to the next frame, when there is no more content. */
  private endContent(): void {
    if (this.state !== Content || this.remaining > 0) return
    if (this.padding > 0) {
      this.state = Padding
      this.remaining = this.padding
    } else {
      this.state = Head
      this.handler.onDataEnd()
    }
  }

  private beginIgnored(length: number, from: number): number {
    this.state = length === 0 ? Head : Ignored
    if (this.type === FrameType.PRIORITY && length !== 5) {
      this.handler.onStreamError(
        this.streamId,
        streamError(
          "InvalidFrameSize",
          ErrorCode.FRAME_SIZE_ERROR,
          `PRIORITY has a payload of ${length} octets; it has 5`,
          "RFC 9113 §6.3"
        )
      )
    } else {
      this.handler.onIgnored(this.streamId, this.type)
    }
    return from
  }

  private skip(start: number, end: number): number {
    const stop = Math.min(end, start + this.remaining)
    this.remaining -= stop - start
    if (this.remaining === 0) {
      const ofData = this.state === Padding
      this.state = Head
      if (ofData) this.handler.onDataEnd()
    }
    return stop
  }

  private beginFragment(bytes: Uint8Array, from: number, end: number): number {
    const tooLarge = this.block.expect(this.remaining)
    return tooLarge === undefined ? this.beginPayload(bytes, from, end) : this.fail(tooLarge, from)
  }

  private beginPayload(bytes: Uint8Array, from: number, end: number): number {
    const stop = from + this.remaining
    if (stop <= end) {
      this.complete(bytes, from, stop)
      return stop
    }
    this.state = Payload
    this.held = new Uint8Array(this.remaining)
    return from
  }

  private readPayload(bytes: Uint8Array, start: number, end: number): number {
    const held = this.held!
    const stop = Math.min(end, start + this.remaining)
    held.set(bytes.subarray(start, stop), held.length - this.remaining)
    this.remaining -= stop - start
    if (this.remaining === 0) {
      this.state = Head
      this.held = undefined
      this.complete(held, 0, held.length)
    }
    return stop
  }

  /** `bytes[start, end)` is the payload of the current frame. */
  private complete(bytes: Uint8Array, start: number, end: number): void {
    switch (this.type) {
      case FrameType.HEADERS:
        return this.completeHeaders(bytes, start, end)
      case FrameType.CONTINUATION:
        return this.completeContinuation(bytes, start, end)
      case FrameType.RST_STREAM:
        return this.handler.onRstStream(this.streamId, uint32(bytes, start))
      case FrameType.SETTINGS:
        return (this.flags & FrameType.ACK) !== 0
          ? this.handler.onSettingsAck()
          : this.handler.onSettings(settingsOf(bytes, start, end))
      case FrameType.PING:
        return (this.flags & FrameType.ACK) !== 0
          ? this.handler.onPingAck(uint32(bytes, start), uint32(bytes, start + 4))
          : this.handler.onPing(uint32(bytes, start), uint32(bytes, start + 4))
      case FrameType.GOAWAY:
        return this.handler.onGoAway(uint31(bytes, start), uint32(bytes, start + 4), bytes, start + 8, end)
      default:
        return this.handler.onWindowUpdate(this.streamId, uint31(bytes, start))
    }
  }

  private completeHeaders(bytes: Uint8Array, start: number, end: number): void {
    const padded = (this.flags & FrameType.PADDED) !== 0
    const from = start + (padded ? 1 : 0) + ((this.flags & FrameType.PRIORITY_FIELDS) !== 0 ? 5 : 0)
    const to = padded ? end - bytes[start] : end
    if (from > to) {
      this.fail(this.tooMuchPadding("RFC 9113 §6.2"), end)
      return
    }
    const { block, streamId } = this
    if ((this.flags & FrameType.END_HEADERS) === 0) return block.append(bytes, from, to)
    block.finish()
    this.handler.onHeaders(streamId, block.endStream, bytes, from, to)
  }

  private completeContinuation(bytes: Uint8Array, start: number, end: number): void {
    const { block, streamId } = this
    block.append(bytes, start, end)
    if ((this.flags & FrameType.END_HEADERS) === 0) return
    const whole = block.bytes
    block.finish()
    this.handler.onHeaders(streamId, block.endStream, whole, 0, block.end)
  }

  private tooMuchPadding(section: string): ProtocolError {
    return connectionError(
      "InvalidPadding",
      ErrorCode.PROTOCOL_ERROR,
      `${FrameType.frameTypeName(this.type)} on stream ${this.streamId} has more padding than payload`,
      section
    )
  }

  /** Reported once for each input, not for each octet: time is for the handler to measure. */
  private reportProgress(): void {
    if (this.block.streamId !== 0) this.handler.onProgress(this.block.streamId)
  }

  private fail(why: ProtocolError, at: number): number {
    this.failure = why
    this.stop()
    return at
  }
}

/** Whether the head of a SETTINGS frame begins so, which is no ACK. */
const mayBeSettings = (head: Uint8Array, end: number): boolean => {
  if (head[0] !== 0 || (end > 3 && head[3] !== FrameType.SETTINGS)) return false
  if (end > 4 && (head[4] & FrameType.ACK) !== 0) return false
  return end <= 5 || (head[5] & 0x7f) === 0 && head.subarray(6, end).every((octet) => octet === 0)
}

const notSettings = (bytes: Uint8Array, start: number, end: number): ProtocolError =>
  connectionError(
    "InvalidPreface",
    ErrorCode.PROTOCOL_ERROR,
    `The first octets are ${quoteBytes(bytes, start, end, quotable)}, which is no SETTINGS frame`,
    "RFC 9113 §3.4"
  )

const settingsOf = (bytes: Uint8Array, start: number, end: number): ReadonlyArray<number> => {
  const entries: Array<number> = []
  for (let i = start; i < end; i += 6) entries.push(bytes[i] << 8 | bytes[i + 1], uint32(bytes, i + 2))
  return entries
}
