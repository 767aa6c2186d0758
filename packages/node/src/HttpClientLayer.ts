/**
 * The `HttpClient` of an Effect app, over a pool of connections that cannot leak.
 *
 * @since 0.1.0
 */
import { HttpClient } from "@effect/platform/HttpClient"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import type { Connector } from "@sluice/core/Connector"
import type { InvalidLimits } from "@sluice/core/Limits"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import type { InvalidTimeouts } from "@sluice/core/Timeouts"
import * as Layer from "effect/Layer"
import * as NodeConnector from "./NodeConnector.js"

/**
 * Everything that can be set; all of it has a default.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends ConnectionPool.Options, PooledHttpClient.Options {}

/**
 * What the layers provide: the platform's client, the same client with its errors in the type, and the pool under both.
 *
 * @since 0.1.0
 * @category models
 */
export type Provided = HttpClient | PooledHttpClient.PooledHttpClient | ConnectionPool.ConnectionPool

/**
 * An option that makes no sense: the layer is not built.
 *
 * @since 0.1.0
 * @category errors
 */
export type InvalidOptions = InvalidLimits | InvalidTimeouts | PooledHttpClient.InvalidOptions

/**
 * The client over Node's sockets. Provide it once, where the program begins: every time it is built it is another pool.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import { HttpClientLayer } from "@sluice/node"
 * import * as Effect from "effect/Effect"
 *
 * const program = HttpClient.get("http://127.0.0.1:8080/").pipe(
 *   Effect.flatMap((response) => response.text),
 *   Effect.provide(HttpClientLayer.layer({ limits: { maxConnections: 10 } }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Provided, InvalidOptions> =>
  Layer.provide(layerWithoutConnector(options), NodeConnector.layer)

/**
 * The client over a connector of one's own: the in-memory network of a test, or another runtime.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWithoutConnector = (options: Options = {}): Layer.Layer<Provided, InvalidOptions, Connector> =>
  Layer.mergeAll(
    Layer.effect(HttpClient, PooledHttpClient.makeHttpClient(options)),
    Layer.effect(PooledHttpClient.PooledHttpClient, PooledHttpClient.make(options))
  ).pipe(Layer.provideMerge(ConnectionPool.layer(options)))
