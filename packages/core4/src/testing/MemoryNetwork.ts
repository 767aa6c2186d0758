/**
 * A network in memory: servers that dial, respond, fall silent and break as the test says, on Effect's Clock. It is a
 * `Connector`, so the pool and the client above it are the real ones, and `TestClock` moves every timeout.
 *
 * @example
 * ```ts
 * import * as ConnectionPool from "@sluice/core4/ConnectionPool"
 * import { MemoryNetwork } from "@sluice/core4/testing"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * // A pool whose connections take a second to make and whose server responds with a greeting.
 * const network = MemoryNetwork.layer({
 *   dial: () => Effect.delay(Effect.succeed({}), "1 second"),
 *   respond: (request) => Effect.succeed({ status: 200, body: `hello ${request.target}` })
 * })
 * const live = ConnectionPool.layer({ limits: { maxConnections: 2 } }).pipe(Layer.provideMerge(network))
 *
 * const program = Effect.gen(function*() {
 *   const pool = yield* ConnectionPool.ConnectionPool
 *   const network = yield* MemoryNetwork.MemoryNetwork
 *   return [yield* pool.stats, network.open] as const
 * }).pipe(Effect.provide(live))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Connector } from "../Connector.js"
import type { Dial, Held, Options, Reply, Request, Server } from "../internal/testing/memoryModels.js"
import * as internal from "../internal/testing/memoryNetwork.js"
import { ConnectError } from "../TransportError.js"
import type { TransportError } from "../TransportError.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Dial, Endpoint, Held, Options, Reply, Request, Server } from "../internal/testing/memoryModels.js"

/**
 * A network, and what has happened in it.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemoryNetwork {
  readonly connector: Connector
  /** Every dial, oldest first. */
  readonly dials: ReadonlyArray<Dial>
  /** Every connection that was made, oldest first. */
  readonly connections: ReadonlyArray<Server>
  /** Every request, oldest first. */
  readonly requests: ReadonlyArray<Request>
  /** Sockets that exist now: being connected, connected, or being closed. */
  readonly open: number
  /** The most that existed at once. */
  readonly maxOpen: number
  /** Rules of `Connection` that whoever used the network broke, as a request on a closed connection. */
  readonly faults: ReadonlyArray<string>
}

/**
 * @since 0.1.0
 * @category tags
 */
export const MemoryNetwork: Context.Service<MemoryNetwork, MemoryNetwork> = Context.Service<
  MemoryNetwork,
  MemoryNetwork
>(
  "@sluice/core4/testing/MemoryNetwork"
)

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: Options) => Effect.Effect<MemoryNetwork> = internal.make

/**
 * A network and its `Connector`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<MemoryNetwork | Connector> =>
  Layer.effectContext(
    Effect.map(
      make(options),
      (network) => Context.make(MemoryNetwork, network).pipe(Context.add(Connector, network.connector))
    )
  )

/**
 * Leaves it to the test how a dial or a request ends: `network.dials[0].succeed({})`.
 *
 * @example
 * ```ts
 * import { MemoryNetwork } from "@sluice/core4/testing"
 *
 * const network = MemoryNetwork.layer({ dial: MemoryNetwork.hold, respond: MemoryNetwork.hold })
 * ```
 *
 * @since 0.1.0
 * @category behaviours
 */
export const hold = <A>(held: Held<A>): Effect.Effect<A, TransportError> => held.outcome

/**
 * Responds by route, as `GET https://api.test/users/:id` or `/users/*`: what a URL may be is said at `MockHttp.Matcher`.
 * The first route that means a request counts; to others it is 404. A route that can never match throws.
 *
 * @example
 * ```ts
 * import { MemoryNetwork } from "@sluice/core4/testing"
 * import * as Effect from "effect/Effect"
 *
 * const network = MemoryNetwork.layer({
 *   respond: MemoryNetwork.routes({
 *     "GET /hello": { body: "hello" },
 *     "POST /orders": (request) => Effect.map(request.text, (body) => ({ status: 201, body }))
 *   })
 * })
 * ```
 *
 * @since 0.1.0
 * @category behaviours
 */
export const routes: (
  replies: Readonly<Record<string, Reply | NonNullable<Options["respond"]>>>
) => NonNullable<Options["respond"]> = internal.routes

/**
 * Nobody listens there.
 *
 * @since 0.1.0
 * @category behaviours
 */
export const refuse = (dial: Dial): Effect.Effect<never, ConnectError> =>
  Effect.fail(new ConnectError({ origin: dial.origin.href, reason: "Refused", detail: "connection refused" }))
