/**
 * A proxy for tests: HTTP forward, CONNECT and SOCKS5 on one port, honest or hostile.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Gate } from "./Gate.js"
import * as internal from "./internal/proxy/proxy.js"
import * as messages from "./internal/proxy/socksMessages.js"
import type { Breaking } from "./Reply.js"
import type { Replies } from "./Script.js"
import type { ServerStats } from "./ServerStats.js"
import type { TlsOptions } from "./TestServer.js"

/**
 * Where a tunnel or a request leads.
 *
 * @since 0.1.0
 * @category models
 */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * How a SOCKS5 proxy spoils one of its messages: hold, wait, write, and then go on or not. An empty fault spoils nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface SocksFault {
  /** Holds the message until the gate lets it through. Default none. */
  readonly hold?: Gate | undefined

  /** Real time before the message. Default none. */
  readonly delay?: Duration.DurationInput | undefined

  /** Written in front of the message, in one piece with it. Default none. */
  readonly before?: Uint8Array | string | undefined

  /** Written in place of the message (see {@link socksReply}). Default: the right message. */
  readonly instead?: Uint8Array | string | undefined

  /** Written behind the message, in one piece with it. Default none. */
  readonly after?: Uint8Array | string | undefined

  /** Writes all of that byte by byte, with that much real time between two. Default: at once. */
  readonly drip?: Duration.DurationInput | undefined

  /** What comes then. Default: the proxy goes on, as if it had said the right thing. */
  readonly then?: "end" | "reset" | "silence" | undefined
}

/**
 * Faults by message: the choice of a method, the verdict over user and password, the reply to the request.
 *
 * @since 0.1.0
 * @category models
 */
export interface SocksFaults {
  readonly method?: SocksFault | undefined
  readonly authentication?: SocksFault | undefined
  readonly reply?: SocksFault | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The address to listen on. Default `"127.0.0.1"`. */
  readonly host?: string | undefined

  /** Default 0: any free port. */
  readonly port?: number | undefined

  /** TLS to the proxy itself; `true` is with all defaults. Default false. */
  readonly tls?: boolean | TlsOptions | undefined

  /** Who may use the proxy: Basic over HTTP, user and password over SOCKS5. Default: everybody. */
  readonly credentials?: { readonly user: string; readonly password: string } | undefined

  /**
   * Where names lead, by `"host:port"` or `"host"` (an IPv6 address without brackets). Default: to where they say.
   */
  readonly routes?: Readonly<Record<string, Address>> | undefined

  /**
   * What CONNECT gets, as a route of `TestServer` does: any reply, several, or a handler. A `Reply.tunnel` without `to`
   * leads to where the client asks. Default `Reply.tunnel()`.
   */
  readonly connect?: Replies | undefined

  /** What requests with an absolute target get. Default `Reply.forward()`. */
  readonly forward?: Replies | undefined

  /** What is wrong with the SOCKS5 side. Default nothing. */
  readonly socks?: SocksFaults | undefined
}

/**
 * What a client asked of the proxy.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProxyRequest {
  readonly kind: "forward" | "connect" | "socks5"

  /** The number of the connection that brought it, from 0. */
  readonly connection: number

  /** What was asked for, as it was asked: a name is not resolved. IPv6 addresses have no brackets. */
  readonly host: string

  readonly port: number

  readonly addressType: "name" | "ipv4" | "ipv6"

  /** Who it came from, if that was said. */
  readonly user: string | undefined

  /** Whether the credentials were right, or none were needed. */
  readonly authorized: boolean

  /** The header section of an HTTP request; empty for SOCKS5. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
}

/**
 * A running proxy. It uses no Clock of the program under test.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestProxy {
  /** `http://` or, with TLS, `https://`, without a slash at the end. */
  readonly url: string

  /** The same with `socks5://`. */
  readonly socksUrl: string

  readonly host: string

  readonly port: number

  /** The certificate of the authority, as PEM, that signed the proxy's own. Only with TLS. */
  readonly ca: string | undefined

  /** All requests so far. */
  readonly requests: Effect.Effect<ReadonlyArray<ProxyRequest>>

  /** Waits for the first request that is as wanted, among those that have come and those to come. */
  readonly awaitRequest: (predicate: (request: ProxyRequest) => boolean) => Effect.Effect<ProxyRequest>

  /** Connections of clients to the proxy; `openTunnels` and `tunnelsOpened` are the tunnels through it. */
  readonly stats: Effect.Effect<ServerStats>

  readonly awaitStats: (predicate: (stats: ServerStats) => boolean) => Effect.Effect<ServerStats>

  /** Changes what CONNECT gets from now on. */
  readonly connect: (replies: Replies) => Effect.Effect<void>

  /** Changes what requests with an absolute target get from now on. */
  readonly forward: (replies: Replies) => Effect.Effect<void>

  /** Changes what is wrong with the SOCKS5 side from now on. */
  readonly socks: (faults: SocksFaults) => Effect.Effect<void>

  /** Breaks all connections of clients off, tunnels included. Default `"end"`. Returns how many. */
  readonly destroyConnections: (how?: Breaking) => Effect.Effect<number>
}

/**
 * @since 0.1.0
 * @category tags
 */
export const TestProxy: Context.Tag<TestProxy, TestProxy> = Context.GenericTag<TestProxy>(
  "@sluice/test-server/TestProxy"
)

/**
 * Starts a proxy on a free loopback port. When the scope ends, all of its connections are broken off.
 *
 * @example
 * ```ts
 * import { Reply, TestProxy, TestServer } from "@sluice/test-server"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const origin = yield* TestServer.make({ tls: true, replies: { "*": Reply.text("hello") } })
 *   const proxy = yield* TestProxy.make({
 *     credentials: { user: "ann", password: "secret" },
 *     routes: { "api.test": origin }
 *   })
 *   // ... let a client ask for https://api.test/ through proxy.url
 *   const request = yield* proxy.awaitRequest((request) => request.kind === "connect")
 *
 *   // Hostile from now on: the tunnel ends as soon as it is there; or garbage stands in front of the 200.
 *   yield* proxy.connect([Reply.tunnel({ then: "end" }), Reply.tunnel({ before: "\0\0" })])
 *   yield* proxy.socks({ reply: { instead: TestProxy.socksReply({ code: 4 }), then: "end" } })
 *   return request.host
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: Options) => Effect.Effect<TestProxy, never, Scope.Scope> = internal.make

/**
 * A proxy as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: (options?: Options) => Layer.Layer<TestProxy> = internal.layer(TestProxy)

/**
 * The bytes of a SOCKS5 reply (RFC 1928 section 6), right or wrong. Defaults: version 5, code 0 (succeeded), reserved 0,
 * and the address type and address of 0.0.0.0:0.
 *
 * @since 0.1.0
 * @category utils
 */
export const socksReply: (
  options?: {
    readonly version?: number | undefined
    readonly code?: number | undefined
    readonly reserved?: number | undefined
    readonly addressType?: number | undefined
    readonly address?: Uint8Array | undefined
  }
) => Uint8Array = messages.reply
