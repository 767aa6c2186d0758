/**
 * Connections over the sockets of Node.
 *
 * @since 0.1.0
 */
import type { ConnectionListener } from "@sluice/core/Connection"
import { Connector } from "@sluice/core/Connector"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Dialed, readWith, tcp } from "./internal/dial.js"
import { Http1Connection } from "./internal/Http1Connection.js"
import { TlsDialer } from "./internal/tls.js"
import type { TlsOptions } from "./TlsOptions.js"

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
   * The path of a Unix socket (a named pipe on Windows) to connect to in place of the host and port of any URL, which
   * are still what the request names and what a certificate must cover. Default none.
   */
  readonly socketPath?: string | undefined
}

/**
 * Dials TCP and TLS, and speaks HTTP/1.1.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Connector => {
  const secure = new TlsDialer(options.tls ?? {}, options.socketPath)
  return {
    protocol: () => "http/1.1",
    connect: (origin, listener) =>
      Effect.gen(function*() {
        if (origin.scheme === "http") return http1(yield* tcp(origin, options.socketPath), listener)
        const dialed = yield* secure.dial(origin, ["http/1.1"])
        return Object.assign(http1(dialed, listener), { tlsTime: dialed.tlsTime })
      })
  }
}

const http1 = (dialed: Dialed, listener: ConnectionListener): Http1Connection => {
  const connection = new Http1Connection(dialed.socket, listener)
  readWith(dialed, (bytes, length) => connection.onBytes(bytes, length))
  return connection
}

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Connector> => Layer.sync(Connector, () => make(options))
