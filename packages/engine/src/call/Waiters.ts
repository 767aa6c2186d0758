import type { CallerContext, Cancel } from "../Host.js"

/** Callbacks of readers and writers that wait for something to become so. Whoever changes it says so with `notify`. */
export class Waiters {
  private readonly waiting = new Set<() => void>()

  constructor(private readonly captureContext: () => CallerContext | undefined) {}

  get isEmpty(): boolean {
    return this.waiting.size === 0
  }

  /** Calls `then` once: now if it is so already, else later, in the context of the waiter. */
  until(isSo: () => boolean, then: () => void): Cancel {
    if (isSo()) {
      then()
      return () => {}
    }
    const context = this.captureContext()
    const settle = () => {
      if (!isSo()) return
      this.waiting.delete(settle)
      if (context === undefined) then()
      else context.run(then)
    }
    this.waiting.add(settle)
    return () => this.waiting.delete(settle)
  }

  notify(): void {
    for (const settle of this.waiting) settle()
  }
}
