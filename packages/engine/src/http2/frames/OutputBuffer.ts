import type { ByteSink } from "./ByteSink.js"

/** Large enough for the frames of some turns, small enough to be no burden while a socket still holds a view of it. */
const slabBytes = 32 * 1024

/**
 * Collects the frames of one turn, of one connection after another. `take` hands out a view and goes on behind it, so
 * that nothing is copied, and nothing that a socket may still hold is written again.
 */
export class OutputBuffer implements ByteSink {
  private slab: Uint8Array = new Uint8Array(0)
  private start = 0
  end = 0

  get bytes(): Uint8Array {
    return this.slab
  }

  /** The octets since the last `take`. */
  get length(): number {
    return this.end - this.start
  }

  ensure(octets: number): void {
    if (this.end + octets <= this.slab.length) return
    const pending = this.end - this.start
    const needed = pending + octets
    // Doubled, so that a long turn of small frames is not copied again and again.
    const next = new Uint8Array(needed <= slabBytes / 2 ? slabBytes : needed * 2)
    next.set(this.slab.subarray(this.start, this.end))
    this.slab = next
    this.start = 0
    this.end = pending
  }

  /** What was written since the last `take`. It belongs to the caller. */
  take(): Uint8Array {
    const taken = this.slab.subarray(this.start, this.end)
    this.start = this.end
    return taken
  }
}
