/**
 * The service that makes connections.
 *
 * @since 0.1.0
 */
import type { ExplainedRoute, Failure, RuntimeHooks } from "@sluice/engine"
import type { Clock } from "effect/Clock"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Connection, ConnectionListener } from "./Connection.js"
import type { Origin } from "./Origin.js"
import type * as Timeouts from "./Timeouts.js"
import type { TransportError } from "./TransportError.js"

/**
 * Makes connections for a pool. The Scope that `connect` runs in is the connection's own: its finalizers close the
 * socket, and must not end before the socket is gone, because the permit of the pool is given back right after them.
 * Interrupting `connect` leaves nothing behind.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connector {
  readonly connect: (
    origin: Origin,
    listener: ConnectionListener
  ) => Effect.Effect<Connection, TransportError, Scope.Scope>
  /**
   * What a first connection to this origin will speak: `"unknown"` when it is negotiated (ALPN), so that the pool
   * makes one connection and waits for its response before it makes more.
   */
  readonly protocol: (origin: Origin) => "http/1.1" | "h2" | "unknown"
  /**
   * Which of these connections, made for other origins and open now, carry requests of this origin as well (RFC 9113
   * §9.1.1). It is asked for an origin that has no connection, before one is made, and takes no permit; in the end it
   * may take as long as a connection may take to be made. Absent: connections are never shared.
   */
  readonly coalesce?:
    | ((origin: Origin, open: ReadonlyArray<Connection>) => Effect.Effect<ReadonlyArray<Connection>>)
    | undefined
  /**
   * How requests to an origin would get there, for `Explanation`: names are looked up, for so many milliseconds
   * at most each, and nothing is connected to. Absent: there is nothing to say.
   */
  readonly explain?: ((origin: Origin, timeout: number) => Effect.Effect<ExplainedRoute>) | undefined
  /**
   * Which way the requests of a URL go (a proxy, options of the origin alone). Absent: all go the plain way.
   */
  readonly routes?: Routes | undefined
  /**
   * What the runtime under the connections has besides them; used where time is real, with Effect's own Clock. Absent, as
   * for a network in memory: deadlines look at what has happened by now, no context is captured, and every timer keeps
   * the process alive.
   */
  readonly runtime?: RuntimeHooks | undefined
  /**
   * What is wrong with a caller whose fiber has this Clock, over a pool that has that one; undefined for nothing. It is a
   * defect of the caller. For a network in memory, where a test that moves another Clock would wait for ever. Absent:
   * nothing is looked at.
   */
  readonly clockProblem?: ((caller: Clock, pool: Clock) => Error | undefined) | undefined
}

/**
 * - `route`: the origin with a `key` that distinguishes its connections from all that are not interchangeable with them, and
 *   what the connector needs to know of the way; or why there is none. `url` is undefined where only the origin is known;
 *   `wantsTunnel` says that the request is to become a tunnel itself (CONNECT, Upgrade).
 * - `varies`: whether it may say another thing for the same URL later.
 * - `timeoutsOf`: the timeouts that an origin has of its own; it does not throw. Absent: `total` is the same for all.
 *
 * @since 0.1.0
 * @category models
 */
export interface Routes {
  readonly route: (origin: Origin, url: object | undefined, wantsTunnel: boolean) => Origin | Failure.Failure
  readonly varies: boolean
  readonly timeoutsOf?: ((origin: Origin) => Partial<Timeouts.Resolved> | undefined) | undefined
}

/**
 * @since 0.1.0
 * @category tags
 */
export const Connector: Context.Service<Connector, Connector> = Context.Service<Connector, Connector>(
  "@sluice/core4/Connector"
)
