import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"

/** Goes off once, on Effect's Clock, unless it is set again or called off before. */
export class Alarm {
  private fiber: Fiber.RuntimeFiber<void> | undefined = undefined

  constructor(private readonly runtime: Runtime.Runtime<never>, private readonly onAlarm: () => void) {}

  get isSet(): boolean {
    return this.fiber !== undefined
  }

  /** `Infinity` calls it off. */
  set(millis: number): void {
    this.cancel()
    if (millis === Infinity) return
    const fiber = Runtime.runFork(this.runtime)(Effect.zipRight(
      Effect.sleep(millis),
      Effect.sync(() => {
        if (this.fiber !== fiber) return
        this.fiber = undefined
        this.onAlarm()
      })
    ))
    this.fiber = fiber
  }

  cancel(): void {
    this.fiber?.unsafeInterruptAsFork(FiberId.none)
    this.fiber = undefined
  }
}
