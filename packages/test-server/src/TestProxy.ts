/**
 * A proxy for tests: HTTP forward, CONNECT and SOCKS5 on one port, honest or hostile.
 *
 * @since 0.1.0
 */
import * as table from "@sluice/engine/options"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { checked } from "./internal/checked.js"
import * as internal from "./internal/proxy/proxy.js"
import type { Options } from "./internal/proxy/proxy.js"
import * as messages from "./internal/proxy/socksMessages.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Address, SocksFault, SocksFaults } from "./internal/proxy/socksConnection.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Options, ProxyRequest } from "./internal/proxy/proxy.js"

/**
 * @since 0.1.0
 * @category models
 */
export type TestProxy = internal.TestProxy

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
export const make = (options: Options = {}): Effect.Effect<TestProxy, never, Scope.Scope> =>
  Effect.suspend(() => internal.make(checked("TestProxy", table.testProxy, options)))

/**
 * A proxy as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<TestProxy> => Layer.scoped(TestProxy, make(options))

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
