/**
 * A gate holds replies back until the test opens it, so that a test decides the order of things without sleeping.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as internal from "./internal/gate.js"
import type { Gate } from "./internal/gate.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: typeof internal.TypeId = internal.TypeId

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * @since 0.1.0
 * @category models
 */
export type { Gate } from "./internal/gate.js"

/**
 * A new gate, closed.
 *
 * @example
 * ```ts
 * import { Gate, Reply, TestServer } from "@sluice/test-server"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* TestServer.make()
 *   const gate = yield* Gate.make
 *   yield* server.reply("/slow", Reply.text("at last", { hold: gate }))
 *   // ... send requests
 *   yield* gate.awaitHeld(2) // both have arrived and neither has a response
 *   yield* gate.open
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Gate> = internal.make

/**
 * A new gate, closed, made outside of Effect.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeMake: () => Gate = internal.unsafeMake

/**
 * @since 0.1.0
 * @category refinements
 */
export const isGate: (u: unknown) => u is Gate = internal.isGate
