/**
 * A proxy below HTTP: it carries bytes between a client and any server, and spoils them where a plan says.
 *
 * @since 0.1.0
 */
import * as table from "@sluice/engine/options"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { checked } from "./internal/checked.js"
import * as internal from "./internal/faultProxy/faultProxy.js"
import type { Options } from "./internal/faultProxy/faultProxy.js"
import * as plans from "./internal/faultProxy/plan.js"
import type { Plan } from "./internal/faultProxy/plan.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Action, DirectionPlan, Fault, Plan } from "./internal/faultProxy/plan.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { FaultStats, Options } from "./internal/faultProxy/faultProxy.js"

/**
 * @since 0.1.0
 * @category models
 */
export type FaultProxy = internal.FaultProxy

/**
 * @since 0.1.0
 * @category tags
 */
export const FaultProxy: Context.Tag<FaultProxy, FaultProxy> = Context.GenericTag<FaultProxy>(
  "@sluice/test-server/FaultProxy"
)

/**
 * Starts a fault proxy on a free loopback port. When the scope ends, all of its connections are broken off.
 *
 * @example
 * ```ts
 * import { FaultProxy, Reply, TestServer } from "@sluice/test-server"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* TestServer.make({ replies: { "/": Reply.size(1_000_000) } })
 *   const proxy = yield* FaultProxy.make({
 *     to: server,
 *     // The first connection is reset in the middle of its response, all others are slow.
 *     plan: [
 *       { down: { faults: [{ afterBytes: 1000, action: "reset" }] } },
 *       { down: { bytesPerSecond: 50_000 } }
 *     ]
 *   })
 *   return `http://${proxy.address}/`
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<FaultProxy, never, Scope.Scope> =>
  Effect.suspend(() => internal.make(checked("FaultProxy", table.faultProxy, options)))

/**
 * A fault proxy as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<FaultProxy> => Layer.scoped(FaultProxy, make(options))

/**
 * A plan of at most one fault, chosen by the seed: the same seed gives the same plan.
 *
 * @since 0.1.0
 * @category constructors
 */
export const random = (seed: number): Plan => {
  if (!Number.isInteger(seed)) {
    throw new TypeError(`FaultProxy.random: seed is ${table.show(seed)}: expected a whole number`)
  }
  return plans.random(seed)
}
