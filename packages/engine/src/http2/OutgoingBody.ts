import type { ByteSink } from "./frames/ByteSink.js"

/** With less than this waiting there is room for another chunk. */
const highWaterMark = 64 * 1024

/** What is still to be sent of a request's content, in the chunks that it came in. */
export class OutgoingBody {
  private readonly chunks: Array<Uint8Array> = []
  /** Up to here the first chunk has been taken. */
  private offset = 0
  size = 0
  /** Nothing is added any more. */
  ended = false
  /** What is sent after the content, flat. */
  trailers: Array<string> | undefined = undefined
  /** Whether somebody waits until there is room. */
  isFull = false

  /** False: there is no room for more. */
  push(bytes: Uint8Array): boolean {
    if (bytes.length > 0) {
      this.chunks.push(bytes)
      this.size += bytes.length
    }
    this.isFull = this.size >= highWaterMark
    return !this.isFull
  }

  get hasRoom(): boolean {
    return this.size < highWaterMark
  }

  /** What is left of the first chunk. */
  get firstLength(): number {
    return this.chunks.length === 0 ? 0 : this.chunks[0].length - this.offset
  }

  /** Takes so many bytes of the first chunk, without copying them. */
  takeFirst(length: number): Uint8Array {
    const first = this.chunks[0]
    const taken = first.subarray(this.offset, this.offset + length)
    this.advance(length)
    return taken
  }

  /** Copies the next bytes, of several chunks if they are small. There is room for them in the sink. */
  copyTo(sink: ByteSink, length: number): void {
    let left = length
    while (left > 0) {
      const step = Math.min(left, this.firstLength)
      sink.bytes.set(this.chunks[0].subarray(this.offset, this.offset + step), sink.end)
      sink.end += step
      left -= step
      this.advance(step)
    }
  }

  private advance(length: number): void {
    this.size -= length
    this.offset += length
    if (this.offset < this.chunks[0].length) return
    this.offset = 0
    this.chunks.shift()
  }
}
