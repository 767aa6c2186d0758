import { Deadline, type Deadlines } from "../pool/index.js"
import type { RequestTimeouts } from "../RequestTimeouts.js"

/**
 * What a request waits for from the server:
 *
 * - `Nothing`: the caller's stream or reader is what holds things up.
 * - `Room`: that it takes bytes of the request.
 * - `Head`: its response head; the whole request has been sent.
 * - `Bytes`: the next bytes of what it has begun to send.
 * - `Rest`: the short rest of a body that nobody wants.
 */
export type Awaited = "Nothing" | "Room" | "Head" | "Bytes" | "Rest"

/** The timeout that has passed. */
export type Overdue = "write" | "read" | "headers" | "rest"

interface TimedCall {
  readonly onOverdue: (overdue: Overdue) => void
}

/** How long the rest of an unwanted body may take to arrive before the exchange is cancelled, in milliseconds. */
const restTime = 500

/**
 * Sees to the timeouts for what a request waits for now: that the server takes our bytes (`write`), that it is not silent
 * (`read`), and that its response head is complete in time (`headers`).
 *
 * Whatever happens begins the time of `write` and `read` anew; but the deadline is left where it is and looks, when it
 * passes, at how long ago that was. A request that lasts a millisecond sets it once.
 */
export class CallTimer {
  /** When something last happened. */
  activeAt = 0
  private readonly deadline: Deadline<CallTimer> = new Deadline<CallTimer>(this, onDeadline)
  private awaited: Awaited = "Nothing"
  /** Since when this is awaited. */
  private since = 0

  constructor(
    private readonly call: TimedCall,
    private readonly timeouts: RequestTimeouts,
    private readonly time: { readonly deadlines: Deadlines; readonly now: () => number }
  ) {}

  /** Something has happened, and this is waited for now. A clock that was read in the same step is not read again. */
  watch(awaited: Awaited, at?: number): void {
    if (awaited === "Nothing") return this.cancel()
    const now = this.activeAt = at ?? this.time.now()
    if (awaited !== this.awaited) {
      this.awaited = awaited
      this.since = now
      this.set(now)
    }
  }

  /** How long what is awaited now has been awaited. */
  get waited(): number {
    return this.time.now() - this.since
  }

  cancel(): void {
    this.awaited = "Nothing"
    this.time.deadlines.cancel(this.deadline)
  }

  onDeadline(now: number): void {
    const { firstByte, headers, read, write } = this.timeouts
    const silent = now - this.activeAt
    const waited = now - this.since
    const { awaited } = this
    if (awaited === "Head" && waited >= headers) this.call.onOverdue("headers")
    else if (awaited === "Room" && silent >= write) this.call.onOverdue("write")
    else if (awaited === "Head" && silent >= (firstByte ?? read)) this.call.onOverdue("read")
    else if (awaited === "Bytes" && silent >= read) this.call.onOverdue("read")
    else if (awaited === "Rest" && waited >= restTime) this.call.onOverdue("rest")
    else if (awaited !== "Nothing") this.set(now)
  }

  /** A deadline that comes earlier than needed does as well: it looks again. */
  private set(now: number): void {
    const rest = this.rest(now)
    if (now + rest < this.deadline.at) this.time.deadlines.set(this.deadline, rest, now)
  }

  /** How long what is waited for may still take. */
  private rest(now: number): number {
    const { firstByte, headers, read, write } = this.timeouts
    const silent = now - this.activeAt
    const waited = now - this.since
    switch (this.awaited) {
      case "Nothing":
        return Infinity
      case "Room":
        return write - silent
      case "Head":
        return Math.min((firstByte ?? read) - silent, headers - waited)
      case "Bytes":
        return read - silent
      case "Rest":
        return restTime - waited
    }
  }
}

const onDeadline = (timer: CallTimer, now: number): void => timer.onDeadline(now)
