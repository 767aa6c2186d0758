import * as ConnectionPool from "@sluice/core4/ConnectionPool"
import * as PooledHttpClient from "@sluice/core4/PooledHttpClient"
import * as Retry from "@sluice/core4/Retry"
import * as Trailers from "@sluice/core4/Trailers"
import * as TransportError from "@sluice/core4/TransportError"
import { HttpClientLayer } from "@sluice/node4"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { AsyncLocalStorage } from "node:async_hooks"
import type * as http from "node:http"
import { inspect } from "node:util"
import { assert, describe } from "vitest"
import { live, until } from "./support/it.js"
import { atRest, build, serve, text } from "./support/world.js"

const echo: http.RequestListener = (request, response) => {
  if (request.url === "/never") return
  if (request.url === "/endless") return void response.write("x")
  if (request.url === "/hints") {
    response.writeEarlyHints({ link: "</style.css>; rel=preload" })
    return
  }
  request.resume().on("end", () => response.end(request.url))
}

const one = { limits: { maxConnections: 1 } } as const

describe("what goes on at once where it is resumed", () => {
  live(
    "a fiber that has read a body finds its connection free: one connection, and no wait",
    () =>
      Effect.gen(function*() {
        const url = yield* serve(echo)
        const { client, pool } = yield* build({ ...one, timeouts: { pool: 0 } })
        for (let n = 0; n < 30; n++) assert.strictEqual(yield* text(client, `${url}/${n}`), `/${n}`)
        assert.strictEqual(pool.unsafeStats().open, 1)
      })
  )

  live(
    "a request that is made as soon as another one's response is there does not overtake it",
    () =>
      Effect.gen(function*() {
        const url = yield* serve(echo)
        const { client, pool } = yield* build(one)
        const chain = (name: string, left: number): Effect.Effect<number, HttpClientError> =>
          left === 0
            ? Effect.succeed(0)
            : Effect.flatMap(client.get(`${url}/${name}${left}`), (response) =>
              Effect.flatMap(response.text, (text) => {
                assert.strictEqual(text, `/${name}${left}`)
                return Effect.map(chain(name, left - 1), (done) => done + 1)
              }))
        const done = yield* Effect.forEach([..."abcdefgh"], (name) => chain(name, 20), { concurrency: "unbounded" })
        assert.deepStrictEqual(done, Array.from({ length: 8 }, () => 20))
        yield* atRest(pool)
      })
  )

  live("a fiber interrupted by a hook of its own request", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const own: { fiber?: Fiber.Fiber<unknown, unknown> } = {}
      const { client, pool } = yield* build({ ...one, onInformational: () => own.fiber?.interruptUnsafe() })
      own.fiber = yield* Effect.forkChild(text(client, `${url}/hints`))
      const exit = yield* Fiber.await(own.fiber)
      assert.isTrue(Exit.hasInterrupts(exit))
      yield* atRest(pool)
      assert.strictEqual(yield* text(client, `${url}/after`), "/after")
    }))

  live("a fiber interrupted by the reader of the pool's events, whatever happens", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client, pool } = yield* build(one)
      for (const tag of ["DialStarted", "DialSucceeded", "Granted", "Released"]) {
        const own: { fiber?: Fiber.Fiber<unknown, unknown> } = {}
        const reader = yield* Effect.forkChild(
          Stream.runForEach(pool.events, (event) =>
            Effect.sync(() => {
              if (event._tag === tag) own.fiber?.interruptUnsafe()
            }))
        )
        yield* Effect.yieldNow
        own.fiber = yield* Effect.forkChild(text(client, `${url}/${tag}`))
        yield* Fiber.await(own.fiber)
        yield* Fiber.interrupt(reader)
        yield* atRest(pool)
        yield* pool.evictIdle
        yield* until(() => pool.unsafeStats().open === 0)
      }
      assert.strictEqual(yield* text(client, `${url}/after`), "/after")
    }))

  live("the finalizer of an interrupted body makes a request by the same client", () =>
    Effect.gen(function*() {
      const url = yield* serve((request, response) => {
        if (request.url === "/upload") return void request.resume()
        echo(request, response)
      })
      const { client, pool } = yield* build(one)
      let said: string | undefined
      const body = Stream.make(new Uint8Array(8)).pipe(
        Stream.concat(Stream.never),
        Stream.ensuring(Effect.map(Effect.orDie(text(client, `${url}/finalizer`)), (text) => said = text))
      )
      const upload = yield* Effect.forkChild(
        client.execute(HttpClientRequest.post(`${url}/upload`).pipe(HttpClientRequest.bodyStream(body)))
      )
      yield* until(() => pool.unsafeStats().active === 1)
      yield* Fiber.interrupt(upload)
      yield* until(() => said === "/finalizer")
      yield* atRest(pool)
    }))

  live("the reader of a body is interrupted by what it has read", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client, pool } = yield* build(one)
      const reader = yield* Effect.forkChild(Effect.withFiber((fiber) =>
        Effect.flatMap(client.get(`${url}/endless`), (response) =>
          Stream.runForEach(response.stream, () =>
            Effect.sync(() => fiber.interruptUnsafe())))
      ))
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(reader)))
      yield* atRest(pool)
      assert.strictEqual(yield* text(client, `${url}/after`), "/after")
    }))

  live(
    "one fiber interrupts another that waits, in the moment in which it goes on itself",
    () =>
      Effect.gen(function*() {
        const url = yield* serve(echo)
        const { client, pool } = yield* build(one)
        for (let n = 0; n < 10; n++) {
          const other: { fiber?: Fiber.Fiber<unknown, unknown> } = {}
          const first = yield* Effect.forkChild(
            Effect.flatMap(client.get(`${url}/first`), (response) =>
              Effect.suspend(() => {
                other.fiber?.interruptUnsafe()
                return response.text
              }))
          )
          other.fiber = yield* Effect.forkChild(text(client, `${url}/other`))
          assert.strictEqual(yield* Fiber.join(first), "/first")
          yield* Fiber.await(other.fiber)
        }
        yield* atRest(pool)
      })
  )

  live("each request goes on in the context that it was made in", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client } = yield* build(one)
      const storage = new AsyncLocalStorage<number>()
      const run = (n: number) =>
        Effect.promise(() =>
          storage.run(n, () => Effect.runPromise(Effect.map(text(client, `${url}/`), () => storage.getStore())))
        )
      const found = yield* Effect.forEach([1, 2, 3, 4, 5], run, { concurrency: "unbounded" })
      assert.deepStrictEqual(found, [1, 2, 3, 4, 5])
    }))
})

