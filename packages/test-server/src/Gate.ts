/**
 * A gate holds replies back until the test opens it, so that a test decides the order of things without sleeping.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as internal from "./internal/gate.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = internal.TypeId

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * Holds whatever reaches it while it is closed. A gate uses no clock: it works under TestClock as it does live.
 *
 * @since 0.1.0
 * @category models
 */
export interface Gate {
  readonly [TypeId]: TypeId

  /** Lets all that is held pass, and all that comes later. */
  readonly open: Effect.Effect<void>

  /** Holds all that comes from now on. */
  readonly close: Effect.Effect<void>

  /** Lets the first `count` pass (those held, then those still to come) and stays closed for the rest. */
  readonly pass: (count: number) => Effect.Effect<void>

  /** How many are held now. */
  readonly held: Effect.Effect<number>

  /** Waits until at least `count` are held at once. */
  readonly awaitHeld: (count: number) => Effect.Effect<void>

  /** Waits at the gate like a reply does. */
  readonly await: Effect.Effect<void>
}

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
