import { ClosedStreams } from "./ClosedStreams.js"
import type { Stream } from "./Stream.js"

/** The last stream that a client can open (RFC 9113 §5.1.1). */
const lastStreamId = 2 ** 31 - 1

/** The streams of a connection: those that are open, and what is remembered of those that are not. */
export class StreamTable<E> {
  private readonly open = new Map<number, Stream<E>>()
  private readonly closed = new ClosedStreams()
  nextId = 1
  /** How many of them are stalled. */
  private stalled = 0

  get size(): number {
    return this.open.size
  }

  /** Whether the server is to do something about one of them: it is no use to wait for those that wait for their readers. */
  get isAwaited(): boolean {
    return this.open.size > this.stalled
  }

  setStalled(stream: Stream<E>, isStalled: boolean): void {
    if (stream.isStalled === isStalled) return
    stream.isStalled = isStalled
    this.stalled += isStalled ? 1 : -1
  }

  /** Whether the numbers of streams are used up. They are never used again. */
  get isExhausted(): boolean {
    return this.nextId > lastStreamId
  }

  values(): IterableIterator<Stream<E>> {
    return this.open.values()
  }

  /** Gives the stream its number. */
  add(stream: Stream<E>): void {
    stream.id = this.nextId
    this.nextId += 2
    this.open.set(stream.id, stream)
  }

  get(streamId: number): Stream<E> | undefined {
    return this.open.get(streamId)
  }

  /** What a number stands for that `get` does not have. */
  absent(streamId: number): "Idle" | "Absorbed" | "Ended" {
    if (streamId >= this.nextId) return "Idle"
    return this.closed.mayReceive(streamId, this.nextId - 2) ? "Absorbed" : "Ended"
  }

  /** Content has come for a number that is `Absorbed`. Whether its window let it: `undefined` if nobody remembers. */
  absorb(streamId: number, bytes: number): boolean | undefined {
    return this.closed.absorb(streamId, bytes, this.nextId - 2)
  }

  /** The server had ended its side in order, so that no frame of it may follow. */
  remove(stream: Stream<E>): void {
    this.setStalled(stream, false)
    this.open.delete(stream.id)
  }

  /** Frames of it may follow, and so many bytes of content. */
  removeReset(stream: Stream<E>, window: number): void {
    this.setStalled(stream, false)
    if (this.open.delete(stream.id)) this.closed.addReset(stream.id, window)
  }
}
