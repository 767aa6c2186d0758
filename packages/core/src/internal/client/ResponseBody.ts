import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { BodyAbandoned, type Details, type TransportError } from "../../TransportError.js"
import { Parts } from "./Parts.js"

/**
 * What a body asks of the exchange that it arrives on.
 */
export interface BodySource {
  /** What an error of it tells. */
  readonly details: () => Details
  /** Stop and go on reading from the connection. */
  readonly pause: () => void
  readonly resume: () => void
  /** Nobody wants the rest: what comes is thrown away, within bounds, or the exchange is cancelled. */
  readonly discard: () => void
  /** Nobody reads and the buffer is full; `reading` says that somebody has begun. */
  readonly unread: () => void
  readonly reading: () => void
}

/**
 * - `Receiving`: more may come.
 * - `Complete`: all of it is here.
 * - `Failed`: it broke off, or was given up; `error` says why. What had come is gone.
 */
export type BodyState =
  | { readonly _tag: "Receiving" }
  | { readonly _tag: "Complete" }
  | { readonly _tag: "Failed"; readonly error: TransportError }

const noTrailers: ReadonlyArray<string> = []
const receiving: BodyState = { _tag: "Receiving" }
const complete: BodyState = { _tag: "Complete" }

/**
 * The body of an answer, from its first byte until nobody needs it any more. It holds what has arrived, up to
 * `maxBuffered` bytes while nobody reads it, and then exerts backpressure on the connection. Reading all of it keeps
 * all of it, so that it can be read again; reading it as a stream keeps no more than the buffer.
 */
export class ResponseBody {
  state: BodyState = receiving
  trailers: ReadonlyArray<string> = noTrailers
  private readonly parts = new Parts()
  private paused = false
  /** Once a reader has begun the body does not give way. What a stream takes out is not there for another reader. */
  private readers: "none" | "whole" | "stream" = "none"
  /** Readers that wait for more. */
  private waiting: Set<() => void> | undefined = undefined

  constructor(private readonly source: BodySource, private readonly maxBuffered: number) {}

  /** Whether nobody has begun to read it, and there is something to read. */
  get isUnread(): boolean {
    return this.readers === "none" && this.state._tag === "Receiving"
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the connection
  // ---------------------------------------------------------------------------------------------------------------

  push(bytes: Uint8Array): void {
    if (this.state._tag !== "Receiving") return
    this.parts.add(bytes)
    if (this.readers === "stream") this.notify()
    if (this.parts.size > this.maxBuffered && this.readers !== "whole" && !this.paused) {
      this.paused = true
      this.source.pause()
      if (this.readers === "none") this.source.unread()
    }
  }

  complete(trailers: ReadonlyArray<string>): void {
    if (this.state._tag !== "Receiving") return
    this.trailers = trailers
    this.state = complete
    this.notify()
  }

  fail(error: TransportError): void {
    if (this.state._tag !== "Receiving") return
    this.state = { _tag: "Failed", error }
    this.parts.clear()
    this.notify()
  }

  /** Nobody will read the rest. */
  abandon(reason: BodyAbandoned["reason"]): void {
    if (this.state._tag !== "Receiving") return
    this.fail(this.abandoned(reason))
    this.source.discard()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // For readers
  // ---------------------------------------------------------------------------------------------------------------

  /** All of it, as one piece. Can be read again, and by several fibers at once. */
  get bytes(): Effect.Effect<Uint8Array, TransportError> {
    return this.isComplete ? Effect.sync(() => this.join()) : this.readWhole()
  }

  /** Whether all of it is here, so that `join` gives it at once. */
  get isComplete(): boolean {
    return this.state._tag === "Complete" && this.readers !== "stream"
  }

  join(): Uint8Array {
    return this.parts.join()
  }

  private readWhole(): Effect.Effect<Uint8Array, TransportError> {
    return Effect.async((resume) => {
      if (this.readers === "stream") return resume(Exit.fail(this.abandoned("AlreadyRead")))
      const settle = () => {
        if (this.state._tag === "Receiving") return
        if (this.state._tag === "Failed") resume(Exit.fail(this.state.error))
        else resume(Exit.succeed(this.parts.join()))
        this.stopWaiting(settle)
      }
      this.beginReading("whole")
      this.waitForMore(settle)
      return Effect.sync(() => {
        this.stopWaiting(settle)
        if (this.waiting === undefined) this.abandon("Cancelled")
      })
    })
  }

  /** As it arrives. What has been read is not kept, unless all of it had arrived before. */
  get stream(): Stream.Stream<Uint8Array, TransportError> {
    return Stream.suspend(() => {
      if (this.readers === "stream") return Stream.fail(this.abandoned("AlreadyRead"))
      if (this.state._tag === "Complete") return Stream.fromIterable(this.parts.toArray())
      if (this.readers === "whole") return Stream.fromEffect(this.readWhole())
      this.beginReading("stream")
      return Stream.ensuring(
        Stream.repeatEffectChunkOption(this.pull()),
        Effect.sync(() => this.abandon("Cancelled"))
      )
    })
  }

  private pull(): Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<TransportError>> {
    return Effect.async((resume) => {
      const settle = () => {
        // Taken when the reader's fiber goes on: more may have come by then, and each step of a stream has its price.
        if (!this.parts.isEmpty) resume(this.take())
        else if (this.state._tag === "Receiving") return
        else resume(Exit.fail(this.state._tag === "Failed" ? Option.some(this.state.error) : Option.none()))
        this.stopWaiting(settle)
      }
      this.waitForMore(settle)
      return Effect.sync(() => this.stopWaiting(settle))
    })
  }

  private beginReading(as: "whole" | "stream"): void {
    if (this.readers === "none") this.source.reading()
    this.readers = as
    if (as === "whole") this.unpause()
  }

  private take(): Effect.Effect<Chunk.Chunk<Uint8Array>> {
    return Effect.sync(() => {
      const parts = Chunk.unsafeFromArray(this.parts.toArray())
      this.parts.clear()
      this.unpause()
      return parts
    })
  }

  private unpause(): void {
    if (!this.paused) return
    this.paused = false
    this.source.resume()
  }

  private waitForMore(settle: () => void): void {
    ;(this.waiting ??= new Set()).add(settle)
    settle()
  }

  private stopWaiting(settle: () => void): void {
    if (this.waiting?.delete(settle) === true && this.waiting.size === 0) this.waiting = undefined
  }

  private notify(): void {
    if (this.waiting !== undefined) { for (const settle of this.waiting) settle() }
  }

  private abandoned(reason: BodyAbandoned["reason"]): BodyAbandoned {
    return new BodyAbandoned({ ...this.source.details(), reason })
  }
}
