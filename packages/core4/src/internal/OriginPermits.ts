import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

/** How many permits are free, by the semaphore's own count; negative while its limit was lowered below what is out. */
export const freePermits = (semaphore: Semaphore.Semaphore): Effect.Effect<number> => semaphore.release(0)

/**
 * What each connection to one origin takes: a permit of the pool and one of the origin. The pool decides to dial only
 * when both are free, so nobody ever waits on a semaphore.
 */
export class OriginPermits {
  private readonly own: Semaphore.Semaphore
  private readonly semaphores: ReadonlyArray<Semaphore.Semaphore>
  /** Connections that hold permits. */
  private out = 0

  constructor(
    pool: Semaphore.Semaphore,
    /** How many connections the origin may have, */
    most: number,
    /** and whether that is so whatever the pool allows others. */
    private readonly isOwn: boolean,
    /** How many connections the pool counts as open, and may open, in words. */
    private readonly describeCount: () => string,
    private readonly onVacant: () => void
  ) {
    this.own = Semaphore.makeUnsafe(most)
    this.semaphores = [pool, this.own]
  }

  /** The pool allows its origins so many. */
  resize(most: number): Effect.Effect<void> {
    return this.isOwn ? Effect.void : this.own.resize(most)
  }

  /** All or none. A permit that is not free says that the pool and a semaphore count differently: a defect of ours. */
  readonly take: Effect.Effect<void> = Effect.suspend(() =>
    Effect.flatMap(Effect.forEach(this.semaphores, freePermits), (free) => {
      if (free.some((count) => count < 1)) {
        return Effect.die(
          new Error(
            `the pool counts ${this.describeCount()}, and its semaphores have ${free.join(" and ")} permits free`
          )
        )
      }
      this.out++
      return Effect.forEach(this.semaphores, (semaphore) => semaphore.take(1), { discard: true })
    })
  )

  readonly giveBack: Effect.Effect<void> = Effect.suspend(() => {
    this.out--
    if (this.out === 0) this.onVacant()
    return Effect.forEach(this.semaphores, (semaphore) => semaphore.release(1), { discard: true })
  })
}
