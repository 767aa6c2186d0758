import { ErrorCode } from "./ErrorCode.js"
import { SendWindow } from "./FlowWindow.js"
import * as frames from "./frames/FrameWriter.js"
import { OutputBuffer } from "./frames/OutputBuffer.js"
import { writeHeaders } from "./frames/writeHeaders.js"
import { HpackEncoder } from "./hpack/HpackEncoder.js"
import { ReadyStreams } from "./ReadyStreams.js"
import { ResetPacer } from "./ResetPacer.js"
import type { SessionOptions } from "./SessionOptions.js"
import { defaultWindow, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE, type PeerSettings } from "./Settings.js"
import type { Stream } from "./Stream.js"
import type { StreamTable } from "./StreamTable.js"

/** What it needs of its connection. */
export interface OutboundOwner<E> {
  readonly options: SessionOptions
  readonly peer: PeerSettings
  readonly table: StreamTable<E>
  readonly now: number
  readonly write: (bytes: Uint8Array) => void
  /** There is something to write. */
  readonly onOutput: () => void
  /** Whether a stream may be opened now. */
  readonly canOpen: boolean
  /** Its HEADERS are being written. */
  readonly onOpened: (stream: Stream<E>) => void
  /** The connection takes it no more. */
  readonly onNotSent: (stream: Stream<E>) => void
  /** A DATA frame was written. */
  readonly onFrame: () => void
  /** The RST_STREAM of a stream that was abandoned has been written. */
  readonly onResetWritten: (stream: Stream<E>) => void
  /** Our side of the stream is complete. */
  readonly onLocalEnd: (stream: Stream<E>) => void
  /** More waits to be written than any peer has reason to ask for. */
  readonly onTooMuchControl: () => void
}

/** Larger frames would make small requests wait. */
const maxDataFrame = 16 * 1024

/** Chunks from this size on are handed to the transport as they are; smaller ones are copied behind their frame's head. */
const referencedSize = 4 * 1024

/** Control frames that wait, because the peer takes nothing, at most. */
const maxControlFrames = 1000

/** What requests are due to be notified of. */
const Written = 1
const Sent = 2
const Drained = 4
/** Our side was the last to be complete: the stream is over, and its request is to know all the same. */
const Over = 8

/** All connections of the process write in one: a flush is one step. */
const output = new OutputBuffer()

/**
 * What is to be written, in the order of its importance: control frames, the HEADERS of all requests of the turn in the
 * order of their numbers, DATA in round robin. Header sections are encoded when they are written, because the other side
 * decodes them in that order; before that a request can still be taken back.
 */
export class Outbound<E> {
  private readonly encoder: HpackEncoder
  private readonly window = new SendWindow(defaultWindow)
  private idle: Array<Stream<E>> = []
  private readonly ready = new ReadyStreams<E>()
  /** Streams with something due. */
  private notified: Array<Stream<E>> = []
  private started = false
  private startCredit = 0
  private settingsAcks = 0
  private windowSetting = -1
  private connectionCredit = 0
  private credited: Array<Stream<E>> = []
  /** `high, low`, of PINGs to acknowledge. */
  private pongs: Array<number> = []
  private ping = 0
  /** `id, code` */
  private resets: Array<number> = []
  /** Streams that were abandoned, in order; their resets are paced. */
  private cancelled: Array<Stream<E>> = []
  private readonly pacer = new ResetPacer()
  /** When resets that wait for their turn may go on. */
  pacedUntil = Infinity
  /** Streams that were abandoned and still count as open. */
  lingering = 0

  constructor(private readonly owner: OutboundOwner<E>) {
    const { isSensitive } = owner.options
    this.encoder = new HpackEncoder(isSensitive === undefined ? {} : { isSensitive })
  }

  // ---------------------------------------------------------------------------------------------------------------
  // What is to be written
  // ---------------------------------------------------------------------------------------------------------------

  /** The connection preface, with credit for the connection's window. */
  start(credit: number): void {
    this.startCredit = credit
    this.owner.onOutput()
  }

  open(stream: Stream<E>): void {
    this.idle.push(stream)
    this.owner.onOutput()
  }

  /** Streams that nothing was written of. They are not opened any more. */
  takeIdle(): ReadonlyArray<Stream<E>> {
    const idle = this.idle
    this.idle = []
    return idle
  }

  /** The stream may have something to send. */
  touch(stream: Stream<E>): void {
    const { body } = stream
    if (stream.id === 0 || body === undefined || (stream.state !== "Open" && stream.state !== "HalfClosedRemote")) {
      return
    }
    if (body.size > 0 ? this.sendWindowOf(stream).available > 0 : body.ended) {
      this.ready.push(stream)
      this.owner.onOutput()
    }
  }

  acknowledgeSettings(): void {
    this.settingsAcks++
    this.onControl()
  }

  pong(high: number, low: number): void {
    this.pongs.push(high, low)
    this.onControl()
  }

  sendPing(number: number): void {
    this.ping = number
    this.onControl()
  }

