import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { assert, describe, it } from "vitest"
import * as ConnectionPool from "../src/ConnectionPool.js"
import * as Origin from "../src/Origin.js"
import * as PooledHttpClient from "../src/PooledHttpClient.js"
import * as Redirects from "../src/Redirects.js"
import * as Retry from "../src/Retry.js"
import { Interleavings, MemoryNetwork, MockHttp, settle } from "../src/testing/index.js"
import * as TransportError from "../src/TransportError.js"

const test = <E>(name: string, effect: () => Effect.Effect<unknown, E>): void =>
  it(name, () => Effect.runPromise(Effect.suspend(effect).pipe(Effect.provide(TestClock.layer()))))

describe("MockHttp on the TestClock of Effect 4", () => {
  test("replies as it is told, and time passes when the test says", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(
        Effect.flatMap(HttpClient.get("http://api.test/users/1"), (response) => response.json)
      )
      yield* settle
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { name: "Ada" })
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "http://api.test/users/:id", { json: { name: "Ada" }, delay: "1 second" })
    ]))))

  test("a request that nobody expects fails the test", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Effect.flatMap(HttpClient.get("http://api.test/other"), ({ text }) => text).pipe(
          Effect.provide(MockHttp.layer([MockHttp.on("GET", "http://api.test/", { body: "ok" })]))
        )
      )
      assert.isTrue(Exit.isFailure(exit) && String(exit.cause).includes("http://api.test/other"))
    }))

  test("retries with their pauses, and redirects", () => {
    let count = 0
    return Effect.gen(function*() {
      const client = Redirects.follow(Retry.safely(yield* HttpClient.HttpClient, { base: "10 seconds" }))
      const fiber = yield* Effect.forkChild(Effect.flatMap(client.get("http://api.test/old"), ({ text }) => text))
      yield* settle
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "here")
      assert.strictEqual(count, 2)
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on(
        "GET",
        "http://api.test/old",
        () => Effect.sync(() => ++count === 1 ? { status: 503 } : { status: 302, headers: { location: "/new" } })
      ),
      MockHttp.on("GET", "http://api.test/new", { body: "here" })
    ])))
  })
})

describe("MemoryNetwork on the TestClock of Effect 4", () => {
  const client = (respond: MemoryNetwork.Options["respond"], options: PooledHttpClient.LayerOptions = {}) =>
    PooledHttpClient.layer(options).pipe(Layer.provide(MemoryNetwork.layer({ respond })))

  test("a body as it comes, and a silence that is too long", () =>
    Effect.gen(function*() {
      const body = Stream.concat(Stream.make("one,", "two,"), Stream.fromEffectDrain(Effect.never))
      const program = Effect.flatMap(HttpClient.get("http://a.test/"), ({ text }) => text)
      const fiber = yield* Effect.forkChild(
        Effect.flip(program).pipe(
          Effect.provide(client(() => Effect.succeed({ body }), { timeouts: { read: "5 seconds" } }))
        )
      )
      yield* settle
      yield* TestClock.adjust("5 seconds")
      const cause = TransportError.fromHttpClientError(yield* Fiber.join(fiber))
      assert.strictEqual(Option.getOrUndefined(cause)?._tag, "ReadTimeout")
    }))

  test("a wait for the pool that is too long names who holds the connections", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const holder = yield* Effect.forkChild(HttpClient.get("http://a.test/held"))
        yield* settle
        const fiber = yield* Effect.forkChild(Effect.flip(HttpClient.get("http://a.test/waits")))
        yield* settle
        yield* TestClock.adjust("2 seconds")
        const error = Option.getOrUndefined(TransportError.fromHttpClientError(yield* Fiber.join(fiber)))
        yield* Fiber.interrupt(holder)
        return error
      })
      const error = yield* program.pipe(
        Effect.provide(client(() => Effect.never, { limits: { maxConnections: 1 }, timeouts: { pool: "2 seconds" } }))
      )
      assert.strictEqual(error?._tag, "PoolTimeout")
      assert.include(error?.message, "http://a.test/held")
    }))

  test("connections held by hand are given back with their Scope", () =>
    Effect.gen(function*() {
      const pool = yield* ConnectionPool.ConnectionPool
      const origin = Result.getOrThrow(Origin.make("http://a.test/"))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* pool.acquire(origin)
        assert.strictEqual(pool.unsafeStats().leases, 1)
      }))
      assert.strictEqual(pool.unsafeStats().leases, 0)
      const waiter = yield* Effect.scoped(Effect.gen(function*() {
        yield* pool.acquire(origin)
        const waiter = yield* Effect.forkChild(
          Effect.flip(Effect.scoped(pool.acquire(origin, { timeout: "1 second" })))
        )
        yield* settle
        yield* TestClock.adjust("1 second")
        return yield* Fiber.join(waiter)
      }))
      assert.strictEqual(waiter._tag, "PoolTimeout")
    }).pipe(Effect.provide(client(() => Effect.never, { limits: { maxConnections: 1 } }))))
})

describe("Interleavings of Effect 4", () => {
  it("two requests over one connection, interrupted anywhere, leave the pool at rest", () =>
    Effect.runPromise(Interleavings.explore({
      layer: PooledHttpClient.layer({ limits: { maxConnections: 1 } }).pipe(
        Layer.provide(MemoryNetwork.layer({ respond: () => Effect.succeed({ body: "ok" }) }))
      ),
      actors: [1, 2].map((n) => Effect.flatMap(HttpClient.get(`http://a.test/${n}`), ({ text }) => text)),
      check: Interleavings.atRest,
      random: 5
    })))
})
