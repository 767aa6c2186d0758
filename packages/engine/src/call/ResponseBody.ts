import { type BodyAbandoned, bodyAbandoned, type Details, type Failure, responseTooLarge } from "../Failure.js"
import type { CallerContext, Cancel } from "../Host.js"
import { Chunks } from "./Chunks.js"
import { Waiters } from "./Waiters.js"

/**
 * What a body asks of the exchange that it arrives on.
 */
export interface BodyOwner {
  /** What a failure of it says. */
  readonly details: () => Details
  /** Stop and go on reading from the connection. */
  readonly pause: () => void
  readonly resume: () => void
  /** Nobody wants the rest: what comes is thrown away, within bounds, or the exchange is cancelled. */
  readonly discard: () => void
  /** Of a waiting reader: it need not be the caller of the request. */
  readonly captureContext: () => CallerContext | undefined
}

/**
 * - `Receiving`: more may come.
 * - `Complete`: all of it is here.
 * - `Failed`: it broke off, or was abandoned; `failure` says why. What had come is gone.
 */
export type BodyState =
  | { readonly _tag: "Receiving" }
  | { readonly _tag: "Complete" }
  | { readonly _tag: "Failed"; readonly failure: Failure }

/**
 * What somebody finds who begins to read a body as a stream.
 *
 * - `Opened`: the chunks are this reader's, by `whenReadable` and `take`, until `abandon`.
 * - `Complete`: all of it is here, and stays for others.
 * - `Whole`: somebody reads all of it, and it will be there for both.
 * - `Refused`: another stream has taken what there was.
 */
export type StreamOpening =
  | { readonly _tag: "Opened" }
  | { readonly _tag: "Complete"; readonly chunks: ReadonlyArray<Uint8Array> }
  | { readonly _tag: "Whole" }
  | { readonly _tag: "Refused"; readonly failure: BodyAbandoned }

const noTrailers: ReadonlyArray<string> = []
const receiving: BodyState = { _tag: "Receiving" }
const complete: BodyState = { _tag: "Complete" }

/** What one array of bytes can hold on each supported platform. More fails before memory is asked for it. */
export const maxWholeBody = 2 ** 32 - 1

/**
 * The body of a response, from its first byte until nobody needs it any more. It holds what has arrived, up to
 * `maxBuffered` bytes while nobody reads it, and then exerts backpressure on the connection. Reading all of it keeps
 * all of it, so that it can be read again; reading it as a stream keeps no more than the buffer.
 */
export class ResponseBody {
  state: BodyState = receiving
  trailers: ReadonlyArray<string> = noTrailers
  /** Somebody wants to know when it breaks off, whether it is read or not. */
  onFailed: ((failure: Failure) => void) | undefined = undefined
  private readonly chunks = new Chunks()
  private paused = false
  /** Once a reader has begun, the body is not abandoned. What a stream takes out is not there for another reader. */
  private readers: "none" | "whole" | "stream" = "none"
  private waiters: Waiters | undefined = undefined
  private isHeld = false

  constructor(private readonly owner: BodyOwner, private readonly maxBuffered: number) {}

  /** Whether nobody has begun to read it, and there is something to read. */
  get isUnread(): boolean {
    return this.readers === "none" && this.state._tag === "Receiving"
  }

  /** Whether it may be abandoned for a request that waits. */
  get isDispensable(): boolean {
    return this.isUnread && !this.isHeld
  }

  /** Somebody will read it, however late: it is not to be abandoned. */
  hold(): void {
    this.isHeld = true
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the connection
  // ---------------------------------------------------------------------------------------------------------------

  push(bytes: Uint8Array): void {
    if (this.state._tag !== "Receiving") return
    this.chunks.add(bytes)
    if (this.readers === "stream") this.waiters?.notify()
    else if (this.chunks.size > maxWholeBody) return this.failTooLarge()
    if (this.chunks.size > this.maxBuffered && this.readers !== "whole" && !this.paused) {
      this.paused = true
      this.owner.pause()
    }
  }

  complete(trailers: ReadonlyArray<string>): void {
    if (this.state._tag !== "Receiving") return
    this.trailers = trailers
    this.state = complete
    this.waiters?.notify()
  }

  fail(failure: Failure): void {
    if (this.state._tag !== "Receiving") return
    this.state = { _tag: "Failed", failure }
    this.onFailed?.(failure)
    this.chunks.clear()
    this.waiters?.notify()
  }

  /** Nobody will read the rest. */
  abandon(reason: BodyAbandoned["reason"]): void {
    if (this.state._tag !== "Receiving") return
    this.fail(this.abandoned(reason))
    this.owner.discard()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // All of it, for as many readers as there are
  // ---------------------------------------------------------------------------------------------------------------

  /** Whether all of it is here, so that `join` gives it at once. */
  get isComplete(): boolean {
    return this.state._tag === "Complete" && this.readers !== "stream"
  }

  /** Of what is here, in bytes. */
  get size(): number {
    return this.chunks.size
  }

  details(): Details {
    return this.owner.details()
  }

  /** All of it in one piece. Throws `RangeError` where there is not enough memory. */
  join(): Uint8Array {
    return this.chunks.join()
  }

  /** Reads all of it, which is there when `done` is called without a failure. The last reader who cancels abandons it. */
  readWhole(done: (failure: Failure | undefined) => void): Cancel {
    if (this.readers === "stream") {
      done(this.abandoned("AlreadyRead"))
      return () => {}
    }
    this.beginReading("whole")
    const cancel = this.whenever(
      () => this.state._tag !== "Receiving",
      () => done(this.state._tag === "Failed" ? this.state.failure : undefined)
    )
    return () => {
      cancel()
      if (this.waiters?.isEmpty !== false) this.abandon("Cancelled")
    }
  }

  // ---------------------------------------------------------------------------------------------------------------
  // As it arrives, for one reader
  // ---------------------------------------------------------------------------------------------------------------

  openStream(): StreamOpening {
    if (this.readers === "stream") return { _tag: "Refused", failure: this.abandoned("AlreadyRead") }
    if (this.state._tag === "Complete") return { _tag: "Complete", chunks: this.chunks.toArray() }
    if (this.readers === "whole") return { _tag: "Whole" }
    this.beginReading("stream")
    return { _tag: "Opened" }
  }

  /** Calls `ready` when there are chunks to take, or there will be no more. */
  whenReadable(ready: () => void): Cancel {
    return this.whenever(() => !this.chunks.isEmpty || this.state._tag !== "Receiving", ready)
  }

  /** What has arrived; none when no more will. */
  take(): ReadonlyArray<Uint8Array> {
    const chunks = this.chunks.toArray()
    this.chunks.clear()
    this.unpause()
    return chunks
  }

  // ---------------------------------------------------------------------------------------------------------------

  private beginReading(as: "whole" | "stream"): void {
    this.readers = as
    if (as === "whole") this.unpause()
  }

  private unpause(): void {
    if (!this.paused) return
    this.paused = false
    this.owner.resume()
  }

  private whenever(isSo: () => boolean, then: () => void): Cancel {
    return (this.waiters ??= new Waiters(() => this.owner.captureContext())).until(isSo, then)
  }

  private failTooLarge(): void {
    this.fail(responseTooLarge({ ...this.owner.details(), reader: "bytes", maxResponseSize: maxWholeBody }))
    this.owner.discard()
  }

  private abandoned(reason: BodyAbandoned["reason"]): BodyAbandoned {
    return bodyAbandoned({ ...this.owner.details(), reason })
  }
}
