import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as stream from "node:stream"

/** A stream of node:zlib. */
interface Engine extends stream.Transform {
  readonly bytesWritten: number
}

/** A stream of node:zlib, written a chunk at a time, and read before the next one. Its work is done on another thread. */
export class Pump<E> {
  private fed = 0
  private isConsumed = true
  private isEnded = false
  private error: unknown = undefined
  private wake: (() => void) | undefined = undefined

  /** `isEnd`: a failure that only says that what follows is something else. */
  constructor(
    private readonly engine: Engine,
    private readonly toError: (cause: unknown) => E,
    isEnd?: (cause: unknown) => boolean
  ) {
    engine.on("readable", () => this.wake?.())
    engine.on("end", () => {
      this.isEnded = true
      this.wake?.()
    })
    engine.on("error", (error) => {
      if (isEnd?.(error) === true) this.isEnded = true
      else this.error = error
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
    this.isConsumed = false
    this.engine.end()
  }

  /** How many bytes were written after the end of the compressed data; none while it goes on. */
  get leftOver(): number | undefined {
    return this.isEnded ? this.fed - this.engine.bytesWritten : undefined
  }

  /** What comes out, until all that was written has been used up, or the compressed data has ended. */
  readonly output: Stream.Stream<Uint8Array, E> = Stream.suspend(() =>
    Stream.fromPull(Effect.succeed(Effect.map(this.read, (chunk) => [chunk] as const))) as Stream.Stream<Uint8Array, E>
  )

  private readonly read: Effect.Effect<Uint8Array, E | Cause.Done> = Effect.callback((resume) => {
    const settle = () => {
      const chunk: Uint8Array | null = this.error === undefined ? this.engine.read() : null
      if (chunk !== null) resume(Effect.succeed(chunk))
      else if (this.error !== undefined) resume(Effect.fail(this.toError(this.error)))
      else if (this.isEnded || this.isConsumed) resume(Cause.done())
      else return
      this.wake = undefined
    }
    this.wake = settle
    settle()
    return Effect.sync(() => this.wake = undefined)
  })

  destroy(): void {
    this.wake = undefined
    this.engine.destroy()
  }
}
