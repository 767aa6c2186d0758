/** How long an origin is remembered, in milliseconds. */
const memory = 10 * 60_000

/** Origins that are remembered. */
const maxOrigins = 1000

/** Origins of which something was found out that may change: what is known of them is forgotten after ten minutes. */
export class RememberedOrigins {
  private readonly until = new Map<string, number>()

  constructor(private readonly now: () => number) {}

  add(key: string): void {
    if (this.until.size >= maxOrigins) this.until.clear()
    this.until.set(key, this.now() + memory)
  }

  has(key: string): boolean {
    // On the way of each dial, and mostly empty.
    if (this.until.size === 0) return false
    const until = this.until.get(key)
    if (until === undefined) return false
    if (until > this.now()) return true
    this.until.delete(key)
    return false
  }
}
