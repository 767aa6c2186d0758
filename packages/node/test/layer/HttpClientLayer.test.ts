import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import { InvalidOptions } from "@sluice/core/InvalidOptions"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { HttpClientLayer } from "../../src/index.js"

const limits = Effect.flatMap(ConnectionPool.ConnectionPool, (pool) => pool.limits)

const withVariables = (variables: Record<string, string>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

/** Why a layer is not built. */
const refusal = <E>(layer: Layer.Layer<HttpClientLayer.Provided, E>) =>
  Effect.scoped(Layer.build(layer)).pipe(
    Effect.either,
    Effect.map((built) => Either.isLeft(built) ? String(built.left) : "it was built")
  )

describe("HttpClientLayer", () => {
  it.scoped("provides the platform's client, the typed client, and one pool under both", () =>
    Effect.gen(function*() {
      yield* HttpClient.HttpClient
      yield* PooledHttpClient.PooledHttpClient
      assert.strictEqual((yield* limits).maxConnections, 7)
    }).pipe(Effect.provide(HttpClientLayer.layer({ limits: { maxConnections: 7 } }))))

  it.scoped("is one pool where it is provided once, and two where it is built twice", () =>
    Effect.gen(function*() {
      const layer = HttpClientLayer.layer()
      const pool = Effect.provide(ConnectionPool.ConnectionPool, layer)
      assert.notStrictEqual(yield* pool, yield* pool)
      const [first, second] = yield* Effect.all([ConnectionPool.ConnectionPool, ConnectionPool.ConnectionPool]).pipe(
        Effect.provide(layer)
      )
      assert.strictEqual(first, second)
    }))

  it.effect("is not built with options that make no sense, and says which and why", () =>
    Effect.gen(function*() {
      const layer = HttpClientLayer.layer
      assert.include(yield* refusal(layer({ limits: { maxConnections: 0 } })), "limits.maxConnections is 0")
      assert.include(yield* refusal(layer({ limits: { maxConnections: NaN } })), "limits.maxConnections is NaN")
      assert.include(
        yield* refusal(layer({ limits: { maxConnections: 5, maxKeepAliveConnections: 6 } })),
        "limits.maxKeepAliveConnections is 6: expected no more than maxConnections (5)"
      )
      assert.include(yield* refusal(layer({ limits: { keepAliveExpiry: -1 } })), "limits.keepAliveExpiry is -1")
      assert.include(yield* refusal(layer({ timeouts: { pool: -5 } })), "timeouts.pool is -5")
      assert.include(yield* refusal(layer({ maxBufferedBody: -1 })), "maxBufferedBody is -1")
      assert.include(yield* refusal(layer({ drainTimeout: -1 })), "InvalidOptions: drainTimeout is -1")
      assert.include(yield* refusal(layer({ unreadBodyGrace: NaN })), "unreadBodyGrace is NaN")
      assert.include(yield* refusal(layer({ expectContinueTimeout: -1 })), "expectContinueTimeout is -1")
      assert.include(
        yield* refusal(layer({ limits: { maxConnections: "10" as never } })),
        "limits.maxConnections is \"10\": expected a whole number"
      )
      assert.include(
        yield* refusal(layer({ whenFull: "Wait" as never })),
        "whenFull is \"Wait\": expected \"dial\" or \"wait\""
      )
      assert.include(yield* refusal(layer({ http2: { pingInterval: -1 } })), "http2.pingInterval is -1")
      assert.include(yield* refusal(layer({ tls: { ca: "nonsense" } })), "tls.ca is not usable")
    }))

  it.scoped("takes options from Config, each where it is", () =>
    Effect.gen(function*() {
      const layer = HttpClientLayer.layerConfig({
        limits: { maxConnections: Config.integer("CONNECTIONS"), keepAliveExpiry: Config.duration("EXPIRY") }
      })
      const inForce = yield* Effect.provide(limits, layer).pipe(
        withVariables({ CONNECTIONS: "3", EXPIRY: "2 seconds" })
      )
      assert.strictEqual(inForce.maxConnections, 3)
      assert.strictEqual(inForce.keepAliveExpiry, 2000)
    }))

  it.scoped("takes all options from Config under documented names", () =>
    Effect.gen(function*() {
      const layer = HttpClientLayer.layerConfig(HttpClientLayer.config("API"))
      const inForce = yield* Effect.provide(limits, layer).pipe(
        withVariables({
          API_MAX_CONNECTIONS: "3",
          API_MAX_CONNECTION_AGE: "Infinity",
          API_KEEP_ALIVE_EXPIRY: "1 minute"
        })
      )
      assert.strictEqual(inForce.maxConnections, 3)
      assert.strictEqual(inForce.maxConnectionAge, Infinity)
      assert.strictEqual(inForce.keepAliveExpiry, 60_000)
      assert.strictEqual((yield* Effect.provide(limits, layer).pipe(withVariables({}))).maxConnections, 100)
    }))

  it.effect("takes the options of HTTP/2 from Config", () =>
    Effect.gen(function*() {
      const http2 = (variables: Record<string, string>) =>
        Effect.map(HttpClientLayer.config(), (options) => options.http2).pipe(withVariables(variables))
      assert.deepStrictEqual(yield* http2({ HTTP_CLIENT_HTTP2: "false", HTTP_CLIENT_HTTP2_COALESCING: "true" }), false)
      assert.isUndefined(yield* http2({}))
      assert.strictEqual(yield* http2({ HTTP_CLIENT_HTTP2: "true" }), true)
      assert.strictEqual(yield* http2({ HTTP_CLIENT_HTTP2: "prior-knowledge" }), "prior-knowledge")
      const all = {
        HTTP_CLIENT_HTTP2_MAX_CONCURRENT_STREAMS: "7",
        HTTP_CLIENT_HTTP2_PING_INTERVAL: "5 minutes",
        HTTP_CLIENT_HTTP2_PING_TIMEOUT: "2 seconds",
        HTTP_CLIENT_HTTP2_COALESCING: "true"
      }
      assert.deepStrictEqual(yield* http2(all), {
        maxConcurrentStreams: 7,
        pingInterval: 300_000,
        pingTimeout: 2000,
        coalescing: true,
        priorKnowledge: false
      })
      const layer = HttpClientLayer.layerConfig(HttpClientLayer.config())
      const refused = (variables: Record<string, string>) => refusal(layer).pipe(withVariables(variables))
      assert.include(
        yield* refused({ HTTP_CLIENT_HTTP2: "2" }),
        "Expected true, false or \"prior-knowledge\", got \"2\""
      )
      assert.include(
        yield* refused({ HTTP_CLIENT_HTTP2_MAX_CONCURRENT_STREAMS: "0" }),
        "(Invalid data at HTTP_CLIENT_HTTP2_MAX_CONCURRENT_STREAMS: \"Expected a whole number from 1 to 2147483647"
      )
      assert.strictEqual(yield* refused({ HTTP_CLIENT_HTTP2_PING_INTERVAL: "Infinity" }), "it was built")
    }))

  it.effect("says which variable is wrong", () =>
    Effect.gen(function*() {
      const layer = HttpClientLayer.layerConfig(HttpClientLayer.config())
      const message = yield* refusal(layer).pipe(withVariables({ HTTP_CLIENT_POOL_TIMEOUT: "soon" }))
      assert.include(message, "HTTP_CLIENT_POOL_TIMEOUT")
      assert.include(
        message,
        "Expected a duration that is not negative, as in \"5 seconds\", or \"Infinity\", got \"soon\""
      )
    }))

  it.scoped("default is a value: who provides it twice has one pool, and it fails with nothing", () =>
    Effect.gen(function*() {
      const layer: Layer.Layer<HttpClient.HttpClient | ConnectionPool.ConnectionPool> = HttpClientLayer.default
      const pool = Effect.map(ConnectionPool.ConnectionPool, (pool) => pool)
      const [One, Other] = ["One", "Other"].map((key) => Context.GenericTag<ConnectionPool.ConnectionPool>(key))
      const one = Layer.provideMerge(Layer.effect(One, pool), layer)
      const other = Layer.provideMerge(Layer.effect(Other, pool), layer)
      const context = yield* Layer.build(Layer.merge(one, other))
      assert.strictEqual(Context.unsafeGet(context, One), Context.unsafeGet(context, Other))
    }))

  it.effect("layerOrDie dies of what is wrong with the options", () =>
    Effect.gen(function*() {
      const layer = HttpClientLayer.layerOrDie({ limits: { maxConnections: -1 } })
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(layer)))
      const defect = Exit.isFailure(exit) ? Cause.dieOption(exit.cause) : Option.none()
      assert.strictEqual(Option.getOrThrow(defect) instanceof InvalidOptions, true)
    }))

  it.scoped("warns once when a layer is built again and again", () =>
    Effect.gen(function*() {
      const warnings: Array<string> = []
      const logger = Logger.make(({ message }) => warnings.push(String(message)))
      // Options that no other test uses: all pools of the process are counted.
      const layer = HttpClientLayer.layer({ limits: { maxConnections: 4321 } })
      yield* Effect.replicateEffect(Layer.build(Layer.fresh(layer)), 20).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      assert.strictEqual(warnings.length, 1)
      assert.include(warnings[0], "provide it once")
    }))
})
