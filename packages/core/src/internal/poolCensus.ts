import { PoolCensus } from "@sluice/engine/pool"
import * as Effect from "effect/Effect"
import { globalValue } from "effect/GlobalValue"
import type * as Scope from "effect/Scope"

const census = globalValue(Symbol.for("@sluice/core/poolCensus"), () => new PoolCensus())

/** Counts a pool until its Scope ends; says so once when there are too many alike. */
export const register = (options: unknown): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const { leave, warning } = census.enter(options)
    return Effect.zipRight(
      Effect.addFinalizer(() => Effect.sync(leave)),
      warning === undefined ? Effect.void : Effect.logWarning(warning)
    )
  })
