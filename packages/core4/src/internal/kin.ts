import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

type Ids = ReadonlyArray<number>

/** Enough for how deep forks are nested; a chain of fibers without end is not to grow. */
const remembered = 16

/**
 * The fibers that have held a lease and that a fiber descends from. A fiber does not know who forked it; what it inherits it
 * does. So it is set when a fiber gets hold of a response that keeps its connection, and read when one that waits has waited
 * in vain. It is gone with the region of a `provide` that it was set in.
 */
const kin: Context.Reference<Ids> = Context.Reference("@sluice/core4/kin", { defaultValue: (): Ids => [] })

/** This fiber holds a connection from now on. */
export const rememberIn = (fiber: Fiber.Fiber<unknown, unknown>): void => {
  const ids = fiber.getRef(kin)
  if (ids.includes(fiber.id)) return
  fiber.setContext(Context.add(fiber.context, kin, [...ids, fiber.id].slice(-remembered)))
}

export const remember: Effect.Effect<void> = Effect.withFiber((fiber) => {
  rememberIn(fiber)
  return Effect.void
})

export const kinOf = (fiber: Fiber.Fiber<unknown, unknown>): Ids => fiber.getRef(kin)
