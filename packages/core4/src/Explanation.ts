/**
 * What would be done for a URL, without sending anything: which way, to which addresses, with which TLS, protocol, limits
 * and timeouts. For the question why a request goes where it goes.
 *
 * @since 0.1.0
 */
import type * as Engine from "@sluice/engine"
import { describeExplanation } from "@sluice/engine"
import { countsByOrigin } from "@sluice/engine/pool"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Result from "effect/Result"
import { ConnectionPool } from "./ConnectionPool.js"
import { resolve } from "./internal/client/target.js"
import { hostOf } from "./internal/connectionPool.js"
import * as Origin from "./Origin.js"
import * as Timeouts from "./Timeouts.js"
import { isTransportError, type TransportError } from "./TransportError.js"

/**
 * - `url`: origin and path, without credentials and query.
 * - `route`: the proxy, or none, and who has named it; the addresses that it leads to now, each with why a policy does not
 *   allow it (of several, each dial begins with the next one); TLS; the protocol. Undefined where the connector does not say, as the network in memory.
 * - `timeouts`: those of the region where it is asked, over those of the origin, over those of the layer; in milliseconds.
 * - `limits`: those of the origin over those of the pool; durations in milliseconds.
 * - `connections`: those that there are by this way now.
 *
 * @since 0.1.0
 * @category models
 */
export type Explanation = Engine.Explanation

const none = { open: 0, active: 0, idle: 0, dialing: 0, closing: 0, waiting: 0 }

/**
 * What the pool's layer would do for a URL. Names are looked up, for `timeouts.connect` at most; nothing is connected to. A
 * URL that no request could be sent to fails with what the request would fail with.
 *
 * @example
 * ```ts
 * import { Explanation, HttpClientLayer } from "@sluice/node4"
 * import * as Effect from "effect/Effect"
 *
 * const program = Explanation.explain("https://api.example.com/v1/users").pipe(
 *   Effect.flatMap((explanation) => Effect.log(Explanation.describe(explanation))),
 *   Effect.provide(HttpClientLayer.default)
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const explain = (url: string | URL): Effect.Effect<Explanation, TransportError, ConnectionPool> =>
  Effect.gen(function*() {
    const checked = typeof url === "string" ? undefined : Origin.fromUrl(url)
    if (checked !== undefined && Result.isFailure(checked)) return yield* checked.failure
    const host = hostOf(yield* ConnectionPool)
    const { connector, timeouts } = host.options
    const target = resolve(HttpClientRequest.get(url), {
      redactPath: undefined,
      targets: undefined,
      route: (origin, url) => host.route(origin, url, false)
    })
    if (isTransportError(target)) return yield* target
    const { display, origin } = target
    const region = yield* Timeouts.current
    const inForce = { ...timeouts, ...origin.route?.timeouts, ...region }
    const route = yield* connector.explain?.(origin, inForce.connect) ?? Effect.succeed(undefined)
    const { keepAliveExpiry, maxConnectionAge, maxConnections, maxConnectionsPerOrigin, maxRequestsPerConnection } = {
      ...host.limits,
      ...origin.route?.limits
    }
    return {
      url: display,
      origin: origin.href,
      route,
      timeouts: inForce,
      limits: { keepAliveExpiry, maxConnectionAge, maxConnections, maxConnectionsPerOrigin, maxRequestsPerConnection },
      connections: countsByOrigin(host.driverOf(origin).core.state).get(origin.key) ?? none
    }
  })

/**
 * As lines for people, the first of which is the URL.
 *
 * @since 0.1.0
 * @category utils
 */
export const describe: (explanation: Explanation) => string = describeExplanation
