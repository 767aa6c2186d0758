import type { Cancel } from "@sluice/engine"
import type { MemoryTime } from "@sluice/engine/memory"
import type { DriverRuntime } from "@sluice/engine/node"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Runtime from "effect/Runtime"
import * as Scheduler from "effect/Scheduler"
import { breathing } from "./breathing.js"

/**
 * When things happen in a network in memory: by the scheduler and the Clock of the Effect that it was made in. Nothing
 * waits for the event loop, so that a test decides about every step, and `TestClock` about all time.
 */
export class MemoryRuntime implements DriverRuntime, MemoryTime {
  private readonly scheduler: Scheduler.Scheduler
  private readonly clock: Clock.Clock
  /** Only Effect's own scheduler shares its process with an event loop. */
  private readonly hasEventLoop: boolean

  constructor(private readonly runtime: Runtime.Runtime<never>) {
    this.scheduler = FiberRefs.getOrDefault(runtime.fiberRefs, FiberRef.currentScheduler)
    this.hasEventLoop = this.scheduler instanceof Scheduler.MixedScheduler
    this.clock = Runtime.runSync(runtime)(Effect.clock)
  }

  readonly now = (): number => Number(this.clock.unsafeCurrentTimeNanos()) / 1e6

  readonly recently = this.now

  /** What has been sent by now has been delivered then: steps are taken in the order in which they were asked for. */
  readonly afterPoll = (then: () => void): void => this.soon(then)

  readonly queueMicrotask = (then: () => void): void => this.soon(then)

  readonly atEndOfTurn = (task: { readonly onEndOfTurn: () => void }): void => this.soon(() => task.onEndOfTurn())

  readonly backgroundSleep = (millis: number, wake: () => void): Cancel => this.after(millis, wake)

  /** A step of its own, soon. Now and then the event loop has its turn, or endless bodies would leave it none. */
  soon(step: () => void): void {
    if (!this.hasEventLoop) return this.scheduler.scheduleTask(step, 0)
    // Effect's own scheduler never takes another task after one that threw: all tests of the process would hang.
    const safe = () => {
      try {
        step()
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
    if (breathing.isDue()) breathing.hold(() => this.scheduler.scheduleTask(safe, 0))
    else this.scheduler.scheduleTask(safe, 0)
  }

  after(millis: number, wake: () => void): Cancel {
    let isCancelled = false
    const fiber = this.fork(
      Effect.zipRight(this.clock.sleep(Duration.millis(millis)), Effect.sync(() => isCancelled || wake()))
    )
    return () => {
      // A fiber whose sleep is over goes on before it sees an interrupt.
      isCancelled = true
      fiber.unsafeInterruptAsFork(FiberId.none)
    }
  }

  fork<A, E>(effect: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> {
    return Runtime.runFork(this.runtime)(effect, { immediate: false })
  }
}
