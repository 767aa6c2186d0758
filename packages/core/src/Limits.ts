/**
 * How many connections there may be, and how long they live.
 *
 * @since 0.1.0
 */
import { formatMillis, formatValue } from "@sluice/engine"
import type { CoreLimits } from "@sluice/engine/pool"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { toMillis } from "./internal/duration.js"

/**
 * The limits of a pool. Each has a default; `Infinity` (for a duration, `"Infinity"`) turns one off.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /**
   * Connections open at once, over all origins, those being made and being closed included: sockets never exceed it.
   * At least 1. Default 100.
   *
   * A request that finds all of them in use waits, for `timeouts.pool` at most.
   */
  readonly maxConnections?: number | undefined
  /**
   * Connections open at once to one origin. At least 1. Default `Infinity`.
   */
  readonly maxConnectionsPerOrigin?: number | undefined
  /**
   * Idle connections that are kept for later, over all origins; connections in use do not count. 0 keeps none.
   * When there are more, the one idle longest is closed. Default 20, and never more than `maxConnections`.
   */
  readonly maxKeepAliveConnections?: number | undefined
  /**
   * How long an idle connection is kept. 0 keeps none. A server's `Keep-Alive: timeout=` shortens it, less a margin of
   * a second, so that no request meets a connection that the server is just closing. Default 5 seconds.
   */
  readonly keepAliveExpiry?: Duration.DurationInput | "Infinity" | undefined
  /**
   * How old a connection may become, less up to a tenth at random so that connections made together do not end
   * together. One in use finishes first. Use it where DNS or a load balancer moves. Default `"Infinity"`.
   */
  readonly maxConnectionAge?: Duration.DurationInput | "Infinity" | undefined
  /**
   * How many requests a connection serves before it is closed. At least 1. Default `Infinity`.
   */
  readonly maxRequestsPerConnection?: number | undefined
  /**
   * Requests that may wait for a connection at once, those not counted that a connection is being made for. One more
   * fails with `PoolQueueFull`. 0 lets none wait. Default `Infinity`.
   */
  readonly maxPendingRequests?: number | undefined
}

/**
 * A limit makes no sense. Nothing was built.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidLimits extends Data.TaggedError("InvalidLimits")<{
  /** One of `Limits`, or another option of the pool, as `whenFull`. */
  readonly option: string
  readonly value: unknown
  /** What it should be. */
  readonly expected: string
}> {
  override get message(): string {
    const name = this.option in defaults ? `limits.${this.option}` : this.option
    return `${name} is ${formatValue(this.value)}: ${this.expected}`
  }
}

/**
 * What is used where nothing is given.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults = {
  maxConnections: 100,
  maxConnectionsPerOrigin: Infinity,
  maxKeepAliveConnections: 20,
  keepAliveExpiry: "5 seconds",
  maxConnectionAge: "Infinity",
  maxRequestsPerConnection: Infinity,
  maxPendingRequests: Infinity
} as const satisfies Limits

/**
 * Checks limits and fills in the defaults; durations become milliseconds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolve = (limits: Limits = {}): Either.Either<CoreLimits, InvalidLimits> =>
  Either.gen(function*() {
    const maxConnections = yield* count(limits, "maxConnections", 1)
    const maxKeepAliveConnections = yield* count(limits, "maxKeepAliveConnections", 0)
    const isGiven = limits.maxKeepAliveConnections !== undefined && maxKeepAliveConnections !== Infinity
    if (isGiven && maxKeepAliveConnections > maxConnections) {
      return yield* Either.left(
        new InvalidLimits({
          option: "maxKeepAliveConnections",
          value: maxKeepAliveConnections,
          expected: `it is more than maxConnections (${maxConnections}); no more than are open can be kept`
        })
      )
    }
    return {
      maxConnections,
      maxConnectionsPerOrigin: yield* count(limits, "maxConnectionsPerOrigin", 1),
      maxKeepAliveConnections: Math.min(maxKeepAliveConnections, maxConnections),
      keepAliveExpiry: yield* duration(limits, "keepAliveExpiry", 0),
      maxConnectionAge: yield* duration(limits, "maxConnectionAge", 1),
      maxRequestsPerConnection: yield* count(limits, "maxRequestsPerConnection", 1),
      maxPendingRequests: yield* count(limits, "maxPendingRequests", 0)
    }
  })

type CountOption =
  | "maxConnections"
  | "maxConnectionsPerOrigin"
  | "maxKeepAliveConnections"
  | "maxRequestsPerConnection"
  | "maxPendingRequests"

const count = (limits: Limits, option: CountOption, least: number): Either.Either<number, InvalidLimits> => {
  const value = limits[option] ?? defaults[option]
  if (value === Infinity || (Number.isSafeInteger(value) && value >= least)) return Either.right(value)
  return Either.left(
    new InvalidLimits({ option, value, expected: `expected a whole number, at least ${least}, or Infinity` })
  )
}

const duration = (
  limits: Limits,
  option: "keepAliveExpiry" | "maxConnectionAge",
  least: number
): Either.Either<number, InvalidLimits> => {
  const value = limits[option] ?? defaults[option]
  const millis = toMillis(value)
  if (millis !== undefined && millis >= least) return Either.right(millis)
  return Either.left(
    new InvalidLimits({
      option,
      value,
      expected: `expected a duration of at least ${formatMillis(least)}, as in "5 seconds"`
    })
  )
}
