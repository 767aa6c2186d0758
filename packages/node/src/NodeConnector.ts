/**
 * Connections over the sockets of Node.
 *
 * @since 0.1.0
 */
import type { ConnectionListener } from "@sluice/core/Connection"
import { Connector } from "@sluice/core/Connector"
import type { Origin } from "@sluice/core/Origin"
import { fromFailure } from "@sluice/core/TransportError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { LookupFunction } from "node:net"
import * as Http2Options from "./Http2Options.js"
import * as coalescing from "./internal/coalescing.js"
import { type Dialed, tcp } from "./internal/dial.js"
import { Http1Connection } from "./internal/Http1Connection.js"
import * as http2 from "./internal/http2.js"
import * as tls from "./internal/tls.js"
import { InvalidTlsOptions, type TlsOptions } from "./TlsOptions.js"

/**
 * How connections are made. It holds for all connections of a connector.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** For `https:` origins. */
  readonly tls?: TlsOptions | undefined
  /**
   * Whether HTTP/2 is spoken. `true`: to `https:` origins that choose it in the TLS handshake (ALPN, RFC 7301), and
   * HTTP/1.1 to all others. `"prior-knowledge"`: to `http:` origins as well, without asking. Or the same with options.
   * Default `true`.
   */
  readonly http2?: boolean | "prior-knowledge" | Http2Options.Http2Options | undefined
  /**
   * The path of a Unix socket (a named pipe on Windows) to connect to in place of the host and port of any URL, which
   * are still what the request names and what a certificate must cover. Default none.
   */
  readonly socketPath?: string | undefined
  /**
   * How host names become addresses, as `net.connect` takes it: it must be able to give all of them (`all: true`).
   * Addresses are not looked up. Default `dns.lookup`, the system's resolver.
   */
  readonly lookup?: LookupFunction | undefined
}

/** Origins that are remembered to want HTTP/1.1. */
const maxRemembered = 1000

/**
 * Dials TCP and TLS, and speaks HTTP/1.1 and HTTP/2.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Connector, Http2Options.InvalidHttp2Options | InvalidTlsOptions> =>
  Effect.gen(function*() {
    const { enabled, ...given } = readHttp2(options.http2)
    const settings = yield* Http2Options.resolve(given)
    yield* Effect.mapError(tls.check(options.tls ?? {}), (unusable) => new InvalidTlsOptions(unusable))
    const secure = new tls.TlsDialer(options.tls ?? {}, options)
    const wantHttp1 = new Set<string>()
    const remember = (key: string) => {
      if (wantHttp1.size >= maxRemembered) wantHttp1.clear()
      wantHttp1.add(key)
    }
    const speaksHttp2 = (key: string) => enabled && !wantHttp1.has(key)
    const knowsHttp2 = (key: string) => settings.priorKnowledge && speaksHttp2(key)
    const connector: Connector = {
      protocol: ({ key, scheme }) => {
        if (scheme === "http") return knowsHttp2(key) ? "h2" : "http/1.1"
        return speaksHttp2(key) ? "unknown" : "http/1.1"
      },
      connect: (origin, listener) =>
        Effect.gen(function*() {
          const onHttp1Required = ({ key }: Origin) => remember(key)
          if (origin.scheme === "http") {
            const dialed = yield* tcp(origin, options)
            return knowsHttp2(origin.key)
              ? yield* http2.connect(dialed, origin, listener, settings, undefined, onHttp1Required)
              : http1(dialed, listener)
          }
          const dialed = yield* secure.dial(origin, speaksHttp2(origin.key) ? ["h2", "http/1.1"] : ["http/1.1"])
          return dialed.socket.alpnProtocol === "h2"
            ? yield* http2.connect(dialed, origin, listener, settings, dialed.tlsTime, onHttp1Required)
            : Object.assign(http1(dialed, listener), { tlsTime: dialed.tlsTime })
        }).pipe(Effect.mapError(fromFailure)),
      coalesce: enabled && settings.coalescing ? coalescing.make(options) : undefined
    }
    return connector
  })

const readHttp2 = (
  http2: Options["http2"] = true
): Http2Options.Http2Options & { readonly enabled: boolean } => {
  if (typeof http2 === "boolean") return { enabled: http2 }
  return http2 === "prior-knowledge" ? { enabled: true, priorKnowledge: true } : { ...http2, enabled: true }
}

const http1 = (dialed: Dialed, listener: ConnectionListener): Http1Connection => {
  const connection = new Http1Connection(dialed.socket, listener)
  dialed.readWith(connection)
  return connection
}

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options?: Options
): Layer.Layer<Connector, Http2Options.InvalidHttp2Options | InvalidTlsOptions> =>
  Layer.effect(Connector, make(options))
