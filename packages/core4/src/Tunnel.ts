/**
 * A connection of the pool that goes on with bytes as they are: after an upgrade to another protocol, as WebSocket's, or
 * through a proxy that was asked to CONNECT.
 *
 * A tunnel takes a connection from the pool of the layer, with its limits and timeouts, and keeps it until the Scope
 * ends. Then the connection is closed (HTTP/1.1) or the stream reset (HTTP/2): nobody else is ever given it.
 *
 * The timeouts hold until the tunnel is open. From then on it may be silent for as long as it likes; only `write` still
 * holds, while the other side takes none of our bytes.
 *
 * @example
 * ```ts
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Tunnel from "@sluice/core4/Tunnel"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * // Says hello in a protocol of one's own, and prints what comes until the other side ends.
 * const program = Effect.gen(function*() {
 *   const tunnel = yield* Tunnel.upgrade(
 *     HttpClientRequest.get("http://127.0.0.1:8080/chat").pipe(HttpClientRequest.setHeader("upgrade", "chat/1"))
 *   )
 *   yield* tunnel.write(new TextEncoder().encode("hello\n"))
 *   yield* tunnel.end
 *   yield* Stream.runForEach(Stream.decodeText(tunnel.stream), (text) => Effect.log(text))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type * as Scope from "effect/Scope"
import { ConnectionPool } from "./ConnectionPool.js"
import * as internal from "./internal/client/tunnel.js"
import type { Tunnel } from "./internal/client/tunnel.js"
import { hostOf } from "./internal/connectionPool.js"
import { PrintableError } from "./internal/printable.js"
import type { TransportError } from "./TransportError.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Tunnel } from "./internal/client/tunnel.js"

/**
 * The response opened no tunnel: it is a response as any other, as a 407 of a proxy that wants credentials.
 *
 * @since 0.1.0
 * @category errors
 */
export class TunnelRefused extends PrintableError("TunnelRefused")<{
  /** Who responded: scheme, host and port. */
  readonly origin: string
  readonly method: string
  readonly response: HttpClientResponse
}> {
  override get message(): string {
    return `${this.origin} opened no tunnel: it responded to ${this.method} with status ${this.response.status}`
  }
}

/**
 * Sends a request without a body whose `upgrade` header names another protocol (RFC 9110 §7.8), and goes on in it when
 * the server responds with 101. What the protocol asks for besides, as `sec-websocket-key` and what comes of it, is the
 * caller's to send and to check.
 *
 * HTTP/2 knows no upgrade: to an `https:` server that speaks it this fails with `LocalProtocolError`, and needs a layer
 * with `http2: false`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const upgrade = (
  request: HttpClientRequest
): Effect.Effect<Tunnel, TransportError | TunnelRefused, ConnectionPool | Scope.Scope> =>
  open(request, internal.asUpgrade)

/**
 * Asks the proxy that the request's URL names for a tunnel to `authority`, which is `host:port` (RFC 9110 §9.3.6). Over
 * HTTP/2 the tunnel is a stream of the connection to the proxy, beside others (RFC 9113 §8.5).
 *
 * The request's headers are for the proxy. Credentials in its URL are sent as `proxy-authorization`; path and method
 * have no meaning here.
 *
 * @example
 * ```ts
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Tunnel from "@sluice/core4/Tunnel"
 * import * as Effect from "effect/Effect"
 *
 * const database = HttpClientRequest.get("http://127.0.0.1:3128").pipe(
 *   Tunnel.connect("database.internal:5432"),
 *   Effect.catchTag("TunnelRefused", ({ response }) => Effect.die(new Error(`the proxy says ${response.status}`)))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const connect: {
  (
    authority: string
  ): (
    proxy: HttpClientRequest
  ) => Effect.Effect<Tunnel, TransportError | TunnelRefused, ConnectionPool | Scope.Scope>
  (
    proxy: HttpClientRequest,
    authority: string
  ): Effect.Effect<Tunnel, TransportError | TunnelRefused, ConnectionPool | Scope.Scope>
} = dual(
  2,
  (proxy: HttpClientRequest, authority: string) => open(proxy, (prepared) => internal.asConnect(prepared, authority))
)

const open = (request: HttpClientRequest, become: Parameters<typeof internal.open>[2]) =>
  Effect.flatMap(ConnectionPool, (pool) =>
    internal.open(
      hostOf(pool),
      request,
      become,
      ({ method, origin }, response) => new TunnelRefused({ origin: origin.href, method, response })
    ))
