/**
 * The pool as it is at one moment.
 *
 * @since 0.1.0
 */

import type * as Engine from "@sluice/engine"
import type * as EnginePool from "@sluice/engine/pool"

/**
 * Counts of the pool, or of one origin. A connection is in one of `active` (it carries at least one request), `idle` (it
 * is kept for the next one), `dialing` and `closing`; their sum is `open`, the permits that are out. `waiting` counts the
 * requests in the queue.
 *
 * @since 0.1.0
 * @category models
 */
export type Counts = Engine.Counts

/**
 * @since 0.1.0
 * @category models
 */
export interface PoolStats extends Counts {
  readonly maxConnections: number
  /** Permits that can be taken now: `maxConnections - open`. */
  readonly permitsFree: number
  /** Requests that hold a connection; more than `active` where HTTP/2 shares one. */
  readonly leases: number
  /**
   * By origin, for those with connections or waiters. What an origin does over the connections of another one is with
   * the other one.
   */
  readonly origins: ReadonlyMap<string, Counts>
}

/**
 * A request that holds a connection: its `method`, its `url` without credentials, query and fragment, its `age` in
 * milliseconds, and whether its response is there and nobody has begun to read the body (`bodyUnread`).
 *
 * @since 0.1.0
 * @category models
 */
export type LeaseDescription = Engine.LeaseDescription

/**
 * What `PoolTimeout` shows of the pool: why there was no connection, and who held them. Leases are those of the origin
 * alone when it has all the connections that `maxConnectionsPerOrigin` allows: others are no reason to wait then.
 *
 * - `origin`: the counts of the origin that the request was for.
 * - `reserved`: where connections are reserved for some origins, how many, and whether this origin is one of those. Then
 *   `maxConnections` and the counts are of the share that it has its connections from.
 * - `longestHeld`: the leases held longest, at most five.
 * - `heldByThisFiber`: how many leases the waiting fiber holds itself.
 * - `heldByKin`: how many are held by the fibers that it was forked from, at any depth, or that it has joined: as when a
 *   response is read by a fiber of its own, or the inner request is made in an `Effect.timeout`.
 * - `lastFailure`: what the last attempt to connect to the origin failed with, if none has succeeded since, and how many
 *   milliseconds ago.
 *
 * @since 0.1.0
 * @category models
 */
export type PoolSnapshot = Engine.PoolSnapshot

/**
 * A request that has not ended: its `method`, its `url` without credentials, query and fragment, the `phase` that it is in,
 * how long ago it asked for a connection (`age`, milliseconds), the number of its `connection`, how many bytes of the
 * body of the response were `received`, whether nobody has begun to read that (`bodyUnread`), and the `fiber` that
 * waits for it, as logs name it.
 *
 * @since 0.1.0
 * @category models
 */
export interface InFlight extends Omit<EnginePool.InFlight, "caller"> {
  readonly fiber: string
}
