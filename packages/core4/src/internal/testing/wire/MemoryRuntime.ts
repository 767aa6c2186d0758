import type { Cancel } from "@sluice/engine"
import type { MemoryTime } from "@sluice/engine/memory"
import type { DriverRuntime } from "@sluice/engine/node"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { nextStep, type Soon, soonOf } from "../../soon.js"
import { breathing } from "./breathing.js"

/**
 * When things happen in a network in memory: by the scheduler and the Clock of the Effect that it was made in. Nothing
 * waits for the event loop, so that a test decides about every step, and `TestClock` about all time.
 */
export class MemoryRuntime implements DriverRuntime, MemoryTime {
  private readonly step: Soon
  private readonly clock: Clock.Clock

  constructor(private readonly context: Context.Context<never>) {
    this.step = soonOf(context)
    this.clock = Context.get(context, Clock.Clock)
  }

  readonly now = (): number => Number(this.clock.monotonicTimeNanosUnsafe()) / 1e6

  readonly recently = this.now

  /** What has been sent by now has been delivered then: steps are taken in the order in which they were asked for. */
  readonly afterPoll = (then: () => void): void => this.soon(then)

  readonly queueMicrotask = (then: () => void): void => this.soon(then)

  readonly atEndOfTurn = (task: { readonly onEndOfTurn: () => void }): void => this.soon(() => task.onEndOfTurn())

  readonly backgroundSleep = (millis: number, wake: () => void): Cancel => this.after(millis, wake)

  /** A step of its own, soon. Now and then the event loop has its turn, or endless bodies would leave it none. */
  soon(step: () => void): void {
    if (breathing.isDue()) breathing.hold(() => this.step(step))
    else this.step(step)
  }

  after(millis: number, wake: () => void): Cancel {
    let isCancelled = false
    const fiber = this.fork(
      Effect.andThen(this.clock.sleep(Duration.millis(millis)), Effect.sync(() => isCancelled || wake()))
    )
    return () => {
      // A fiber whose sleep is over goes on before it sees an interrupt.
      isCancelled = true
      fiber.interruptUnsafe()
    }
  }

  fork<A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> {
    return Effect.runForkWith(this.context)(Effect.andThen(nextStep, effect))
  }
}
