/**
 * Finds what is lost when somebody is interrupted: plays a piece of a program over and over, interrupted at each of its
 * steps and with its fibers in any order, and checks each time that nothing is left. It is how Sluice tests its own pool.
 *
 * @example
 * ```ts
 * import * as ConnectionPool from "@sluice/core4/ConnectionPool"
 * import * as Origin from "@sluice/core4/Origin"
 * import { Interleavings, MemoryNetwork } from "@sluice/core4/testing"
 * import * as Effect from "effect/Effect"
 * import * as Exit from "effect/Exit"
 * import * as Layer from "effect/Layer"
 * import * as Scope from "effect/Scope"
 *
 * const live = ConnectionPool.layer({ limits: { maxConnections: 1 } }).pipe(Layer.provide(MemoryNetwork.layer()))
 *
 * // An interrupt between the two leaves the Scope open, and its connection is never given back.
 * const leaky = Effect.gen(function*() {
 *   const pool = yield* ConnectionPool.ConnectionPool
 *   const scope = yield* Scope.make()
 *   yield* Scope.provide(pool.acquire(yield* Effect.fromResult(Origin.make("http://api.test"))), scope)
 *   yield* Scope.close(scope, Exit.void)
 * })
 *
 * // Fails with: actor 0 interrupted at step … of …: the check failed: … 1 lease is held
 * const program = Interleavings.explore({ layer: live, actors: [leaky], check: Interleavings.atRest })
 * ```
 *
 * @since 0.1.0
 */
import * as optionTable from "@sluice/engine/options"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as ConnectionPool from "../ConnectionPool.js"
import * as internal from "../internal/testing/explore.js"
import { setTimeout } from "../internal/testing/realTimers.js"
import { check as checkOptions } from "../InvalidOptions.js"

/**
 * What is played, and what must be true after it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<R, E> {
  /** What the actors use, built anew each time. Only what runs on Effect's scheduler and Clock can be explored. */
  readonly layer: Layer.Layer<R, E>
  /**
   * Each runs in a fiber of its own. It may succeed or fail; it must come to an end, whichever is interrupted, and not
   * die.
   */
  readonly actors: ReadonlyArray<Effect.Effect<unknown, unknown, R>>
  /** Succeeds when nothing is left: see `atRest`. Default: nothing is checked but that all of them end. */
  readonly check?: Effect.Effect<unknown, unknown, R> | undefined
  /** How many random orders are played besides interrupting each actor at each step. Default 100. */
  readonly random?: number | undefined
  /** The seed of the first random order: the seed of a failure, and `random: 1`, play that one again. Default 0. */
  readonly seed?: number | undefined
}

/**
 * What was explored.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  readonly interleavings: number
}

/**
 * In this order of steps it did not end, or left something behind. The same order breaks it each time.
 *
 * @since 0.1.0
 * @category errors
 */
export class InterleavingFailure extends Data.TaggedError("InterleavingFailure")<{
  readonly schedule: string
  readonly detail: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `${this.schedule}: ${this.detail}`
  }
}

/** After so many interleavings the event loop has its turn, so that a runner's timeouts and reports come through. */
const playsInATurn = 16

/**
 * Plays the actors interrupted at each step, one after the other, and then in random orders. It takes no time on any
 * Clock; the event loop has its turn between two interleavings now and then, and there it can be interrupted.
 *
 * @since 0.1.0
 * @category exploring
 */
export const explore = <R, E>(
  options: Options<R, E>
): Effect.Effect<Report, InterleavingFailure> =>
  Effect.suspend(() => {
    const { random, seed } = Result.getOrThrowWith(
      checkOptions(optionTable.interleavings, options, "Interleavings"),
      identity
    )
    const { actors, check = Effect.void, layer } = options
    return Effect.callback<Report, InterleavingFailure>((resume) => {
      const plays = internal.explore({ actors, check, layer }, random, seed)
      let isInterrupted = false
      const go = () => {
        if (isInterrupted) return
        try {
          for (let n = 0; n < playsInATurn; n++) {
            const { done, value } = plays.next()
            if (done === true) return resume(Effect.succeed({ interleavings: value }))
          }
        } catch (error) {
          return resume(Effect.fail(failureOf(error)))
        }
        setTimeout(go, 0)
      }
      go()
      return Effect.sync(() => {
        isInterrupted = true
      })
    })
  })

const failureOf = (error: unknown): InterleavingFailure =>
  error instanceof internal.Broken
    ? new InterleavingFailure({ schedule: error.schedule, detail: error.what, cause: error.cause })
    : new InterleavingFailure({ schedule: "in any order", detail: String(error), cause: error })

/**
 * Nobody holds a connection of the pool, waits for one or is having one made. Dies otherwise, and says what is left.
 *
 * @since 0.1.0
 * @category checks
 */
export const atRest: Effect.Effect<void, never, ConnectionPool.ConnectionPool> = Effect.flatMap(
  ConnectionPool.ConnectionPool,
  (pool) =>
    Effect.suspend(() => {
      const { dialing, leases, waiting } = pool.unsafeStats()
      const left = [
        leases > 0 ? `${leases} ${leases === 1 ? "lease is" : "leases are"} held` : [],
        waiting > 0 ? `${waiting} ${waiting === 1 ? "waits" : "wait"} for a connection` : [],
        dialing > 0 ? `${dialing} ${dialing === 1 ? "connection is" : "connections are"} being made` : []
      ].flat()
      return left.length === 0 ? Effect.void : Effect.die(new Error(left.join(", ")))
    })
)
