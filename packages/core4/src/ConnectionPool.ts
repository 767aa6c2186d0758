/**
 * A pool of connections that cannot leak: a scoped resource in which every connection is a Scope of its own, holding
 * one permit of an `Semaphore.Semaphore` for as long as its socket is open.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Connector } from "./Connector.js"
import type { AcquireError, Lease } from "./internal/AcquireTicket.js"
import * as internal from "./internal/connectionPool.js"
import type { Options } from "./internal/connectionPool.js"
import type { InvalidOptions } from "./InvalidOptions.js"
import type { Limits } from "./Limits.js"
import type { Origin } from "./Origin.js"
import type { PoolEvent } from "./PoolEvent.js"
import type { InFlight, PoolStats } from "./PoolStats.js"
import type { TransportError } from "./TransportError.js"

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
export type { AcquireError, Lease } from "./internal/AcquireTicket.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface ConnectionPool {
  readonly [TypeId]: TypeId
  /**
   * Takes a connection to the origin for as long as the Scope lasts: an idle one, a new one, or the first to come free.
   * Waits for `timeout` at most, by default `timeouts.pool` of the pool, then fails with `PoolTimeout`. Interrupting it
   * at any moment leaves the pool as it was. Options that make no sense are the defect `InvalidOptions`.
   */
  readonly acquire: (
    origin: Origin,
    options?: { readonly timeout?: Duration.Input | "Infinity" | undefined }
  ) => Effect.Effect<Lease, AcquireError, Scope.Scope>
  /** The pool as it is now. */
  readonly stats: Effect.Effect<PoolStats>
  /** The same, read at once. */
  readonly unsafeStats: () => PoolStats
  /**
   * The requests that have not ended: first those that hold a connection, longest first, then those that wait for one. It
   * is what `PoolTimeout` shows without a `PoolTimeout`: a download that is stuck says nothing by itself.
   */
  readonly inFlight: Effect.Effect<ReadonlyArray<InFlight>>
  /** What happens from now on. Ends when the pool is closed. Costs nothing while nobody runs it. */
  readonly events: Stream.Stream<PoolEvent>
  /** Closes every idle connection; returns how many. */
  readonly evictIdle: Effect.Effect<number>
  /**
   * Connects until there are `count` connections to the origin, as far as the limits allow. Fails with the first error
   * of a dial. They are idle connections as any other: `maxKeepAliveConnections` and `keepAliveExpiry` apply. A count
   * that is no whole number is the defect `InvalidOptions`.
   */
  readonly warm: (origin: Origin, count: number) => Effect.Effect<void, TransportError>
  /** The limits in force. */
  readonly limits: Effect.Effect<Limits>
  /**
   * Other limits; what is not given stays as it is. Lowering them closes idle connections first, and busy ones when they
   * are given back.
   */
  readonly setLimits: (limits: Limits) => Effect.Effect<void, InvalidOptions>
}

/**
 * @since 0.1.0
 * @category tags
 */
export const ConnectionPool: Context.Service<ConnectionPool, ConnectionPool> = Context.Service<
  ConnectionPool,
  ConnectionPool
>(
  "@sluice/core4/ConnectionPool"
)

/**
 * @since 0.1.0
 * @category models
 */
export type { Options } from "./internal/connectionPool.js"

/**
 * Opens a pool. When the Scope ends, waiters get `PoolClosed`, and after it no socket, timer or fiber of the
 * pool is left.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (
  options?: Options
) => Effect.Effect<ConnectionPool, InvalidOptions, Connector | Scope.Scope> = internal.make

/**
 * A pool as a layer. Provided once, it is one pool for the whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options?: Options
): Layer.Layer<ConnectionPool, InvalidOptions, Connector> => Layer.effect(ConnectionPool, make(options))
