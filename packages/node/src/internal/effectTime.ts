import type { HostTime } from "@sluice/engine"
import { runtimeHooks } from "@sluice/engine/node"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"

/** What all live Clocks of Effect have in common. */
const live: unknown = Object.getPrototypeOf(Clock.make())

/** How time passes for the connections of a layer: by the Clock that the layer was built with. */
export const effectTime = (runtime: Runtime.Runtime<never>): Pick<HostTime, "elapsed" | "sleep"> => {
  const clock = Runtime.runSync(runtime)(Effect.clock)
  const fork = Runtime.runFork(runtime)
  const isLive = Object.getPrototypeOf(clock) === live
  return {
    // As the pool over them reads it, so that their times are of one origin.
    elapsed: isLive ? runtimeHooks.elapsed : () => Number(clock.unsafeCurrentTimeNanos()) / 1e6,
    sleep: (millis, wake, background) => {
      // No Clock has timers that do not keep the process alive.
      if (background && isLive) return runtimeHooks.backgroundSleep(millis, wake)
      let isCancelled = false
      const fiber = fork(Effect.zipRight(Effect.sleep(millis), Effect.sync(() => isCancelled || wake())))
      return () => {
        // A fiber whose sleep is over goes on before it sees an interrupt.
        isCancelled = true
        fiber.unsafeInterruptAsFork(FiberId.none)
      }
    }
  }
}
