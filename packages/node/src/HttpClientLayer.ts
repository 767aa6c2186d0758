/**
 * The `HttpClient` of an Effect app, over a pool of connections that cannot leak.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as ConnectionPool from "@sluice/core/ConnectionPool"
import type { Connector } from "@sluice/core/Connector"
import * as ContentCoding from "@sluice/core/ContentCoding"
import type { InvalidLimits } from "@sluice/core/Limits"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import type { InvalidTimeouts } from "@sluice/core/Timeouts"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { InvalidHttp2Options } from "./Http2Options.js"
import * as configuration from "./internal/configuration.js"
import { codecs } from "./NodeCodecs.js"
import * as NodeConnector from "./NodeConnector.js"
import type { InvalidTlsOptions } from "./TlsOptions.js"

/**
 * Everything that can be set; all of it has a default.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends ClientOptions, NodeConnector.Options {}

/**
 * What does not depend on the connector.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientOptions extends ConnectionPool.Options, PooledHttpClient.Options {
  /**
   * Whether compressed responses are asked for and decoded, and within which bounds: see `ContentCoding.decode`. A request
   * that sets `accept-encoding` itself gets what came. Default `true`.
   */
  readonly decompress?: boolean | ContentCoding.Options | undefined
}

/**
 * What the layers provide: the platform's client, the same client with its errors in the type, and the pool under both.
 *
 * @since 0.1.0
 * @category models
 */
export type Provided = HttpClient.HttpClient | PooledHttpClient.PooledHttpClient | ConnectionPool.ConnectionPool

/**
 * An option that makes no sense: the layer is not built.
 *
 * @since 0.1.0
 * @category errors
 */
export type InvalidOptions =
  | InvalidLimits
  | InvalidTimeouts
  | PooledHttpClient.InvalidOptions
  | InvalidHttp2Options
  | InvalidTlsOptions

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
  Layer.provide(layerWithoutConnector(options), NodeConnector.layer(options))

/**
 * The client over a connector of one's own: the in-memory network of a test, or another runtime.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWithoutConnector = (
  options: ClientOptions = {}
): Layer.Layer<Provided, InvalidOptions, Connector> => {
  const { decompress = true } = options
  return decompress === false
    ? PooledHttpClient.layer(options)
    : Layer.map(PooledHttpClient.layer(options), decoding(decompress === true ? {} : decompress))
}

/** Both clients of the layer, decoding what they get. */
const decoding = (options: ContentCoding.Options) => (provided: Context.Context<Provided>): Context.Context<Provided> =>
  provided.pipe(
    Context.add(
      HttpClient.HttpClient,
      ContentCoding.decode(Context.get(provided, HttpClient.HttpClient), codecs, options)
    ),
    Context.add(
      PooledHttpClient.PooledHttpClient,
      ContentCoding.decode(Context.get(provided, PooledHttpClient.PooledHttpClient), codecs, options)
    )
  )

