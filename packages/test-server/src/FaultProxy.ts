/**
 * A proxy below HTTP: it carries bytes between a client and any server, and spoils them where a plan says.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Gate } from "./Gate.js"
import * as internal from "./internal/faultProxy/faultProxy.js"
import * as plans from "./internal/faultProxy/plan.js"
import type { ServerStats } from "./ServerStats.js"

/**
 * What is done at one place of a stream of bytes.
 *
 * - `"end"` and `"reset"` close the connection of the client, and that of the server.
 * - `"blackhole"` swallows all that follows in this direction; both connections stay open.
 * - `delay` and `hold` stop the stream for a time in real time, or until a gate opens.
 * - `insert` writes bytes that the other side never sent.
 * - `duplicate` sends the next so many bytes twice.
 * - `drop` leaves the next so many bytes out.
 *
 * @since 0.1.0
 * @category models
 */
export type Action =
  | "end"
  | "reset"
  | "blackhole"
  | { readonly delay: Duration.DurationInput }
  | { readonly hold: Gate }
  | { readonly insert: string | Uint8Array }
  | { readonly duplicate: number }
  | { readonly drop: number }

/**
 * @since 0.1.0
 * @category models
 */
export interface Fault {
  /** How many bytes of the stream pass before it. Default 0. */
  readonly afterBytes?: number | undefined

  readonly action: Action
}

/**
 * What happens to the bytes of one direction.
 *
 * @since 0.1.0
 * @category models
 */
export interface DirectionPlan {
  /** In the order of their places; several at one place are carried out one after the other. Default none. */
  readonly faults?: ReadonlyArray<Fault> | undefined

  /** No more bytes than so many a second, steadily. Default: no limit. */
  readonly bytesPerSecond?: number | undefined

  /** Writes no more than so many bytes at once, each piece by itself. Default: as they come. */
  readonly pieceSize?: number | undefined

  /** Real time before each piece: with a `pieceSize` of 1 a drip. Default none. */
  readonly delayBetweenPieces?: Duration.DurationInput | undefined
}

/**
 * What happens to one connection.
 *
 * @since 0.1.0
 * @category models
 */
export interface Plan {
  /** Real time between accepting a connection and doing anything with it. Default none. */
  readonly delay?: Duration.DurationInput | undefined

  /** Holds the connection, accepted, before anything is done with it. Default none. */
  readonly hold?: Gate | undefined

  /** In place of all else: nothing, for ever; a FIN; a reset. Default: the connection is carried. */
  readonly instead?: "silence" | "end" | "reset" | undefined

  /** From the client to the server. */
  readonly up?: DirectionPlan | undefined

  /** From the server to the client. */
  readonly down?: DirectionPlan | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The server behind it. */
  readonly to: { readonly host: string; readonly port: number }

  /** The address to listen on. Default `"127.0.0.1"`. */
  readonly host?: string | undefined

  /** Default 0: any free port. */
  readonly port?: number | undefined

  /**
   * One plan for all connections, several for one after the other (the last one stays), or a plan by the number of the
   * connection, from 0: `(n) => FaultProxy.random(seed + n)` is chaos that can be had again. Default: nothing is spoiled.
   */
  readonly plan?: Plan | ReadonlyArray<Plan> | ((connection: number) => Plan) | undefined
}

/**
 * A running fault proxy. It uses no Clock of the program under test.
 *
 * @since 0.1.0
 * @category models
 */
export interface FaultProxy {
  readonly host: string

  readonly port: number

  /** `host:port`, to be put in the place of the server's own in a URL. */
  readonly address: string

  /** Changes the plan for the connections that come from now on. */
  readonly plan: (plan: NonNullable<Options["plan"]>) => Effect.Effect<void>

  /** Connections of clients; `tunnelsOpened` and `openTunnels` are those that reached the server. */
  readonly stats: Effect.Effect<FaultStats>

  readonly awaitStats: (predicate: (stats: FaultStats) => boolean) => Effect.Effect<FaultStats>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface FaultStats extends
  Pick<
    ServerStats,
    "connectionsOpened" | "openConnections" | "maxOpenConnections" | "tunnelsOpened" | "openTunnels"
  >
{
  /** Actions that were carried out, and connections that got something `instead`. */
  readonly faults: number
}

/**
 * @since 0.1.0
 * @category tags
 */
export const FaultProxy: Context.Tag<FaultProxy, FaultProxy> = Context.GenericTag<FaultProxy>(
  "@sluice/test-server/FaultProxy"
)

/**
 * Starts a fault proxy on a free loopback port. When the scope ends, all of its connections are broken off.
 *
 * @example
 * ```ts
 * import { FaultProxy, Reply, TestServer } from "@sluice/test-server"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* TestServer.make({ replies: { "/": Reply.size(1_000_000) } })
 *   const proxy = yield* FaultProxy.make({
 *     to: server,
 *     // The first connection is reset in the middle of its response, all others are slow.
 *     plan: [
 *       { down: { faults: [{ afterBytes: 1000, action: "reset" }] } },
 *       { down: { bytesPerSecond: 50_000 } }
 *     ]
 *   })
 *   return `http://${proxy.address}/`
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options: Options) => Effect.Effect<FaultProxy, never, Scope.Scope> = internal.make

/**
 * A fault proxy as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: (options: Options) => Layer.Layer<FaultProxy> = internal.layer(FaultProxy)

/**
 * A plan of at most one fault, chosen by the seed: the same seed gives the same plan.
 *
 * @since 0.1.0
 * @category constructors
 */
export const random: (seed: number) => Plan = plans.random
