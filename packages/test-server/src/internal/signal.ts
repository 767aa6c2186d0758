import * as Effect from "effect/Effect"

/**
 * Lets effects wait until something that changes in plain callbacks looks as they want it.
 *
 * Waiting is by event and never by clock, so it works the same under TestClock.
 */
export class Signal {
  private readonly checks = new Set<() => void>()
  private batches = 0

  notify(): void {
    if (this.checks.size === 0 || this.batches > 0) return
    for (const check of [...this.checks]) check()
  }

  /** Makes several changes one: nobody sees them half done. */
  batch(changes: () => void): void {
    this.batches++
    changes()
    this.batches--
    this.notify()
  }

  /** Calls `go` once `holds` does, at once if it does already. The result cancels the call. */
  when(holds: () => boolean, go: () => void): () => void {
    const check = () => {
      if (!holds()) return
      this.checks.delete(check)
      go()
    }
    this.checks.add(check)
    check()
    return () => {
      this.checks.delete(check)
    }
  }

  /** Succeeds with the first value that `look` returns which is not undefined; looks at once and at each change. */
  until<A>(look: () => A | undefined): Effect.Effect<A> {
    return Effect.async<A>((resume) => {
      const check = () => {
        let found: A | undefined
        try {
          found = look()
        } catch (defect) {
          // The predicate is the test's own; it is called from socket events, where a throw would end the process.
          this.checks.delete(check)
          return resume(Effect.die(defect))
        }
        if (found === undefined) return
        this.checks.delete(check)
        resume(Effect.succeed(found))
      }
      this.checks.add(check)
      check()
      return Effect.sync(() => {
        this.checks.delete(check)
      })
    })
  }
}
