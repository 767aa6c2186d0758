/** So many resets go out at once; Envoy, nghttp2 and Node close connections that send some hundreds. */
const burst = 200

/** Then one for each of these, in milliseconds: 30 in a second are what nghttp2 allows for good. */
const interval = 1000 / 30

/**
 * Paces our own RST_STREAM. Servers count them since "rapid reset" (CVE-2023-44487), and callers who abandon requests in masses,
 * by a short timeout say, would lose the connection with all that it carries.
 */
export class ResetPacer {
  private available = burst
  private countedAt = 0

  /** Whether one more may be sent now. */
  take(now: number): boolean {
    this.available = Math.min(burst, this.available + (now - this.countedAt) / interval)
    this.countedAt = now
    if (this.available < 1) return false
    this.available--
    return true
  }

  /** When the next one may be sent, after `take` has said no. */
  get nextAt(): number {
    // Rounded up, for what is a little less than one does not count.
    return Math.ceil(this.countedAt + (1 - this.available) * interval) + 1
  }
}