  reset(streamId: number, errorCode: number): void {
    this.resets.push(streamId, errorCode)
    this.onControl()
  }

  cancel(stream: Stream<E>): void {
    this.cancelled.push(stream)
    this.owner.onOutput()
  }

  creditConnection(bytes: number): void {
    this.connectionCredit += bytes
    this.owner.onOutput()
  }

  creditStream(stream: Stream<E>, bytes: number): void {
    if (stream.credit === 0) this.credited.push(stream)
    stream.credit += bytes
    this.owner.onOutput()
  }

  announceWindow(size: number): void {
    this.windowSetting = size
    this.owner.onOutput()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Flow control on the server's side
  // ---------------------------------------------------------------------------------------------------------------

  /** False if the connection's window becomes larger than any may be. */
  widen(bytes: number): boolean {
    if (!this.window.widen(bytes)) return false
    if (!this.ready.isEmpty) this.owner.onOutput()
    return true
  }

  widenStream(stream: Stream<E>, bytes: number): boolean {
    if (!this.sendWindowOf(stream).widen(bytes)) return false
    this.touch(stream)
    return true
  }

  /** The server has another initial window, or another size of the table. False if a window becomes too large. */
  onSettings(windowChange: number): boolean {
    this.encoder.setPeerTableSize(this.owner.peer.headerTableSize)
    if (windowChange === 0) return true
    for (const stream of this.owner.table.values()) {
      if (stream.sendWindow !== undefined && !stream.sendWindow.widen(windowChange)) return false
      this.touch(stream)
    }
    return true
  }

  private sendWindowOf(stream: Stream<E>): SendWindow {
    return stream.sendWindow ??= new SendWindow(this.owner.peer.initialWindow)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Writing
  // ---------------------------------------------------------------------------------------------------------------

  /** Writes while the transport has room. Whether more waits for room. */
  flush(room: number): boolean {
    if (room <= 0) return this.hasWork
    if (!this.started) this.writePreface()
    this.writeControl()
    this.writeResets()
    const unsent = this.openIdle()
    const isFull = this.writeData(room - output.length)
    if (output.length > 0) this.owner.write(output.take())
    this.notify()
    if (unsent !== undefined) { for (const stream of unsent) this.owner.onNotSent(stream) }
    return isFull
  }

  /** Ends the connection. What waits is not written any more. */
  writeGoAway(errorCode: number, debug: string): void {
    if (!this.started) this.writePreface()
    frames.writeGoAway(output, 0, errorCode, debug)
    this.owner.write(output.take())
  }

  /** Resets that have waited for their turn may go on. */
  resumeResets(): void {
    this.pacedUntil = Infinity
    this.owner.onOutput()
  }

  private get hasWork(): boolean {
    return this.idle.length > 0 || !this.ready.isEmpty || this.controlFrames > 0 || this.cancelled.length > 0 ||
      this.credited.length > 0 || this.connectionCredit > 0 || this.windowSetting >= 0 || !this.started
  }

  private get controlFrames(): number {
    return this.settingsAcks + this.pongs.length / 2 + this.resets.length / 2 + (this.ping === 0 ? 0 : 1)
  }

  private onControl(): void {
    if (this.controlFrames > maxControlFrames) return this.owner.onTooMuchControl()
    this.owner.onOutput()
  }

  private writePreface(): void {
    const { initialWindowSize, maxHeaderSize } = this.owner.options
    this.started = true
    frames.writePreface(output)
    frames.writeSettings(output, [
      ENABLE_PUSH,
      0,
      INITIAL_WINDOW_SIZE,
      initialWindowSize,
      MAX_HEADER_LIST_SIZE,
      maxHeaderSize
    ])
    if (this.startCredit > 0) frames.writeWindowUpdate(output, 0, this.startCredit)
  }

  private writeControl(): void {
    for (; this.settingsAcks > 0; this.settingsAcks--) frames.writeSettingsAck(output)
    if (this.windowSetting >= 0) {
      frames.writeSettings(output, [INITIAL_WINDOW_SIZE, this.windowSetting])
      this.windowSetting = -1
    }
    const { pongs, resets } = this
    for (let i = 0; i < pongs.length; i += 2) frames.writePing(output, true, pongs[i], pongs[i + 1])
    pongs.length = 0
    if (this.ping !== 0) frames.writePing(output, false, 0, this.ping)
    this.ping = 0
    for (let i = 0; i < resets.length; i += 2) frames.writeRstStream(output, resets[i], resets[i + 1])
    resets.length = 0
    if (this.connectionCredit > 0) frames.writeWindowUpdate(output, 0, this.connectionCredit)
    this.connectionCredit = 0
    if (this.credited.length > 0) this.writeCredits()
  }

  private writeCredits(): void {
    const credited = this.credited
    this.credited = []
    for (const stream of credited) {
      if (!stream.hasEnded) frames.writeWindowUpdate(output, stream.id, stream.credit)
      stream.credit = 0
    }
  }

  private writeResets(): void {
    const { cancelled, owner } = this
    let done = 0
    this.pacedUntil = Infinity
    for (; done < cancelled.length; done++) {
      const stream = cancelled[done]
      // The server has ended it meanwhile.
      if (stream.state !== "Cancelled") continue
      if (!this.pacer.take(owner.now)) {
        this.pacedUntil = this.pacer.nextAt
        break
      }
      frames.writeRstStream(output, stream.id, ErrorCode.CANCEL)
      owner.onResetWritten(stream)
    }
    if (done > 0) this.cancelled = cancelled.slice(done)
    this.lingering = this.cancelled.length
  }

  /** Returns those that the connection does not take any more. */
  private openIdle(): Array<Stream<E>> | undefined {
    const idle = this.idle
    if (idle.length === 0) return undefined
    this.idle = []
    let unsent: Array<Stream<E>> | undefined = undefined
    for (const stream of idle) {
      // It was abandoned before anybody knew of it.
      if (stream.hasEnded) continue
      if (!this.owner.canOpen || !this.writeHead(stream)) (unsent ??= []).push(stream)
    }
    return unsent
  }

  private writeHead(stream: Stream<E>): boolean {
    const { owner } = this
    const { body, fields } = stream
    const endStream = body === undefined
    if (
      fields === undefined ||
      !writeHeaders(output, this.encoder, owner.table.nextId, fields, endStream, owner.peer.maxFrameSize)
    ) return false
    stream.fields = undefined
    stream.written = true
    stream.state = "Open"
    owner.table.add(stream)
    owner.onOpened(stream)
    if (body === undefined) {
      this.endLocal(stream)
      return true
    }
    if (body.size > 0 || body.ended) this.ready.push(stream)
    // Who waits for the head to be written before anything of the body is read goes on.
    if (!body.ended && body.hasRoom) this.due(stream, Drained)
    return true
  }

  /** Whether the transport has no room for what is left. */
  private writeData(room: number): boolean {
    let left = room
    let waiting: Array<Stream<E>> | undefined = undefined
    while (left > 0) {
      const stream = this.ready.shift()
      if (stream === undefined) break
      const body = stream.body
      if (body === undefined || (stream.state !== "Open" && stream.state !== "HalfClosedRemote")) continue
      if (body.size > 0 && this.window.available <= 0) {
        ;(waiting ??= []).push(stream)
      } else {
        left -= this.writeFrame(stream)
      }
    }
    const isFull = !this.ready.isEmpty
    if (waiting !== undefined) { for (const stream of waiting) this.ready.push(stream) }
    return isFull
  }

  /** Writes one DATA frame of the stream, if its window lets it. Returns its size. */
  private writeFrame(stream: Stream<E>): number {
    const { owner } = this
    const body = stream.body!
    const window = this.sendWindowOf(stream)
    let length = Math.min(body.size, maxDataFrame, this.window.available, window.available)
    if (length <= 0 && body.size > 0) return 0
    const isReferenced = body.firstLength >= referencedSize
    if (isReferenced) length = Math.min(length, body.firstLength)
    const isLast = body.ended && length === body.size
    const endStream = isLast && body.trailers === undefined
    if (length > 0 || endStream) {
      frames.writeDataHead(output, stream.id, length, endStream)
      if (isReferenced) {
        owner.write(output.take())
        owner.write(body.takeFirst(length))
      } else {
        output.ensure(length)
        body.copyTo(output, length)
      }
      this.window.take(length)
      window.take(length)
      owner.onFrame()
      this.due(stream, Written)
    }
    if (isLast) {
      if (body.trailers !== undefined) {
        writeHeaders(output, this.encoder, stream.id, body.trailers, true, owner.peer.maxFrameSize)
      }
      this.endLocal(stream)
    } else if (body.size > 0 && window.available > 0) {
      this.ready.push(stream)
    }
    if (body.isFull && body.hasRoom) this.due(stream, Drained)
    return length
  }

  private endLocal(stream: Stream<E>): void {
    this.due(stream, stream.state === "HalfClosedRemote" ? Sent | Over : Sent)
    this.owner.onLocalEnd(stream)
  }

  private due(stream: Stream<E>, what: number): void {
    if (stream.due === 0) this.notified.push(stream)
    stream.due |= what
  }

  /** What was written is with the transport now. */
  private notify(): void {
    if (this.notified.length === 0) return
    const notified = this.notified
    this.notified = []
    for (const stream of notified) {
      const due = stream.due
      stream.due = 0
      if ((due & Sent) !== 0) {
        stream.sent = true
        if (!stream.hasEnded || (due & Over) !== 0) stream.receiver.onSent()
      } else if (!stream.hasEnded) {
        if ((due & Drained) !== 0 && stream.body !== undefined) {
          stream.body.isFull = false
          stream.receiver.onDrain()
        } else if ((due & Written) !== 0) {
          stream.receiver.onWritten()
        }
      }
    }
  }
}