/**
 * The client with options that come from Effect's `Config`, each where it is or all at once.
 *
 * @example
 * ```ts
 * import { HttpClientLayer } from "@sluice/node"
 * import * as Config from "effect/Config"
 *
 * export const Client = HttpClientLayer.layerConfig({
 *   limits: { maxConnections: Config.integer("MAX_CONNECTIONS") },
 *   timeouts: { pool: Config.duration("POOL_TIMEOUT") }
 * })
 *
 * // HTTP_CLIENT_MAX_CONNECTIONS, HTTP_CLIENT_POOL_TIMEOUT, …
 * export const ClientFromEnvironment = HttpClientLayer.layerConfig(HttpClientLayer.config())
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<Provided, InvalidOptions | ConfigError> => Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

/**
 * The options under names of their own. With the prefix `HTTP_CLIENT` they are, each as its option is documented:
 *
 * - `HTTP_CLIENT_MAX_CONNECTIONS`, `…_MAX_CONNECTIONS_PER_ORIGIN`, `…_MAX_KEEP_ALIVE_CONNECTIONS`,
 *   `…_MAX_REQUESTS_PER_CONNECTION`, `…_MAX_PENDING_REQUESTS`: numbers, or `Infinity`
 * - `…_KEEP_ALIVE_EXPIRY`, `…_MAX_CONNECTION_AGE`: durations, as in `5 seconds`, or `Infinity`
 * - `…_POOL_TIMEOUT`, `…_CONNECT_TIMEOUT`, `…_READ_TIMEOUT`, `…_WRITE_TIMEOUT`, `…_HEADERS_TIMEOUT`,
 *   `…_TOTAL_TIMEOUT`, `…_DRAIN_TIMEOUT`: durations
 * - `…_MAX_BUFFERED_BODY`, `…_MAX_DISCARDED_BODY`, `…_MAX_RESPONSE_SIZE`: bytes
 * - `…_HTTP2`: `true`, `false` or `prior-knowledge`; unless it is `false`, `…_HTTP2_MAX_CONCURRENT_STREAMS`: a number,
 *   `…_HTTP2_PING_INTERVAL`, `…_HTTP2_PING_TIMEOUT`: durations, `…_HTTP2_COALESCING`: `true` or `false`
 *
 * What is not set gets its default. The options of `tls` have no names: certificates and keys are in files, which
 * `Config` does not read; `NODE_EXTRA_CA_CERTS` names authorities for all of Node.
 *
 * @since 0.1.0
 * @category config
 */
export const config = (prefix = "HTTP_CLIENT"): Config.Config<Options> => {
  const name = (option: string) => `${prefix}_${option}`
  return Config.all({
    limits: Config.all({
      maxConnections: configuration.number(name("MAX_CONNECTIONS")),
      maxConnectionsPerOrigin: configuration.number(name("MAX_CONNECTIONS_PER_ORIGIN")),
      maxKeepAliveConnections: configuration.number(name("MAX_KEEP_ALIVE_CONNECTIONS")),
      maxRequestsPerConnection: configuration.number(name("MAX_REQUESTS_PER_CONNECTION")),
      maxPendingRequests: configuration.number(name("MAX_PENDING_REQUESTS")),
      keepAliveExpiry: configuration.duration(name("KEEP_ALIVE_EXPIRY")),
      maxConnectionAge: configuration.duration(name("MAX_CONNECTION_AGE"))
    }),
    timeouts: Config.all({
      pool: configuration.duration(name("POOL_TIMEOUT")),
      connect: configuration.duration(name("CONNECT_TIMEOUT")),
      read: configuration.duration(name("READ_TIMEOUT")),
      write: configuration.duration(name("WRITE_TIMEOUT")),
      headers: configuration.duration(name("HEADERS_TIMEOUT")),
      total: configuration.duration(name("TOTAL_TIMEOUT"))
    }),
    drainTimeout: configuration.duration(name("DRAIN_TIMEOUT")),
    maxBufferedBody: configuration.number(name("MAX_BUFFERED_BODY")),
    maxDiscardedBody: configuration.number(name("MAX_DISCARDED_BODY")),
    maxResponseSize: configuration.number(name("MAX_RESPONSE_SIZE")),
    http2: Config.map(
      Config.all({
        mode: configuration.http2(name("HTTP2")),
        maxConcurrentStreams: configuration.number(name("HTTP2_MAX_CONCURRENT_STREAMS")),
        pingInterval: configuration.duration(name("HTTP2_PING_INTERVAL")),
        pingTimeout: configuration.duration(name("HTTP2_PING_TIMEOUT")),
        coalescing: configuration.boolean(name("HTTP2_COALESCING"))
      }),
      ({ mode, ...http2 }) => mode !== false && { ...http2, priorKnowledge: mode === "prior-knowledge" }
    )
  })
}
