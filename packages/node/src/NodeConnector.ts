/**
 * Connections over the sockets of Node.
 *
 * @since 0.1.0
 */
import { Connector } from "@sluice/core/Connector"
import { UnsupportedProtocol } from "@sluice/core/TransportError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { tcp } from "./internal/dial.js"
import { Http1Connection } from "./internal/Http1Connection.js"

/**
 * Dials TCP and speaks HTTP/1.1.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Connector => ({
  protocol: () => "http/1.1",
  connect: (origin, listener) =>
    Effect.gen(function*() {
      if (origin.scheme !== "http") {
        return yield* new UnsupportedProtocol({ origin: origin.href, protocol: `${origin.scheme}:` })
      }
      const dialed = yield* tcp(origin)
      const connection = new Http1Connection(dialed.socket, listener)
      dialed.onBytes = (bytes, length) => connection.onBytes(bytes, length)
      return connection
    })
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Connector> = Layer.sync(Connector, make)
