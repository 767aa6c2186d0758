import type { BufferedBytes, Relief } from "./BufferedBytes.js"
import { type ContentSink, DataJoiner } from "./DataJoiner.js"
import { ReceiveWindow } from "./FlowWindow.js"
import { HeldData } from "./HeldData.js"
import type { SessionOptions } from "./SessionOptions.js"
import { defaultWindow } from "./Settings.js"
import type { Stream } from "./Stream.js"
import type { StreamTable } from "./StreamTable.js"

/** What it needs of its connection. */
export interface ContentOwner<E> {
  readonly options: SessionOptions
  readonly table: StreamTable<E>
  readonly buffered: BufferedBytes
  readonly allocate: (size: number) => Uint8Array
  /** The time of the read, or of the request's call, that is being handled. */
  readonly now: number
  readonly creditConnection: (bytes: number) => void
  readonly creditStream: (stream: Stream<E>, bytes: number) => void
  /** The initial window of streams is to be this from now on. */
  readonly announceWindow: (size: number) => void
}

/** The initial window of streams while too much waits for its readers. */
const crowdedWindow = 64 * 1024

/** A peer that sends a byte at a time fills blocks of this size, rather than an array for each byte. */
const leastBlock = 16 * 1024

/**
 * The content of responses, and flow control on our side. The connection's window is given back as bytes arrive, so that
 * a response that nobody reads holds up no other, but never beyond what may wait for its readers; the window of a stream
 * as its reader takes them, and it grows for readers that keep up.
 */
export class InboundContent<E> implements ContentSink<E>, Relief {
  private readonly joiner: DataJoiner<E>
  private readonly connection = new ReceiveWindow(defaultWindow)
  /** What was received since the connection's window was looked at: what of it waits for readers is known afterwards. */
  private uncredited = 0
  /** The initial window that the server uses, and those that were announced and it has not acknowledged. */
  private initialWindow: number
  private readonly announced: Array<number> = []
  private announcedLast: number
  /** The shortest round trip seen, in milliseconds. */
  private roundTrip = Infinity

  constructor(private readonly owner: ContentOwner<E>) {
    this.joiner = new DataJoiner(owner.allocate, this)
    // Our SETTINGS are read before any request of ours.
    this.initialWindow = this.announcedLast = owner.options.initialWindowSize
  }

  /** What is added to the connection's window at the start. */
  start(): number {
    const size = this.owner.options.connectionWindowSize
    this.announced.push(this.initialWindow)
    return size > defaultWindow ? this.connection.grow(size) : 0
  }

  /** The server has applied the oldest of our SETTINGS that it had not. False if there was none. */
  onSettingsAcknowledged(): boolean {
    const size = this.announced.shift()
    if (size === undefined) return false
    const change = size - this.initialWindow
    this.initialWindow = size
    if (change !== 0) {
      for (const stream of this.owner.table.values()) {
        stream.receiveWindow?.shift(change)
        if (change > 0) this.owner.table.setStalled(stream, false)
      }
    }
    this.relieve()
    return true
  }

  /** The time between a request and its response, or our SETTINGS and their acknowledgement, bounds the round trip. */
  observe(milliseconds: number): void {
    if (milliseconds < this.roundTrip) this.roundTrip = milliseconds
  }

  /** DATA has come, for whichever stream. False if it is more than the connection's window. */
  receive(flowLength: number): boolean {
    if (!this.connection.receive(flowLength)) return false
    this.uncredited += flowLength
    return true
  }

  private creditConnection(): void {
    const bytes = this.uncredited
    this.uncredited = 0
    const { buffered, options: { pooledBytes } } = this.owner
    const room = pooledBytes === undefined ? buffered.room : Math.min(buffered.room, pooledBytes.room)
    const credit = this.connection.take(bytes, room)
    if (credit > 0) this.owner.creditConnection(credit)
    if (this.connection.isDue) (buffered.room > room ? pooledBytes! : buffered).onceLess(this)
  }

  /** There is more room for what waits for its readers. */
  onRelief(): void {
    this.creditConnection()
    this.relieve()
    const { initialWindowSize, pooledBytes } = this.owner.options
    if (this.announcedLast < initialWindowSize && pooledBytes?.isRelaxed === false) pooledBytes.onceLess(this)
  }

  /** The same for a stream and its window. */
  receiveFor(stream: Stream<E>, flowLength: number, endsStream: boolean): boolean {
    if (stream.receiveWindow === undefined) {
      if (endsStream) return flowLength <= this.initialWindow
      stream.receiveWindow = new ReceiveWindow(this.initialWindow)
    }
    const window = stream.receiveWindow
    const isAllowed = window.receive(flowLength)
    if (window.available === 0 && stream.state === "HalfClosedLocal") this.owner.table.setStalled(stream, true)
    return isAllowed
  }