describe("what Effect 4 has of its own", () => {
  live("retryTransient, and catchTag of the errors inside", () =>
    Effect.gen(function*() {
      let count = 0
      const url = yield* serve((request, response) => {
        if (++count < 3) request.socket.destroy()
        else response.end("third")
      })
      const { client } = yield* build()
      const retrying = HttpClient.retryTransient(client, { schedule: Schedule.recurs(5) })
      // A GET on a new connection is not sent again by the transport.
      assert.strictEqual(yield* text(retrying, url), "third")
      const caught = yield* text(client, "http://127.0.0.1:1/").pipe(
        TransportError.catchTag("ConnectError", ({ reason }) => Effect.succeed(reason))
      )
      assert.strictEqual(caught, "Refused")
    }))

  live("Retry.safely, and trailers", () =>
    Effect.gen(function*() {
      let count = 0
      const url = yield* serve((_, response) => {
        response.statusCode = ++count === 1 ? 503 : 200
        response.setHeader("trailer", "x-sum")
        response.write("body")
        response.addTrailers({ "x-sum": "4" })
        response.end()
      })
      const { client } = yield* build()
      const response = yield* Retry.safely(client, { base: "1 millis" }).get(url)
      assert.strictEqual(yield* response.text, "body")
      assert.strictEqual(count, 2)
      assert.deepStrictEqual({ ...Trailers.get(response) }, { "x-sum": "4" })
    }))

  live("what is redacted is sent, and shown nowhere", () =>
    Effect.gen(function*() {
      const secret = "s3cr3t-value"
      let asked: string | undefined
      const url = yield* serve((request) => {
        asked = request.url
        request.socket.destroy()
      })
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const { client } = yield* build()
      const request = HttpClientRequest.post(`${url}/path?token=${secret}`).pipe(
        HttpClientRequest.setUrlParam("key", Redacted.make(secret)),
        HttpClientRequest.bearerToken(Redacted.make(secret))
      )
      const error = yield* Effect.flip(client.execute(request)).pipe(
        Effect.withSpan("outer"),
        Effect.provideService(Tracer.Tracer, tracer)
      )
      assert.strictEqual(asked, `/path?token=${secret}&key=${secret}`)
      const span = spans.find(({ kind }) => kind === "client")
      assert.strictEqual(span?.attributes.get("url.path"), "/path")
      assert.strictEqual(span?.attributes.get("error.type"), "ReadError")
      const shown = [
        String(error),
        error.message,
        JSON.stringify(error),
        inspect(error, { depth: 10 }),
        inspect(spans.map(({ attributes, name }) => [name, [...attributes]]), { depth: 10 })
      ].join("\n")
      assert.notInclude(shown, secret)
    }))

  live("metrics are read when somebody asks, from the registry of the layer", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client } = yield* build({ name: "four" })
      yield* text(client, `${url}/`)
      yield* text(client, `${url}/`)
      const all = (yield* Metric.snapshot).filter(({ attributes }) => attributes?.["sluice.pool.name"] === "four")
      const duration = all.find(({ id }) => id === "http.client.request.duration")
      assert.strictEqual((duration?.state as { readonly count?: number } | undefined)?.count, 2)
      const idle = all.find(({ attributes, id }) =>
        id === "http.client.open_connections" && attributes?.["http.connection.state"] === "idle"
      )
      assert.strictEqual((idle?.state as { readonly count?: number } | undefined)?.count, 1)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  live("a Scope ends the responses of PooledHttpClient.withScope", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client, pool } = yield* build(one)
      const scope = yield* Scope.make()
      const response = yield* Scope.provide(PooledHttpClient.withScope(client).get(`${url}/endless`), scope)
      const reading = yield* Effect.forkChild(Effect.flip(response.text))
      yield* Scope.close(scope, Exit.void)
      const error = TransportError.fromHttpClientError(yield* Fiber.join(reading))
      assert.strictEqual(Option.getOrUndefined(error)?._tag, "BodyAbandoned")
      yield* atRest(pool)
    }))

  live("options from Config", () =>
    Effect.gen(function*() {
      const provider = ConfigProvider.fromEnvRecord({
        A_MAX_CONNECTIONS: "3",
        A_POOL_TIMEOUT: "2 seconds",
        A_HTTP2: "false"
      })
      const built = yield* Layer.build(HttpClientLayer.layerConfig(HttpClientLayer.config("A"))).pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, provider)
      )
      const limits = yield* Context.get(built, ConnectionPool.ConnectionPool).limits
      assert.strictEqual(limits.maxConnections, 3)
      const wrong = yield* Effect.exit(Effect.scoped(Layer.build(
        HttpClientLayer.layerConfig(HttpClientLayer.config("B"))
      ))).pipe(Effect.provideService(
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromEnvRecord({ B_MAX_CONNECTIONS: "many" })
      ))
      assert.isTrue(Exit.isFailure(wrong) && String(wrong.cause).includes("B_MAX_CONNECTIONS"))
    }))
})
