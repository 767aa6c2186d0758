import type { Cancel } from "../Host.js"

/** When things happen in a network in memory. */
export interface MemoryTime {
  /** In milliseconds. */
  readonly now: () => number
  /** A step of its own, soon. */
  soon(step: () => void): void
  after(millis: number, wake: () => void): Cancel
}
