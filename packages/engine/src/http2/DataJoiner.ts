import type { Stream } from "./Stream.js"

/** Takes the content of streams that have not ended. */
export interface ContentSink<E> {
  /** For good. */
  readonly onChunk: (stream: Stream<E>, chunk: Uint8Array) => void
  /** The reader takes nothing: `bytes[start, end)` is to be copied. */
  readonly onHold: (stream: Stream<E>, bytes: Uint8Array, start: number, end: number) => void
}

/**
 * Joins the content of DATA frames that follow each other in one read and belong to one stream: a step of a reader costs
 * more than a copy, and a large body comes in frames of 16 KiB.
 */
export class DataJoiner<E> {
  private stream: Stream<E> | undefined = undefined
  private bytes: Uint8Array = nothing
  private readonly starts: Array<number> = []
  private readonly ends: Array<number> = []
  private count = 0
  private size = 0

  constructor(
    private readonly allocate: (size: number) => Uint8Array,
    private readonly sink: ContentSink<E>
  ) {}

  /** The bytes stay as they are until `flush`. */
  add(stream: Stream<E>, bytes: Uint8Array, start: number, end: number): void {
    if (this.stream !== stream) this.flush()
    this.stream = stream
    this.bytes = bytes
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.count++
    this.size += end - start
  }

  /** Whatever else happens to a stream happens after what has come of it. */
  flush(): void {
    const { bytes, count, size, stream } = this
    if (stream === undefined) return
    this.stream = undefined
    this.bytes = nothing
    this.count = 0
    this.size = 0
    if (stream.hasEnded) return
    if (stream.isPaused) {
      for (let i = 0; i < count; i++) this.sink.onHold(stream, bytes, this.starts[i], this.ends[i])
      return
    }
    const joined = this.allocate(size)
    let at = 0
    for (let i = 0; i < count; i++) {
      const start = this.starts[i]
      const end = this.ends[i]
      joined.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), at)
      at += end - start
    }
    this.sink.onChunk(stream, joined)
  }
}

const nothing = new Uint8Array(0)
