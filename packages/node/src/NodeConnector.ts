/**
 * Connections over the sockets of Node.
 *
 * @since 0.1.0
 */
import type * as AddressPolicy from "@sluice/core/AddressPolicy"
import type { Connection, ConnectionListener } from "@sluice/core/Connection"
import { Connector } from "@sluice/core/Connector"
import { check, type InvalidOptions } from "@sluice/core/InvalidOptions"
import type * as Limits from "@sluice/core/Limits"
import type { Origin } from "@sluice/core/Origin"
import type * as Resolver from "@sluice/core/Resolver"
import type { Timeouts } from "@sluice/core/Timeouts"
import { fromFailure, type TransportError } from "@sluice/core/TransportError"
import { type Dial, Dialer, runtimeHooks } from "@sluice/engine/node"
import * as optionTable from "@sluice/engine/options"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { LookupFunction } from "node:net"
import * as Http2Options from "./Http2Options.js"
import { effectTime } from "./internal/effectTime.js"
import * as networkOptions from "./internal/networkOptions.js"
import type * as Proxy from "./Proxy.js"
import type { TlsOptions } from "./TlsOptions.js"

/**
 * How connections are made to one origin: what can be different for each.
 *
 * @since 0.1.0
 * @category models
 */
export interface OriginOptions extends ConnectionOptions {
  /** Limits that are others for this origin, laid over those of the layer. Its own connections are counted by them. */
  readonly limits?: OriginLimits | undefined
  /**
   * Timeouts that are others for requests to this origin, laid over those of the layer; those of a region
   * (`Timeouts.locally`) are laid over these. `total` is of one request: with `redirects`, `retry` or `credentials` that of
   * the layer goes on holding for all that they send together.
   */
  readonly timeouts?: Timeouts | undefined
}

/**
 * The limits that can be different for each origin.
 *
 * @since 0.1.0
 * @category models
 */
export interface OriginLimits extends
  Pick<
    Limits.Limits,
    "keepAliveExpiry" | "maxConnectionAge" | "maxConnectionsPerOrigin" | "maxRequestsPerConnection"
  >
{}

/**
 * How connections are made, for all origins or for one.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectionOptions {
  /** For `https:` origins. Of an origin: laid over the layer's, option by option. */
  readonly tls?: TlsOptions | undefined
  /**
   * Which addresses may be reached: for URLs that come from somebody else. `"public-only"` is `AddressPolicy.publicOnly`.
   * What is not allowed fails with `AddressNotAllowed`. Default: everything may be reached.
   */
  readonly addressPolicy?: "public-only" | AddressPolicy.AddressPolicy | undefined
  /**
   * The proxy that requests go through.
   *
   * - `"environment"`: what `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` said when the layer was built, each in
   *   lower case first. `localhost` and addresses of loopback are reached without it.
   * - `"none"`: no proxy.
   * - a URL or an object: this one, for all requests.
   * - a function: asked for each request. `undefined` is no proxy.
   *
   * `http:` requests are sent to an HTTP proxy as they are; for all others, and with SOCKS, it opens a tunnel, through
   * which HTTP/2 is spoken too. A proxy that cannot be reached, or refuses, is a `ProxyError`. Default `"environment"`.
   */
  readonly proxy?:
    | "environment"
    | "none"
    | (string & {})
    | Proxy.Proxy
    | ((url: URL) => string | Proxy.Proxy | undefined)
    | undefined
  /**
   * The path of a Unix socket (a named pipe on Windows) to connect to instead of the host and port of any URL, which
   * are still what the request names and what a certificate must cover. Default none.
   */
  readonly socketPath?: string | undefined
  /**
   * How host names become addresses, as `net.connect` takes it: it must be able to give all of them (`all: true`).
   * Addresses are not looked up. Default `dns.lookup`, the system's resolver.
   */
  readonly lookup?: LookupFunction | undefined
  /**
   * Where hosts lead. The URL goes on saying what is asked for and what a certificate must cover.
   *
   * - `"system"`: as for all programs of the machine (`getaddrinfo`, with its hosts file and search domains).
   * - `"dns"`: as name servers say (`dns.resolve4`, `dns.resolve6`), for as long as they say: one second to five minutes.
   * - a table from `host:port` or `host` to an address or another name, with or without a port, or several. What is not in
   *   it, as the system.
   * - a function: see `Resolver`.
   *
   * Of several addresses each dial begins with the next one. Default `lookup`, or the system.
   */
  readonly resolve?: "system" | "dns" | Readonly<Record<string, Resolver.Targets>> | Resolver.Resolver | undefined
  /** The address of this machine to connect from. Default: the system's choice. */
  readonly localAddress?: string | undefined
  /** The only kind of addresses to connect to. Default: both. */
  readonly family?: 4 | 6 | undefined
  /**
   * How long a TCP connection is silent until the system asks whether the other side still lives, at least a second;
   * `"Infinity"` leaves it at never. Firewalls and NAT forget connections that are silent for minutes. Default 60 seconds.
   */
  readonly keepAliveDelay?: Duration.DurationInput | "Infinity" | undefined
  /**
   * After how long the system asks again when nothing has come back, at least a second. Newer releases of Node 24 set it,
   * older ones do not look at it. Default: the system's, on Linux 75 seconds.
   */
  readonly keepAliveInterval?: Duration.DurationInput | "Infinity" | undefined
  /** Whether small writes are sent at once, and do not wait for earlier ones to be acknowledged (TCP_NODELAY). Default true. */
  readonly noDelay?: boolean | undefined
}

