import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Idempotency from "../../src/Idempotency.js"
import * as Retry from "../../src/Retry.js"
import { MockHttp } from "../../src/testing/index.js"
import * as TransportError from "../../src/TransportError.js"

const get = (url: string) => Effect.flatMap(HttpClient.get(url), (response) => response.text)

describe("MockHttp", () => {
  it.effect("answers by method and URL, with or without its query", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* get("https://api.test/a"), "whole")
      assert.strictEqual(yield* get("https://api.test/b?page=2"), "any page")
      assert.strictEqual(yield* get("https://api.test/c/7"), "{\"path\":\"https://api.test/c/7\"}")
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "https://api.test/a", { body: "whole" }),
      MockHttp.on("GET", "https://api.test/b", { body: "any page" }),
      MockHttp.on("get", /\/c\/\d$/, (request) => ({ json: { path: request.url } }))
    ]))))

  it.effect("gives several answers in turn", () =>
    Effect.gen(function*() {
      const client = Retry.safely(yield* HttpClient.HttpClient)
      const fiber = yield* Effect.fork(client.get("https://api.test/"))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.strictEqual((yield* MockHttp.MockHttp).requests.length, 2)
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "https://api.test/", { status: 503, headers: { "retry-after": "2" } }, { status: 200 })
    ]))))

  it.effect("remembers what it was sent", () =>
    Effect.gen(function*() {
      yield* HttpClientRequest.post("https://api.test/orders").pipe(
        HttpClientRequest.bodyUnsafeJson({ item: 1 }),
        HttpClient.execute,
        Idempotency.withKey
      )
      const [request] = (yield* MockHttp.MockHttp).requests
      assert.strictEqual(request.body, "{\"item\":1}")
      assert.strictEqual(request.headers["content-type"], "application/json")
      assert.isDefined(request.headers["idempotency-key"])
    }).pipe(Effect.provide(MockHttp.layer([MockHttp.on("POST", "https://api.test/orders", { status: 201 })]))))

  it.effect("fails a request that nothing was said of, and lists what was expected", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(HttpClient.get("https://api.test/other"))
      assert.include(
        error.message,
        "nothing was said of GET https://api.test/other; expected is GET https://api.test/a, POST /b/"
      )
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "https://api.test/a", {}),
      MockHttp.on("POST", /b/, {})
    ]))))

  it.effect("lets the pool and its timeouts be what they are", () =>
    Effect.gen(function*() {
      yield* Effect.fork(get("https://api.test/"))
      const second = yield* Effect.fork(
        get("https://api.test/").pipe(
          Effect.as("answered"),
          TransportError.catchTag("PoolTimeout", (timeout) => Effect.succeed(`${timeout.pool.active} active`))
        )
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(second), "1 active")
    }).pipe(Effect.provide(MockHttp.layer(
      [MockHttp.on("GET", "https://api.test/", () => Effect.never)],
      { limits: { maxConnections: 1 }, timeouts: { pool: "1 second" } }
    ))))
})
