import type { Stream } from "./Stream.js"

/** The streams that have something to send and may, in round robin: one frame each. A list that costs no memory. */
export class ReadyStreams<E> {
  private first: Stream<E> | undefined = undefined
  private last: Stream<E> | undefined = undefined

  get isEmpty(): boolean {
    return this.first === undefined
  }

  /** At the end, unless it is there already. */
  push(stream: Stream<E>): void {
    if (stream.isReady) return
    stream.isReady = true
    if (this.last === undefined) this.first = stream
    else this.last.next = stream
    this.last = stream
  }

  shift(): Stream<E> | undefined {
    const stream = this.first
    if (stream === undefined) return undefined
    this.first = stream.next
    if (this.first === undefined) this.last = undefined
    stream.next = undefined
    stream.isReady = false
    return stream
  }
}
