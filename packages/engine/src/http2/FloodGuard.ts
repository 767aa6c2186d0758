/** What is there at the start, and at most. */
const burst = 1000

/** What comes back by itself, for each second. */
const perSecond = 20

/**
 * Bounds the frames that cost the peer little and us work: SETTINGS, PING, PRIORITY, WINDOW_UPDATE, empty DATA, resets of
 * streams that are gone, frames of unknown types (RFC 9113 §10.5). A server that sends responses, or takes requests, earns
 * what it spends on them; one that does nothing else runs out.
 */
export class FloodGuard {
  private allowance = burst
  private refilledAt: number

  constructor(private readonly elapsed: () => number) {
    this.refilledAt = elapsed()
  }

  /** Something useful was done: so many frames more are fine. */
  earn(frames: number): void {
    if (this.allowance < burst) this.allowance += frames
  }

  /** False if it is too much. */
  spend(): boolean {
    if (this.allowance >= 1) {
      this.allowance--
      return true
    }
    // The clock is asked only when it matters.
    const now = this.elapsed()
    this.allowance = Math.min(burst, ((now - this.refilledAt) * perSecond) / 1000)
    this.refilledAt = now
    if (this.allowance < 1) return false
    this.allowance--
    return true
  }
}
