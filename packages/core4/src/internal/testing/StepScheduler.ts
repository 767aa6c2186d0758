import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"

/**
 * Runs fibers on demand, one piece of one fiber at a time.
 */
export class StepScheduler implements Scheduler.Scheduler {
  /**
   * How many operations a fiber may do before it yields, as `Effect.withMaxOpsBeforeYield` says it, but for all of
   * them and at any time. Going on counts as an operation: with 2 a fiber yields before each operation.
   */
  maxOps = Infinity
  /** Which of the fibers that are ready goes next: given how many there are, oldest first, an index. */
  choose: (count: number) => number = () => 0
  private ready: Array<() => void> = []

  /** Whoever runs it takes all steps. */
  readonly executionMode = "sync"

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return fiber.currentOpCount > this.maxOps
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return { scheduleTask: (task) => void this.ready.push(task), flush: () => this.run() }
  }

  /** False when no fiber is ready. */
  step(): boolean {
    if (this.ready.length === 0) return false
    const [task] = this.ready.splice(this.choose(this.ready.length), 1)
    task()
    return true
  }

  run(): void {
    for (let steps = 0; this.step(); steps++) if (steps > 100_000) throw new Error("the fibers never come to rest")
  }
}

/**
 * A clock that stands still until it is moved.
 */
export class StillClock implements Clock.Clock {
  private now = 0
  private sleepers: Array<{ readonly at: number; readonly wake: () => void }> = []

  /** How many fibers sleep. */
  get sleeping(): number {
    return this.sleepers.length
  }

  // A Clock has to have it.
  // eslint-disable-next-line no-restricted-syntax
  currentTimeMillisUnsafe(): number {
    return this.now
  }

  // eslint-disable-next-line no-restricted-syntax
  currentTimeNanosUnsafe(): bigint {
    return this.monotonicTimeNanosUnsafe()
  }

  monotonicTimeNanosUnsafe(): bigint {
    return BigInt(Math.round(this.now * 1_000_000))
  }

  // eslint-disable-next-line no-restricted-syntax
  readonly currentTimeMillis = Effect.sync(() => this.now)
  readonly currentTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())
  readonly monotonicTimeNanos = this.currentTimeNanos

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.suspend(() => {
      const sleeper = { at: this.now + Duration.toMillis(duration), wake: () => {} }
      if (sleeper.at <= this.now) return Effect.void
      const asleep = Effect.callback<void>((resume) => {
        sleeper.wake = () => resume(Effect.void)
        this.sleepers.push(sleeper)
        this.sleepers.sort((x, y) => x.at - y.at)
      })
      // Not the canceler that `async` takes: between its registration and the canceler's a fiber may yield, and an
      // interrupt at that moment runs none.
      return Effect.onInterrupt(asleep, () => Effect.sync(() => this.forget(sleeper)))
    })
  }

  /** Goes on to the next moment at which somebody wakes, and wakes one of them. False when nobody ever does. */
  next(): boolean {
    const [first] = this.sleepers
    if (first === undefined || first.at === Infinity) return false
    this.now = first.at
    this.forget(first)
    first.wake()
    return true
  }

  private forget(sleeper: { readonly at: number }): void {
    this.sleepers = this.sleepers.filter((_) => _ !== sleeper)
  }
}

/** Numbers below `count`, the same ones for the same seed (mulberry32). */
export const randomChoice = (seed: number): (count: number) => number => {
  let state = seed >>> 0
  return (count) => {
    state = (state + 0x6D2B79F5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % count
  }
}