/**
 * How connections are made.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends ConnectionOptions {
  /**
   * Whether HTTP/2 is spoken. `true`: to `https:` origins that choose it in the TLS handshake (ALPN, RFC 7301), and
   * HTTP/1.1 to all others. `"prior-knowledge"`: to `http:` origins as well, without asking. Or the same with options.
   * Default `true`.
   */
  readonly http2?: boolean | "prior-knowledge" | Http2Options.Http2Options | undefined
  /**
   * Options of origins, laid over those of the layer: a record, or a function of the URL of an origin, asked once for each.
   * The names of the record are origins (`https://api.example.com`), hosts with or without a port (`api.example.com`,
   * `10.0.0.1:8443`), all below a host (`*.example.com`), or `*`. The one that says most is the one that counts. A
   * certificate of `tls.cert` given here is shown to nobody else. Default none.
   */
  readonly origins?:
    | Readonly<Record<string, OriginOptions>>
    | ((url: URL) => OriginOptions | undefined)
    | undefined
  /**
   * The largest header section of a response, in bytes: its head, or its trailers. Over HTTP/2 each field counts for 32 more
   * than its name and value (RFC 9113 §6.5.2), and the server is notified. A larger one fails with `RemoteProtocolError`.
   * Default 256 KiB.
   */
  readonly maxHeaderSize?: number | undefined
  /**
   * How much all interim responses (1xx) before one response may be together, in bytes. How many there are, and for how
   * long, is not limited but by `timeouts.headers`. More fails with `RemoteProtocolError`. Default 256 KiB: a server that
   * says 102 every 20 seconds may do so for a day.
   */
  readonly maxInformationalSize?: number | undefined
  /**
   * What becomes of an HTTP/1.1 connection after a response of 204, 205 or 304. Servers that send content after it all the
   * same send it a moment later, and no client can distinguish it from the response to the next request.
   *
   * - `"quarantine"`: the connection is lent to nobody for 5 to 50 ms (as long as the response took); any byte that comes
   *   meanwhile closes it. An origin that has sent such bytes gets `"close"` for ten minutes.
   * - `"close"`: it is closed.
   * - `"always"`: it is used again at once: for servers that are known to be right, where every millisecond counts.
   *
   * After HEAD, a refused CONNECT or Upgrade, and a response that came before the request was written, a connection is
   * never used again. Default `"quarantine"`.
   */
  readonly reuseAfterNoContent?: "quarantine" | "close" | "always" | undefined
}

/**
 * Dials TCP and TLS, and speaks HTTP/1.1 and HTTP/2.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Connector, InvalidOptions> =>
  Effect.gen(function*() {
    const checked = check(optionTable.connector, options)
    const runtime = yield* Effect.runtime<never>()
    const { settings, values } = yield* networkOptions.together(checked, options, runtime)
    const { maxHeaderSize, maxInformationalSize, reuseAfterNoContent } = values
    const http2 = readHttp2(values.http2)
    const time = effectTime(runtime)
    const { byOrigin, common } = settings
    const proxies = common.proxies?.description
    if (proxies !== undefined) yield* Effect.logDebug(`Requests go through a proxy (${proxies})`)
    for (const file of keyLogs(options)) {
      yield* Effect.logWarning(`The keys of TLS connections are written to ${file} (tls.keyLog)`)
    }
    const parserLimits = { maxHeaderSize, maxInformationalSize }
    const dialer = new Dialer({ ...common, http2, byOrigin, reuseAfterNoContent, parserLimits }, time)
    const { coalesce, routes } = dialer
    const connector: Connector = {
      protocol: (origin) => dialer.protocol(origin),
      connect: (origin, listener) => connect(dialer, origin, listener),
      coalesce: coalesce === undefined ?
        undefined :
        (origin, open) =>
          Effect.async((resume) => coalesce(origin, open, (serving) => resume(Effect.succeed(serving)))),
      explain: (origin, timeout) =>
        Effect.async((resume) => dialer.explain(origin, timeout, (route) => resume(Effect.succeed(route)))),
      routes,
      runtime: runtimeHooks
    }
    return connector
  })

/** Files that keys are written to, as far as they are known before a connection is made. */
const keyLogs = ({ origins, tls }: Options): ReadonlySet<string> => {
  const all = [tls, ...typeof origins === "object" ? Object.values(origins).map((origin) => origin.tls) : []]
  return new Set(all.flatMap((each) => each?.keyLog ?? []))
}

/** Opening a socket takes no time, so nothing is between it and the finalizer that closes it. */
const connect = (
  dialer: Dialer,
  origin: Origin,
  listener: ConnectionListener
): Effect.Effect<Connection, TransportError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.scope, (scope) => {
      const connected = Deferred.unsafeMake<Connection, TransportError>(FiberId.none)
      const dial = dialer.dial(origin, listener, {
        onConnected: (connection) => Deferred.unsafeDone(connected, Effect.succeed(connection)),
        onFailed: (failure) => Deferred.unsafeDone(connected, Effect.fail(fromFailure(failure)))
      })
      return Effect.zipRight(closeWith(scope, dial), restore(Deferred.await(connected)))
    })
  )

/** A function of its own: what else is in reach where a finalizer is written lives as long as the connection. */
const closeWith = (scope: Scope.Scope, dial: Dial): Effect.Effect<void> =>
  Scope.addFinalizerExit(scope, () => Effect.async<void>((resume) => dial.close(() => resume(Effect.void))))

/** Undefined: it is not spoken. */
const readHttp2 = (
  http2: boolean | "prior-knowledge" | optionTable.Http2
): optionTable.Http2 | undefined => {
  if (http2 === false) return undefined
  return typeof http2 === "object"
    ? http2
    : { ...Http2Options.defaults, priorKnowledge: http2 === "prior-knowledge" }
}

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Connector, InvalidOptions> =>
  Layer.effect(Connector, Effect.suspend(() => make(options)))
