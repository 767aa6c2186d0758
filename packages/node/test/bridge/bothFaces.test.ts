import * as HttpClient from "@effect/platform/HttpClient"
import { describe, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import * as Timeouts from "@sluice/core/Timeouts"
import * as TransportError from "@sluice/core/TransportError"
import * as ConnectionPool4 from "@sluice/core4/ConnectionPool"
import * as PooledHttpClient4 from "@sluice/core4/PooledHttpClient"
import * as Timeouts4 from "@sluice/core4/Timeouts"
import * as TransportError4 from "@sluice/core4/TransportError"
import { PoolDriver } from "@sluice/engine/pool"
import { HttpClientLayer } from "@sluice/node"
import { HttpClientLayer as HttpClientLayer4 } from "@sluice/node4"
import { Reply, TestServer } from "@sluice/test-server"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as Effect4 from "effect4/Effect"
import * as HttpClient4 from "effect4/http/HttpClient"
import type * as Layer4 from "effect4/Layer"
import * as ManagedRuntime4 from "effect4/ManagedRuntime"
import * as Metric4 from "effect4/Metric"
import * as Option4 from "effect4/Option"
import * as Tracer4 from "effect4/Tracer"
import { deepStrictEqual, strictEqual } from "node:assert"
import { vi } from "vitest"

describe("both faces in one process", () => {
  it.scopedLive("each has a pool of its own, and nothing of one is anything to the other", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok"), "/never": Reply.never } })
      const three = Effect.flatMap(HttpClient.get(`${server.url}/`), (response) => response.text).pipe(
        Effect.replicateEffect(10, { concurrency: "unbounded" }),
        Effect.provide(HttpClientLayer.layer({ limits: { maxConnections: 2 } }))
      )
      const four = Effect4.flatMap(HttpClient4.get(`${server.url}/`), (response) => response.text).pipe(
        Effect4.replicateEffect(10, { concurrency: "unbounded" }),
        Effect4.provide(HttpClientLayer4.layer({ limits: { maxConnections: 2 } }))
      )
      const [texts, texts4] = yield* Effect.all([three, Effect.promise(() => Effect4.runPromise(four))], {
        concurrency: "unbounded"
      })
      strictEqual(texts.join(), texts4.join())
      strictEqual((yield* server.stats).connectionsOpened, 4)

      const error = yield* Effect.flip(HttpClient.get(`${server.url}/never`)).pipe(
        Timeouts.locally({ read: 1 }),
        Effect.provide(HttpClientLayer.layer())
      )
      const error4 = yield* Effect.promise(() =>
        Effect4.runPromise(
          Effect4.flip(HttpClient4.get(`${server.url}/never`)).pipe(
            Timeouts4.locally({ read: 1 }),
            Effect4.provide(HttpClientLayer4.layer())
          )
        )
      )
      const { cause } = error
      const { cause: cause4 } = error4
      strictEqual(TransportError.isTransportError(cause) && cause._tag, "ReadTimeout")
      strictEqual(TransportError4.isTransportError(cause4) && cause4._tag, "ReadTimeout")
      strictEqual(TransportError.isTransportError(cause4) || TransportError4.isTransportError(cause), false)
      strictEqual((cause as Error).message, (cause4 as Error).message)
    }))

  it.scopedLive("an application of Effect 3 with a library of Effect 4: spans, metrics and interrupts are each one's own", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok"), "/never": Reply.never } })
      const spans: Array<Tracer.Span> = []
      const spans4: Array<Tracer4.NativeSpan> = []
      const tracer = yield* Effect.tracer
      const recording = Tracer.make({
        context: tracer.context,
        span: (...given) => {
          const span = tracer.span(...given)
          spans.push(span)
          return span
        }
      })
      const recording4 = Tracer4.make({
        span: (options) => {
          const span = new Tracer4.NativeSpan(options)
          spans4.push(span)
          return span
        }
      })
      const runtime4 = yield* Effect.acquireRelease(
        Effect.sync(() => ManagedRuntime4.make(HttpClientLayer4.layer({ name: "library" }))),
        (runtime) => Effect.promise(() => runtime.dispose())
      )
      /** What the library offers: promises, and a signal that ends them. */
      const library = (path: string, signal: AbortSignal) =>
        runtime4.runPromise(
          Effect4.flatMap(HttpClient4.get(`${server.url}${path}`), (response) => response.text).pipe(
            Effect4.withSpan("library"),
            Effect4.provideService(Tracer4.Tracer, recording4)
          ),
          { signal }
        )
      const application = Effect.gen(function*() {
        const own = yield* Effect.flatMap(HttpClient.get(`${server.url}/`), (response) => response.text)
        const theirs = yield* Effect.promise((signal) => library("/", signal))
        strictEqual(own, theirs)
        const interrupted = yield* Effect.fork(Effect.promise((signal) => library("/never", signal)))
        const pool4 = yield* Effect.promise(() => runtime4.runPromise(ConnectionPool4.ConnectionPool))
        yield* Effect.repeat(Effect.yieldNow(), { until: () => pool4.unsafeStats().active === 1 })
        yield* Fiber.interrupt(interrupted)
        yield* Effect.repeat(Effect.yieldNow(), { until: () => pool4.unsafeStats().leases === 0 })
        strictEqual((yield* ConnectionPool.ConnectionPool).unsafeStats().open, 1)
        const named = (metrics: ReadonlyArray<object>) => JSON.stringify(metrics)
        const metrics = named(Chunk.toReadonlyArray(yield* Effect.map(Metric.snapshot, Chunk.fromIterable)))
        const metrics4 = named(yield* Effect.promise(() => runtime4.runPromise(Metric4.snapshot)))
        strictEqual(metrics.includes("application") && !metrics.includes("library"), true)
        strictEqual(metrics4.includes("library") && !metrics4.includes("application"), true)
      })
      yield* application.pipe(
        Effect.withSpan("application"),
        Effect.withTracer(recording),
        Effect.provide(HttpClientLayer.layer({ name: "application" }))
      )
      deepStrictEqual(spans.map(({ name }) => name), ["application", "http.client GET"])
      deepStrictEqual(spans4.map(({ name }) => name), ["library", "GET", "library", "GET"])
      // What came of one face is nothing to the functions of the other.
      const response4 = yield* Effect.promise(() => runtime4.runPromise(HttpClient4.get(`${server.url}/`)))
      strictEqual(Option.isNone(PooledHttpClient.connectionInfo(response4 as never)), true)
      strictEqual(Option4.isSome(PooledHttpClient4.connectionInfo(response4)), true)
    }))

  it.scopedLive("two copies of the engine, as two versions are, under one face and under both", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok"), "/never": Reply.never } })
      vi.resetModules()
      const other = yield* Effect.promise(() => import("@sluice/node"))
      const other4 = yield* Effect.promise(() => import("@sluice/node4"))
      const engine = yield* Effect.promise(() => import("@sluice/engine/pool"))
      strictEqual(other.HttpClientLayer.layer === HttpClientLayer.layer, false)
      strictEqual(other4.HttpClientLayer.layer === HttpClientLayer4.layer, false)
      strictEqual(engine.PoolDriver === PoolDriver, false)
      const options = { limits: { maxConnections: 2 } }
      const get = Effect.flatMap(HttpClient.get(`${server.url}/`), (response) => response.text)
      const get4 = Effect4.flatMap(HttpClient4.get(`${server.url}/`), (response) => response.text)
      const many = <R>(layer: Layer.Layer<HttpClient.HttpClient | R, unknown>) =>
        Effect.provide(Effect.replicateEffect(get, 10, { concurrency: "unbounded" }), layer)
      const many4 = <R>(layer: Layer4.Layer<HttpClient4.HttpClient | R, unknown>) =>
        Effect.promise(() =>
          Effect4.runPromise(
            Effect4.provide(Effect4.replicateEffect(get4, 10, { concurrency: "unbounded" }), layer)
          )
        )
      const all = yield* Effect.all([
        many(HttpClientLayer.layer(options)),
        many(other.HttpClientLayer.layer(options)),
        many4(HttpClientLayer4.layer(options)),
        many4(other4.HttpClientLayer.layer(options))
      ], { concurrency: "unbounded" })
      strictEqual(all.flat().join(""), "ok".repeat(40))
      // Each has limits of its own.
      strictEqual((yield* server.stats).connectionsOpened, 8)
      // A region's timeouts, and errors, are understood by both copies: they are what programs hold in hand.
      const error = yield* Effect.flip(HttpClient.get(`${server.url}/never`)).pipe(
        Timeouts.locally({ read: 1 }),
        Effect.provide(other.HttpClientLayer.layer())
      )
      strictEqual(TransportError.isTransportError(error.cause) && error.cause._tag, "ReadTimeout")
      const error4 = yield* Effect.promise(() =>
        Effect4.runPromise(
          Effect4.flip(HttpClient4.get(`${server.url}/never`)).pipe(
            Timeouts4.locally({ read: 1 }),
            Effect4.provide(other4.HttpClientLayer.layer())
          )
        )
      )
      strictEqual(TransportError4.isTransportError(error4.cause) && error4.cause._tag, "ReadTimeout")
    }))
})
