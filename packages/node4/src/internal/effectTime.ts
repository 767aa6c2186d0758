import type { HostTime } from "@sluice/engine"
import { runtimeHooks } from "@sluice/engine/node"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** What all live Clocks of Effect have in common. */
const live: unknown = Object.getPrototypeOf(Clock.Clock.defaultValue())

/** How time passes for the connections of a layer: by the Clock that the layer was built with. */
export const effectTime = (context: Context.Context<never>): Pick<HostTime, "elapsed" | "sleep"> => {
  const clock = Context.get(context, Clock.Clock)
  const fork = Effect.runForkWith(context)
  const isLive = Object.getPrototypeOf(clock) === live
  return {
    // As the pool over them reads it, so that their times are of one origin.
    elapsed: isLive ? runtimeHooks.elapsed : () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
    sleep: (millis, wake, background) => {
      // No Clock has timers that do not keep the process alive.
      if (background && isLive) return runtimeHooks.backgroundSleep(millis, wake)
      let isCancelled = false
      const fiber = fork(
        Effect.andThen(millis > 0 ? Effect.sleep(millis) : Effect.yieldNow, Effect.sync(() => isCancelled || wake()))
      )
      return () => {
        // A fiber whose sleep is over goes on before it sees an interrupt.
        isCancelled = true
        fiber.interruptUnsafe()
      }
    }
  }
}
