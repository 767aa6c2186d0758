/**
 * How long the parts of a request may take.
 *
 * @since 0.1.0
 */
import { formatValue } from "@sluice/engine"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import { dual } from "effect/Function"
import { globalValue } from "effect/GlobalValue"
import { toMillis } from "./internal/duration.js"

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
  readonly pool?: Duration.DurationInput | "Infinity" | undefined
  /**
   * How long making a connection may take: name look-up, TCP, and the TLS handshake. Then `ConnectTimeout`. It
   * runs from the moment a connection is first being made that the request is to have, and ends only this request's wait:
   * others go on waiting for the same connection. `pool` and `connect` together bound the wait. Default 5 seconds.
   */
  readonly connect?: Duration.DurationInput | "Infinity" | undefined
  /**
   * How long the server may be silent while we wait for its bytes: before the answer, and between any two of its bytes.
   * Then `ReadTimeout`. It does not run while nobody reads a body that is larger than the buffer. Default 5 seconds.
   */
  readonly read?: Duration.DurationInput | "Infinity" | undefined
  /**
   * How long the server may take none of the bytes that we send. Then `WriteTimeout`. Default 5 seconds.
   */
  readonly write?: Duration.DurationInput | "Infinity" | undefined
  /**
   * How long it may take from having a connection until the head of the answer is complete, however busy the line is.
   * Then `HeadersTimeout`. Default `"Infinity"`.
   */
  readonly headers?: Duration.DurationInput | "Infinity" | undefined
  /**
   * How long everything may take, from the call until the last byte of the answer. Then `TotalTimeout`. Default
   * `"Infinity"`.
   */
  readonly total?: Duration.DurationInput | "Infinity" | undefined
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
 * A timeout makes no sense. Nothing was built.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidTimeouts extends Data.TaggedError("InvalidTimeouts")<{
  /** One of `Timeouts`, or another option that is a duration, as `drainTimeout`. */
  readonly option: string
  readonly value: unknown
}> {
  override get message(): string {
    const name = this.option in defaults ? `timeouts.${this.option}` : this.option
    return `${name} is ${formatValue(this.value)}: expected a duration that is not negative, as in "5 seconds", ` +
      `or "Infinity"`
  }
}

/**
 * What is used where nothing is given, in milliseconds.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults: Resolved = {
  pool: 5000,
  connect: 5000,
  read: 5000,
  write: 5000,
  headers: Infinity,
  total: Infinity
}

/**
 * Checks timeouts; what they leave open is taken from `base`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolve = (
  timeouts: Timeouts = {},
  base: Resolved = defaults
): Either.Either<Resolved, InvalidTimeouts> => {
  const resolved: { -readonly [K in keyof Resolved]: number } = { ...base }
  for (const option of Object.keys(defaults) as Array<keyof Resolved>) {
    const value = timeouts[option]
    if (value === undefined) continue
    const millis = toMillis(value)
    if (millis === undefined) return Either.left(new InvalidTimeouts({ option, value }))
    resolved[option] = millis
  }
  return Either.right(resolved)
}

/**
 * Checks a duration that is an option of its own; in milliseconds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolveDuration = (
  option: string,
  value: Duration.DurationInput | "Infinity" | undefined,
  otherwise: number
): Either.Either<number, InvalidTimeouts> => {
  const millis = value === undefined ? otherwise : toMillis(value)
  return millis === undefined ? Either.left(new InvalidTimeouts({ option, value })) : Either.right(millis)
}

/**
 * The timeouts that a region of code asked for; those of the layer apply where it is silent.
 *
 * @since 0.1.0
 * @category fiber refs
 */
export const current: FiberRef.FiberRef<Timeouts | undefined> = globalValue(
  Symbol.for("@sluice/core/Timeouts/current"),
  () => FiberRef.unsafeMake<Timeouts | undefined>(undefined)
)

/**
 * Other timeouts for the requests of a region of code. What is not given stays as it is around it. A timeout that makes
 * no sense is a defect: it can only be a mistake in the program.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Timeouts from "@sluice/core/Timeouts"
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
    Either.match(resolve(timeouts), {
      onLeft: (invalid) => Effect.die(invalid),
      onRight: () => Effect.locallyWith(self, current, (outer) => ({ ...outer, ...timeouts }))
    })
)
