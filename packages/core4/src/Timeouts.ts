/**
 * How long the parts of a request may take.
 *
 * @since 0.1.0
 */
import * as options from "@sluice/engine/options"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Result from "effect/Result"
import { check, checkGiven, type InvalidOptions, once } from "./InvalidOptions.js"

/**
 * The timeouts of a request. 0 means at once, `"Infinity"` never. All of them run on Effect's `Clock`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timeouts {
  /**
   * How long a request may wait for a connection, while none is being made for it. 0: only what needs no queue.
   * Then `PoolTimeout`. Default 5 seconds.
   */
  readonly pool?: Duration.Input | "Infinity" | undefined
  /**
   * How long making a connection may take: name look-up, TCP, and the TLS handshake. Then `ConnectTimeout`. It
   * runs from the moment a connection is first being made that the request is to have, and ends only this request's wait:
   * others go on waiting for the same connection. `pool` and `connect` together bound the wait. Default 5 seconds.
   */
  readonly connect?: Duration.Input | "Infinity" | undefined
  /**
   * How long the server may be silent while we wait for its bytes, between any two of them. Then `ReadTimeout`. It does
   * not run while nobody reads a body that is larger than the buffer. Default 30 seconds.
   */
  readonly read?: Duration.Input | "Infinity" | undefined
  /**
   * How long the server may take none of the bytes that we send. Then `WriteTimeout`. Default 30 seconds.
   */
  readonly write?: Duration.Input | "Infinity" | undefined
  /**
   * How long it may take from the last byte of the request until the response head is complete, whether bytes come or
   * not. Then `HeadersTimeout`. Default 60 seconds.
   */
  readonly headers?: Duration.Input | "Infinity" | undefined
  /**
   * How long everything may take, from the call until the last byte of the response. Then `TotalTimeout`. Default
   * `"Infinity"`.
   */
  readonly total?: Duration.Input | "Infinity" | undefined
}

/**
 * Timeouts in milliseconds, complete.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolved {
  readonly pool: number
  readonly connect: number
  readonly read: number
  readonly write: number
  readonly headers: number
  readonly total: number
}

/**
 * What is used where nothing is given, in milliseconds.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults: Resolved = options.defaultsOf(options.timeouts)

/**
 * Checks timeouts; what they leave open is taken from `base`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolve = (
  timeouts: Timeouts = {},
  base: Resolved = defaults
): Result.Result<Resolved, InvalidOptions> => check(options.timeouts, timeouts, "timeouts", base)

/**
 * The timeouts that a region of code asked for, in milliseconds; those of the layer apply where it is silent. `locally`
 * checks what it puts there.
 *
 * @since 0.1.0
 * @category fiber refs
 */
export const current: Context.Reference<Partial<Resolved> | undefined> = Context.Reference(
  "@sluice/core4/Timeouts/current",
  { defaultValue: (): Partial<Resolved> | undefined => undefined }
)

const checkLocal = once((given) => checkGiven(options.timeouts, given, "timeouts"))

/**
 * Other timeouts for the requests of a region of code. What is not given stays as it is around it. A name or a
 * value that makes no sense is the defect `InvalidOptions`: it can only be a mistake in the program.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Timeouts from "@sluice/core4/Timeouts"
 *
 * const report = HttpClient.get("http://127.0.0.1:8080/slow-report").pipe(
 *   Timeouts.locally({ read: "2 minutes" })
 * )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const locally: {
  (timeouts: Timeouts): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, timeouts: Timeouts): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, timeouts: Timeouts): Effect.Effect<A, E, R> =>
    Result.match(checkLocal(timeouts), {
      onFailure: (invalid) => Effect.die(invalid),
      onSuccess: (given) => Effect.updateService(self, current, (outer) => ({ ...outer, ...given }))
    })
)