  /** Content of DATA that was received. The bytes stay as they are until `flush`. */
  add(stream: Stream<E>, bytes: Uint8Array, start: number, end: number): void {
    // What is held comes first.
    if (stream.held !== undefined) this.onHold(stream, bytes, start, end)
    else this.joiner.add(stream, bytes, start, end)
  }

  /** A read is over. `more`: others may follow in this turn, at the end of which there is a `flush`. */
  endOfRead(more: boolean): void {
    if (more) this.joiner.keep()
    else this.flush()
  }

  /** Whether something waits for `flush`. */
  get isPending(): boolean {
    return this.joiner.isPending || this.uncredited > 0
  }

  /** Delivers what has come. */
  flush(): void {
    this.joiner.flush()
    if (this.uncredited > 0) this.creditConnection()
  }

  /** What the server may still send of a stream that it has not ended. */
  left(stream: Stream<E>): number {
    // It may have applied what it has not acknowledged.
    const change = Math.max(0, ...this.announced.map((size) => size - this.initialWindow))
    return (stream.receiveWindow?.available ?? this.initialWindow) + change
  }

  /** The stream ends, in whichever way: what has come of it is delivered first, whether its reader is ready or not. */
  finish(stream: Stream<E>): void {
    stream.receiveWindow?.close()
    this.joiner.flush()
    while (stream.held !== undefined && !stream.hasEnded) this.deliver(stream)
  }

  /** Its reader is ready again. */
  resume(stream: Stream<E>): void {
    while (stream.held !== undefined && !stream.isPaused && !stream.hasEnded) this.deliver(stream)
  }

  /** Nobody wants what is held. */
  drop(stream: Stream<E>): void {
    if (stream.held === undefined) return
    this.release(stream.held.size)
    stream.held = undefined
    this.relieve()
  }

  onChunk(stream: Stream<E>, chunk: Uint8Array): void {
    stream.receiver.onData(chunk)
    this.taken(stream, chunk.length)
  }

  onHold(stream: Stream<E>, bytes: Uint8Array, start: number, end: number): void {
    stream.held ??= new HeldData(this.owner.allocate, leastBlock)
    stream.held.add(bytes, start, end)
    this.onHeld(end - start)
  }

  onHoldOwned(stream: Stream<E>, bytes: Uint8Array): void {
    stream.held ??= new HeldData(this.owner.allocate, leastBlock)
    stream.held.addOwned(bytes)
    this.onHeld(bytes.length)
  }

  private onHeld(bytes: number): void {
    const { buffered, options } = this.owner
    buffered.add(bytes)
    options.pooledBytes?.add(bytes)
    if (this.announcedLast > crowdedWindow && this.isCrowded) {
      this.announce(crowdedWindow)
      // Others may be who reads.
      options.pooledBytes?.onceLess(this)
    }
  }

  /** Bytes of the stream are out of the way: its reader has them, or they were padding. */
  taken(stream: Stream<E>, bytes: number): void {
    const window = stream.receiveWindow
    if (window === undefined || stream.hasEnded) return
    let credit = window.take(bytes)
    if (credit === 0) return
    this.owner.table.setStalled(stream, false)
    const { now, options } = this.owner
    // A reader that has taken half a window within two round trips waits for the window, not the window for it.
    const keepsUp = !stream.isPaused && now - stream.since <= 2 * this.roundTrip
    if (keepsUp && window.size < options.maxWindowSize && !this.isCrowded) {
      credit += window.grow(Math.min(2 * window.size, options.maxWindowSize))
    }
    stream.since = now
    this.owner.creditStream(stream, credit)
  }

  private deliver(stream: Stream<E>): void {
    const chunk = stream.held?.shift()
    if (chunk === undefined) {
      stream.held = undefined
      return
    }
    this.release(chunk.length)
    if (stream.held?.size === 0) stream.held = undefined
    this.relieve()
    this.onChunk(stream, chunk)
  }

  private get isCrowded(): boolean {
    return this.owner.buffered.isCrowded || this.owner.options.pooledBytes?.isCrowded === true
  }

  private release(bytes: number): void {
    this.owner.buffered.remove(bytes)
    this.owner.options.pooledBytes?.remove(bytes)
  }

  /** Gives new streams their usual window again, one change of the settings after the other. */
  private relieve(): void {
    const { buffered, options } = this.owner
    if (this.announcedLast >= options.initialWindowSize || this.announced.length > 0) return
    if (buffered.isRelaxed && options.pooledBytes?.isRelaxed !== false) this.announce(options.initialWindowSize)
  }

  private announce(size: number): void {
    this.announcedLast = size
    this.announced.push(size)
    this.owner.announceWindow(size)
  }
}
