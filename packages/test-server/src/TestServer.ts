/**
 * A scripted server on a free loopback port, for tests.
 *
 * @since 0.1.0
 */
import * as table from "@sluice/engine/options"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as acceptor from "./internal/acceptor.js"
import { checked } from "./internal/checked.js"
import type { Options } from "./internal/listener.js"
import * as internal from "./internal/server.js"
import * as ports from "./internal/unusedPort.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { HandshakeFault, TlsOptions } from "./internal/tls.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { GoAwayOptions, Http2Controls, Http2Options, Http2Settings } from "./internal/http2/options.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Options } from "./internal/listener.js"

/**
 * @since 0.1.0
 * @category models
 */
export type TestServer = internal.TestServer

/**
 * @since 0.1.0
 * @category tags
 */
export const TestServer: Context.Tag<TestServer, TestServer> = Context.GenericTag<TestServer>(
  "@sluice/test-server/TestServer"
)

/**
 * The address could not be listened on. It is a defect of {@link make}, since it does not happen on a free loopback
 * port.
 *
 * @since 0.1.0
 * @category errors
 */
export const ListenError = acceptor.ListenError

/**
 * @since 0.1.0
 * @category errors
 */
export type ListenError = acceptor.ListenError

/**
 * Starts a server. When the scope ends, all of its connections are broken off and the port is free again.
 *
 * @example
 * ```ts
 * import { Reply, TestServer } from "@sluice/test-server"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* TestServer.make({ replies: { "/hello": Reply.text("hello") } })
 *   const text = yield* Effect.promise(() => fetch(`${server.url}/hello`).then((response) => response.text()))
 *   const stats = yield* server.stats
 *   return [text, stats.connectionsOpened] as const
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<TestServer, never, Scope.Scope> =>
  Effect.suspend(() => internal.make(checked("TestServer", table.testServer, options)))

/**
 * A server as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<TestServer> => Layer.scoped(TestServer, make(options))

/**
 * A port at which nobody listens, to be refused at, or to start another program on. It lies below those that the system
 * gives out by itself, so no other process comes by it in the meantime; a process never gets the same one twice.
 *
 * @example
 * ```ts
 * import { TestServer } from "@sluice/test-server"
 * import * as Effect from "effect/Effect"
 *
 * const refused = Effect.gen(function*() {
 *   const port = yield* TestServer.unusedPort
 *   return yield* Effect.flip(Effect.tryPromise(() => fetch(`http://127.0.0.1:${port}/`)))
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const unusedPort: Effect.Effect<number> = ports.unusedPort
