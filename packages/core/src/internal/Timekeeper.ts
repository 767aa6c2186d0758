import { Deadlines } from "@sluice/engine/pool"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"

/** Effect's Clock never wakes from a sleep that is longer than a timer can be; we wake once a day. */
const longestSleep = 24 * 60 * 60 * 1000

/**
 * Lets the deadlines of a pool pass, with one fiber that sleeps on Effect's Clock until the earliest of them. So no
 * request starts a timer or a fiber, and `TestClock.adjust` moves them all.
 *
 * Deadlines are mostly called off. The fiber then wakes for nothing, once per timeout and not once per request.
 */
export class Timekeeper {
  readonly deadlines: Deadlines
  private sleeper: Fiber.RuntimeFiber<void, unknown> | undefined = undefined
  private stopped = false

  constructor(
    private readonly clock: Clock.Clock,
    private readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void, unknown>,
    /** Called after deadlines have passed. */
    private readonly onPassed: () => void
  ) {
    this.deadlines = new Deadlines((at) => this.sleepUntil(at))
  }

  now(): number {
    return this.clock.unsafeCurrentTimeMillis()
  }

  /** Wakes nobody any more. */
  stop(): void {
    this.stopped = true
    this.wakeNoLonger()
  }

  private sleepUntil(at: number): void {
    if (this.stopped || at === Infinity) return
    this.wakeNoLonger()
    // Whole milliseconds: a sleep that ends a fraction too early would be followed by one of no length, for ever.
    const duration = Math.min(Math.max(0, Math.ceil(at - this.now())), longestSleep)
    this.sleeper = this.fork(Effect.zipRight(Effect.sleep(duration), this.wake))
  }

  private wakeNoLonger(): void {
    this.sleeper?.unsafeInterruptAsFork(FiberId.none)
    this.sleeper = undefined
  }

  private readonly wake = Effect.sync(() => {
    this.sleeper = undefined
    this.deadlines.expire(this.now())
    this.onPassed()
  })
}
