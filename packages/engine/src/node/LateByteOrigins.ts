import { now } from "./runtime.js"

/** How long an origin is remembered, in milliseconds. */
const memory = 10 * 60_000

/** Origins that are remembered. */
const maxOrigins = 1000

/** The origins that have sent bytes after a response that has none. */
export class LateByteOrigins {
  private readonly until = new Map<string, number>()

  add(key: string): void {
    if (this.until.size >= maxOrigins) this.until.clear()
    this.until.set(key, now() + memory)
  }

  has(key: string): boolean {
    const until = this.until.get(key)
    if (until === undefined) return false
    if (until > now()) return true
    this.until.delete(key)
    return false
  }
}
