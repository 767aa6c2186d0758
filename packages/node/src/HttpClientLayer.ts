/**
 * The `HttpClient` of an Effect app, over a pool of connections that cannot leak.
 *
 * @since 0.1.0
 */
import type * as ConnectionPool from "@sluice/core/ConnectionPool"
import type { Connector } from "@sluice/core/Connector"
import { argument, check, InvalidOptions } from "@sluice/core/InvalidOptions"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import * as optionTable from "@sluice/engine/options"
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { problemsOf, read } from "./internal/configGiven.js"
import * as configuration from "./internal/configuration.js"
import * as networkOptions from "./internal/networkOptions.js"
import { type Provided, wrapped, type WrapperOptions } from "./internal/wrapped.js"
import * as codings from "./NodeCodecs.js"
import * as NodeConnector from "./NodeConnector.js"

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
export interface ClientOptions extends ConnectionPool.Options, PooledHttpClient.Options, WrapperOptions {}

/**
 * What goes around the client.
 *
 * @since 0.1.0
 * @category models
 */
export type { Coding, CompressOptions, CookieOptions, WrapperOptions } from "./internal/wrapped.js"

/**
 * What the layers provide: the platform's client, with all that the options put around it; the client of the pool with its
 * errors in the type, which decodes and does nothing else; and the pool under both.
 *
 * @since 0.1.0
 * @category models
 */
export type { Provided } from "./internal/wrapped.js"

/**
 * The client over Node's sockets. Provide it once, where the program begins: every time it is built it is another pool.
 * It is not built with options that make no sense: `InvalidOptions` lists all of them, with what would be right.
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
  Layer.unwrapEffect(Effect.map(checkAll(options), () => {
    const { connector, pooled } = split(options)
    return Layer.provide(
      layerWithoutConnector(pooled),
      NodeConnector.layer({ ...connector, http2: withWindow(connector.http2, pooled.maxBufferedBody) })
    )
  }))

/**
 * The same, but what is wrong with the options is a defect: the type of a service that depends on it stays free of errors.
 * For options that are written in the program, not read from outside.
 *
 * @example
 * ```ts
 * import { HttpClientLayer } from "@sluice/node"
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "@effect/platform/HttpClient"
 *
 * export class Weather extends Effect.Service<Weather>()("Weather", {
 *   effect: Effect.map(HttpClient.HttpClient, (client) => ({ today: client.get("https://weather.example/today") })),
 *   dependencies: [HttpClientLayer.layerOrDie({ timeouts: { total: "5 seconds" } })]
 * }) {}
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerOrDie = (options: Options = {}): Layer.Layer<Provided> => Layer.orDie(layer(options))

const layerWithDefaults: Layer.Layer<Provided> = /*#__PURE__*/ Layer.suspend(() => layerOrDie())

export {
  /**
   * The client with the defaults of all options: one value, as `NodeHttpClient.layerUndici` is, so that the parts of a program
   * that each provide it share one pool. It cannot fail, but for an environment whose proxy settings do not parse: that is a
   * defect which says so.
   *
   * @example
   * ```ts
   * import * as HttpClient from "@effect/platform/HttpClient"
   * import { HttpClientLayer } from "@sluice/node"
   * import * as Effect from "effect/Effect"
   *
   * const program = HttpClient.get("http://127.0.0.1:8080/").pipe(
   *   Effect.flatMap((response) => response.text),
   *   Effect.provide(HttpClientLayer.default)
   * )
   * ```
   *
   * @since 0.1.0
   * @category layers
   */
  layerWithDefaults as default
}

/** Those of the connector are those that its table has. */
const split = (
  options: Options
): { readonly connector: NodeConnector.Options; readonly pooled: Omit<Options, keyof NodeConnector.Options> } => {
  const isConnectors = ([name]: readonly [string, unknown]) => Object.hasOwn(optionTable.connector.fields, name)
  const all = Object.entries(options)
  return {
    connector: Object.fromEntries(all.filter(isConnectors)),
    pooled: Object.fromEntries(all.filter((entry) => !isConnectors(entry)))
  }
}

const leastWindow = 16 * 1024
const largestWindow = 1024 * 1024

/** Of a response that nobody reads as much is kept by HTTP/2 as by the client, unless it was said how much. */
const withWindow = (http2: Options["http2"], maxBufferedBody: number | undefined): Options["http2"] => {
  if (http2 === false || maxBufferedBody === undefined) return http2
  const initialWindowSize = Math.min(Math.max(maxBufferedBody, leastWindow), largestWindow)
  return typeof http2 === "object"
    ? { ...http2, initialWindowSize: http2.initialWindowSize ?? initialWindowSize }
    : { priorKnowledge: http2 === "prior-knowledge", initialWindowSize }
}

/** What is wrong with addresses, proxies, certificates and keys is reported together with the rest. */
const checkAll = (options: Options): Effect.Effect<unknown, InvalidOptions> =>
  Effect.flatMap(
    Effect.runtime<never>(),
    (runtime) => networkOptions.together(check(optionTable.layer, options), options, runtime)
  )

/**
 * The client over a connector of one's own: the in-memory network of a test, or another runtime.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWithoutConnector = (
  options: ClientOptions = {}
): Layer.Layer<Provided, InvalidOptions, Connector> =>
  Layer.unwrapEffect(Effect.map(Effect.suspend(() => check(optionTable.layerWithoutConnector, options)), () => {
    const { compress, cookies, credentials, decompress, redirects, retry, ...pooled } = options
    return Layer.scopedContext(Effect.flatMap(
      Layer.build(PooledHttpClient.layer(pooled)),
      (clients) =>
        wrapped(
          clients,
          { compress, cookies, credentials, decompress, redirects, retry },
          pooled.timeouts?.total,
          codings,
          pooled.maxResponseSize
        )
    ))
  }))

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
): Layer.Layer<Provided, InvalidOptions | ConfigError> =>
  Layer.unwrapEffect(
    Effect.suspend((): Effect.Effect<Layer.Layer<Provided, InvalidOptions>, InvalidOptions | ConfigError> => {
      const problems = problemsOf(options)
      return problems.length > 0
        ? Effect.fail(new InvalidOptions({ problems }))
        : Effect.zipRight(
          configuration.warnOfMisspelt(options),
          Effect.map(read(options) as Config.Config<Options>, layer)
        )
    })
  )

/**
 * The options under names of their own. With the prefix `HTTP_CLIENT` they are `HTTP_CLIENT_MAX_CONNECTIONS` for
 * `limits.maxConnections`, `HTTP_CLIENT_READ_TIMEOUT` for `timeouts.read`, and so on; `docs/pool.md` lists them all. What
 * is not set gets its default.
 *
 * A variable that has the prefix and is within two letters of one of these names, and is none, is warned of once, without
 * its value. The options of `tls` have no names: certificates and keys are in files, which `Config` does not read;
 * `NODE_EXTRA_CA_CERTS` names authorities for all of Node.
 *
 * @since 0.1.0
 * @category config
 */
export const config = (prefix = "HTTP_CLIENT"): Config.Config<Options> =>
  // That the table has the names and kinds of `Options` is held by a test of types.
  configuration.make(
    argument("HttpClientLayer.config: prefix", prefix, (given) => typeof given === "string" && given !== "", "a prefix")
  ) as Config.Config<Options>
