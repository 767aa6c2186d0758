import type * as stream from "node:stream"
import type { Cancel } from "../../Host.js"

/** A stream of node:zlib. */
interface Engine extends stream.Transform {
  readonly bytesWritten: number
}

/** What a pump gives: bytes; none when all that was written has been used up, or the compressed data has ended; a failure. */
export type Pumped =
  | Uint8Array
  | undefined
  | { readonly failure: unknown }

/** A stream of node:zlib, written a chunk at a time, and read before the next one. Its work is done on another thread. */
export class Pump {
  private fed = 0
  private isConsumed = true
  private isFinished = false
  private isEnded = false
  private error: { readonly failure: unknown } | undefined = undefined
  private wake: (() => void) | undefined = undefined

  /** `isEnd`: a failure that only says that what follows is something else. */
  constructor(private readonly engine: Engine, isEnd?: (cause: unknown) => boolean) {
    engine.on("readable", () => this.wake?.())
    engine.on("end", () => {
      this.isEnded = true
      this.wake?.()
    })
    engine.on("error", (failure) => {
      if (isEnd?.(failure) === true) this.isEnded = true
      else this.error = { failure }
      this.wake?.()
    })
  }

  write(bytes: Uint8Array): void {
    this.fed += bytes.length
    this.isConsumed = false
    this.engine.write(bytes, () => {
      this.isConsumed = true
      this.wake?.()
    })
  }

  /** No more will be written: an end that is missing is an error. */
  finish(): void {
    this.isFinished = true
    this.engine.end()
  }

  /** How many bytes were written after the end of the compressed data; none while it goes on. */
  get leftOver(): number | undefined {
    return this.isEnded ? this.fed - this.engine.bytesWritten : undefined
  }

  /** The next output, now or later. */
  read(then: (next: Pumped) => void): Cancel {
    const settle = () => {
      const chunk: Uint8Array | null = this.error === undefined ? this.engine.read() : null
      // After the last byte there is an end, or an error.
      const isDrained = this.isEnded || (this.isConsumed && !this.isFinished)
      if (chunk === null && this.error === undefined && !isDrained) return
      this.wake = undefined
      then(chunk ?? this.error)
    }
    this.wake = settle
    settle()
    return () => {
      this.wake = undefined
    }
  }

  destroy(): void {
    this.wake = undefined
    this.engine.destroy()
  }
}
