/**
 * How many connections there may be, and how long they live.
 *
 * @since 0.1.0
 */
import * as options from "@sluice/engine/options"
import type { CoreLimits } from "@sluice/engine/pool"
import type * as Duration from "effect/Duration"
import type * as Result from "effect/Result"
import { check, type InvalidOptions } from "./InvalidOptions.js"

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
   * When there are more, the one idle longest is closed. Default 20; where both are
   * given, no more than `maxConnections`.
   */
  readonly maxKeepAliveConnections?: number | undefined
  /**
   * How long an idle connection is kept. 0 keeps none. A server's `Keep-Alive: timeout=` shortens it, less a margin of
   * a second, so that no request meets a connection that the server is just closing. Default 5 seconds.
   */
  readonly keepAliveExpiry?: Duration.Input | "Infinity" | undefined
  /**
   * How old a connection may become, less up to a tenth at random so that connections made together do not end
   * together. One in use finishes first. Use it where DNS or a load balancer moves. Default `"Infinity"`.
   */
  readonly maxConnectionAge?: Duration.Input | "Infinity" | undefined
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
 * What is used where nothing is given; durations in milliseconds.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults: CoreLimits = options.defaultsOf(options.limits)

/**
 * Checks limits and fills in what they leave open: from `base`, by default the defaults. Durations become milliseconds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolve = (
  limits: Limits = {},
  base: CoreLimits = defaults
): Result.Result<CoreLimits, InvalidOptions> => check(options.limits, limits, "limits", base)
