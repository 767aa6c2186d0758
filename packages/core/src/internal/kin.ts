import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"

type Ids = ReadonlyArray<FiberId.FiberId>

/** Enough for how deep forks are nested; a chain of fibers without end is not to grow. */
const remembered = 16

const union = (some: Ids, more: Ids): Ids => {
  const added = more.filter((id) => !some.includes(id))
  return added.length === 0 ? some : [...some, ...added].slice(-remembered)
}

/**
 * The fibers that have held a lease and that a fiber descends from, or has joined. A fiber does not know who forked it;
 * what it inherits it does. So it is set when a fiber gets hold of a response that keeps its connection, and read when
 * one that waits has waited in vain.
 */
const kin: FiberRef.FiberRef<Ids> = globalValue(
  Symbol.for("@sluice/core/kin"),
  () => FiberRef.unsafeMake<Ids>([], { join: union })
)

/** This fiber holds a connection from now on. */
export const remember: Effect.Effect<void> = Effect.fiberIdWith((id) => FiberRef.update(kin, (ids) => union(ids, [id])))

export const kinOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Ids => fiber.getFiberRef(kin)
