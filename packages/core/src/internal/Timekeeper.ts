import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import { Deadlines } from "./pool/Deadlines.js"

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
  private sleeper: Fiber.RuntimeFiber<void> | undefined = undefined
  private stopped = false

  constructor(
    private readonly clock: Clock.Clock,
    private readonly runtime: Runtime.Runtime<never>,
    /** Called after deadlines have passed. */
    private readonly onPassed: () => void
  ) {
    this.deadlines = new Deadlines((at) => this.sleepUntil(at))
  }

  now(): number {
    return this.clock.unsafeCurrentTimeMillis()
  }

  /** Wakes nobody any more. */
  readonly stop: Effect.Effect<void> = Effect.suspend(() => {
    this.stopped = true
    return this.sleeper === undefined ? Effect.void : Fiber.interrupt(this.sleeper)
  })

  private sleepUntil(at: number): void {
    if (this.stopped || at === Infinity) return
    this.sleeper?.unsafeInterruptAsFork(FiberId.none)
    this.sleeper = Runtime.runFork(this.runtime)(
      Effect.zipRight(Effect.sleep(Math.min(Math.max(0, at - this.now()), longestSleep)), this.wake)
    )
  }

  private readonly wake = Effect.sync(() => {
    this.sleeper = undefined
    this.deadlines.expire(this.now())
    this.onPassed()
  })
}
