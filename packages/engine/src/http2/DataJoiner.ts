import { HeldData } from "./HeldData.js"
import type { Stream } from "./Stream.js"

/** Takes the content of streams that have not ended. */
export interface ContentSink<E> {
  /** For good. */
  readonly onChunk: (stream: Stream<E>, chunk: Uint8Array) => void
  /** The reader takes nothing: `bytes[start, end)` is to be copied. */
  readonly onHold: (stream: Stream<E>, bytes: Uint8Array, start: number, end: number) => void
  /** The reader takes nothing, and the bytes are nobody else's. */
  readonly onHoldOwned: (stream: Stream<E>, bytes: Uint8Array) => void
}

/**
 * Joins the content of DATA frames that follow each other in one read and belong to one stream: a step of a reader costs
 * more than a copy, and a large body comes in frames of 16 KiB. Where more reads may follow in the same turn, as the
 * records of TLS do, their content is kept until its end, and then handed over in one go.
 */
export class DataJoiner<E> {
  private stream: Stream<E> | undefined = undefined
  private bytes: Uint8Array = nothing
  private readonly starts: Array<number> = []
  private readonly ends: Array<number> = []
  private count = 0
  private size = 0
  /** What earlier reads of this turn have brought, in order. */
  private kept: HeldData | undefined = undefined
  private keptFor: Stream<E> | undefined = undefined

  constructor(
    private readonly allocate: (size: number) => Uint8Array,
    private readonly sink: ContentSink<E>
  ) {}

  /** The bytes stay as they are until `flush`. */
  add(stream: Stream<E>, bytes: Uint8Array, start: number, end: number): void {
    if (this.stream !== stream) {
      if (this.stream !== undefined || (this.keptFor !== undefined && this.keptFor !== stream)) this.flush()
      this.stream = stream
    }
    this.bytes = bytes
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.count++
    this.size += end - start
  }

  /** Whether something waits for `flush`. */
  get isPending(): boolean {
    return this.keptFor !== undefined
  }

  /** The read is over, and the turn is not: the bytes are kept until `flush`. */
  keep(): void {
    const { stream } = this
    if (stream === undefined) return
    if (stream.hasEnded || stream.isPaused) return this.flush()
    if (this.keptFor === undefined) {
      this.keptFor = stream
      this.kept = new HeldData(this.allocate, 0)
      // Its bytes have come in time, though they are handed over a little later.
      stream.receiver.onProgress()
    }
    const { bytes, count } = this
    for (let i = 0; i < count; i++) this.kept!.add(bytes, this.starts[i], this.ends[i])
    this.forget()
  }

  /** Whatever else happens to a stream happens after what has come of it. */
  flush(): void {
    if (this.keptFor !== undefined) this.flushKept()
    if (this.stream !== undefined) this.flushRead()
  }

  private flushKept(): void {
    const stream = this.keptFor!
    const kept = this.kept!
    this.keptFor = undefined
    this.kept = undefined
    for (let chunk = kept.shift(); chunk !== undefined && !stream.hasEnded; chunk = kept.shift()) {
      if (stream.isPaused) this.sink.onHoldOwned(stream, chunk)
      else this.sink.onChunk(stream, chunk)
    }
  }

  private flushRead(): void {
    const stream = this.stream!
    const { bytes, count, size } = this
    this.forget()
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

  private forget(): void {
    this.stream = undefined
    this.bytes = nothing
    this.count = 0
    this.size = 0
  }
}

const nothing = new Uint8Array(0)
