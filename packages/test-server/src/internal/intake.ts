import type { Readable } from "node:stream"

/** How often a throttled reader takes something, in milliseconds. */
const interval = 10

/** Who wants that nothing is taken: the server as a whole, a body or tunnel that can't be passed on, requests that wait. */
type Owner = "server" | "exchange" | "pipeline"

/** What may be taken at once after an event loop that was blocked, in milliseconds of the rate. */
const maxBurst = 100

/**
 * Decides how fast the bytes of a stream are taken: as they come, at so many a second, or not at all.
 *
 * A paused stream still emits "data" for what `read` takes from it, so whoever listens sees no difference but the pace.
 */
export class Intake {
  private rate = Infinity
  private readonly holds = new Set<Owner>()
  private timer: NodeJS.Timeout | undefined
  private credit = 0
  private creditedAt = 0

  constructor(private readonly stream: Readable) {
    stream.once("close", () => this.stopTimer())
  }

  /** In bytes a second; `Infinity` is as they come. */
  setRate(bytesPerSecond: number): void {
    this.rate = bytesPerSecond
    this.apply()
  }

  /** Takes nothing for as long as anybody holds. */
  hold(by: Owner, held: boolean): void {
    if (held) this.holds.add(by)
    else this.holds.delete(by)
    this.apply()
  }

  private apply(): void {
    const { stream } = this
    if (this.holds.size > 0 || this.rate !== Infinity) stream.pause()
    else stream.resume()
    this.stopTimer()
    if (this.holds.size > 0 || this.rate === Infinity || stream.destroyed) return
    this.credit = 0
    this.creditedAt = performance.now()
    this.timer = setInterval(() => this.take(), interval)
  }

  private take(): void {
    const now = performance.now()
    this.credit += this.rate * Math.min(now - this.creditedAt, maxBurst) / 1000
    this.creditedAt = now
    const size = Math.min(Math.floor(this.credit), this.stream.readableLength)
    this.credit -= size
    // What could not be used for want of bytes is not saved up for a burst.
    if (this.stream.readableLength === size) this.credit = Math.min(this.credit, this.rate * interval / 1000)
    // A read of nothing asks the socket for more, and lets an end be seen.
    this.stream.read(size)
  }

  private stopTimer(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }
}
