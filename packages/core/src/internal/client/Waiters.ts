import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** Fibers that wait for something to become so. Whoever changes it says so with `notify`. */
export class Waiters {
  private readonly waiting = new Set<() => void>()

  until(isSo: () => boolean): Effect.Effect<void> {
    return Effect.async((resume) => {
      const settle = () => {
        if (!isSo()) return
        this.waiting.delete(settle)
        resume(Exit.void)
      }
      this.waiting.add(settle)
      settle()
      return Effect.sync(() => this.waiting.delete(settle))
    })
  }

  notify(): void {
    for (const settle of this.waiting) settle()
  }
}
