import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Credentials from "../../src/Credentials.js"
import * as Redirects from "../../src/Redirects.js"
import * as Retry from "../../src/Retry.js"
import { MockHttp, settle } from "../../src/testing/index.js"
import { fakeClient } from "./fakeClient.js"

const secret = Redacted.make("secret")

const seen = (requests: ReadonlyArray<MockHttp.Request>, header = "authorization") =>
  requests.map(({ headers, url }) => [url, headers[header] ?? "-"] as const)

describe("Credentials.withCredentials", () => {
  it.effect("sends each credential to its origin and nowhere else, and what a redirect left behind not again", () =>
    Effect.gen(function*() {
      const client = (yield* HttpClient.HttpClient).pipe(
        Credentials.withCredentials({
          "http://a.test": Credentials.bearer(secret),
          "http://b.test:8080/": Credentials.basic("ada", Redacted.make("pä:ss"))
        }),
        Redirects.follow()
      )
      yield* client.get("http://a.test/1")
      yield* client.get("http://c.test/")
      yield* client.get("http://a.test/2", { headers: { authorization: "own" } })
      yield* client.get("http://eve:own@a.test/2")
      assert.deepStrictEqual(seen((yield* MockHttp.MockHttp).requests), [
        ["http://a.test/1", "Bearer secret"],
        ["http://b.test:8080/2", "Basic YWRhOnDDpDpzcw=="],
        ["http://a.test/2", "-"],
        ["http://c.test/", "-"],
        ["http://a.test/2", "own"],
        ["http://a.test/2", "Basic ZXZlOm93bg=="]
      ])
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "http://a.test/1", { status: 302, headers: { location: "http://b.test:8080/2" } }),
      MockHttp.on("GET", "http://b.test:8080/2", { status: 302, headers: { location: "http://a.test/2" } }),
      MockHttp.on("GET", "http://a.test/2", { status: 200 }),
      MockHttp.on("GET", "http://c.test/", { status: 200 })
    ]))))

  it.effect("an API key has a header of its own", () =>
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      yield* client.pipe(Credentials.withCredentials({ "http://a.test": Credentials.apiKey(secret) })).get(
        "http://a.test/"
      )
      yield* client.pipe(Credentials.withCredentials({ "http://a.test": Credentials.apiKey(secret, "X-API-Key") })).get(
        "http://a.test/",
        { headers: { "x-api-key": "own" } }
      )
      assert.deepStrictEqual(seen((yield* MockHttp.MockHttp).requests, "x-api-key"), [
        ["http://a.test/", "secret"],
        ["http://a.test/", "own"]
      ])
    }).pipe(Effect.provide(MockHttp.layer([MockHttp.on("GET", "http://a.test/", { status: 200 })]))))

  it("does not take what is no origin, and shows none of it", () => {
    for (const wrong of ["a.test", "http://ada:secret@a.test", "http://a.test/path", "ftp:secret"]) {
      assert.throws(
        () => Credentials.withCredentials(fakeClient().client, { [wrong]: Credentials.bearer(secret) }),
        /^Credentials: what they are for is not an origin; write [^]*api.example.com$/
      )
    }
  })
})

describe("Credentials.tokenSource", () => {
  /** A server that takes the newest token alone, and a source that says how often it was asked. */
  const setup = (refresh: (count: number) => Effect.Effect<string, string>) => {
    const state = { refreshes: 0, valid: "1" }
    const source = Credentials.tokenSource(Effect.suspend(() => {
      const count = ++state.refreshes
      return Effect.map(refresh(count), Redacted.make)
    }))
    const layer = MockHttp.layer([
      MockHttp.on(
        "POST",
        /./,
        ({ headers }) => ({ status: headers["authorization"] === `Bearer ${state.valid}` ? 200 : 401 })
      )
    ])
    return { state, source, layer }
  }
  const slow = (count: number) => Effect.delay(Effect.succeed(String(count)), "1 second")

  it.effect("gets one token for all waiters, and one new token when it is refused", () => {
    const { layer, source, state } = setup(slow)
    return Effect.gen(function*() {
      const client = (yield* HttpClient.HttpClient).pipe(
        Credentials.withCredentials({ "http://a.test": yield* source }),
        Retry.safely()
      )
      const all = Effect.all(Array.from({ length: 20 }, () => client.post("http://a.test/")), { concurrency: 20 })
      const run = (all: Effect.Effect<ReadonlyArray<{ readonly status: number }>, unknown>) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.fork(all)
          yield* TestClock.adjust("10 seconds")
          return (yield* fiber).map(({ status }) => status)
        })
      assert.deepStrictEqual(yield* run(all), Array(20).fill(200))
      assert.strictEqual(state.refreshes, 1)
      state.valid = "2"
      assert.deepStrictEqual(yield* run(all), Array(20).fill(200))
      assert.strictEqual(state.refreshes, 2)
      // Whoever is refused with the newest token gets one more try, and then the response.
      state.valid = "none"
      assert.deepStrictEqual(yield* run(Effect.map(client.post("http://a.test/"), (_) => [_])), [401])
      assert.strictEqual(state.refreshes, 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("one refresh for all waiters, though it brings the same token again", () => {
    const { layer, source, state } = setup(() => Effect.delay(Effect.succeed("same"), "1 second"))
    return Effect.gen(function*() {
      const client = (yield* HttpClient.HttpClient).pipe(
        Credentials.withCredentials({ "http://a.test": yield* source })
      )
      const fiber = yield* Effect.fork(
        Effect.all(Array.from({ length: 20 }, () => client.post("http://a.test/")), { concurrency: 20 })
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual((yield* fiber).map(({ status }) => status), Array(20).fill(401))
      // One for the first token, one after the 401.
      assert.strictEqual(state.refreshes, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a failure to get one is that of all waiters, and the next request tries again", () => {
    const { layer, source, state } = setup((count) =>
      count === 1 ? Effect.delay(Effect.fail("no token"), "1 second") : Effect.succeed("1")
    )
    return Effect.gen(function*() {
      const client = (yield* HttpClient.HttpClient).pipe(
        Credentials.withCredentials({ "http://a.test": yield* source })
      )
      const fiber = yield* Effect.fork(
        Effect.all(Array.from({ length: 5 }, () => Effect.flip(client.post("http://a.test/"))), { concurrency: 5 })
      )
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* fiber, Array(5).fill("no token"))
      assert.strictEqual(state.refreshes, 1)
      assert.strictEqual((yield* client.post("http://a.test/")).status, 200)
    }).pipe(Effect.provide(layer))
  })

  it.effect("an interrupt of the one who gets it leaves it to the next", () => {
    const { layer, source, state } = setup(slow)
    return Effect.gen(function*() {
      const client = (yield* HttpClient.HttpClient).pipe(
        Credentials.withCredentials({ "http://a.test": yield* source })
      )
      const first = yield* Effect.fork(client.post("http://a.test/"))
      yield* settle
      const second = yield* Effect.fork(client.post("http://a.test/"))
      yield* settle
      yield* first.interruptAsFork(first.id())
      state.valid = "2"
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* second).status, 200)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a body that can be read once is not sent again", () => {
    const { layer, source, state } = setup((count) => Effect.succeed(`old ${count}`))
    return Effect.gen(function*() {
      const client = (yield* HttpClient.HttpClient).pipe(
        Credentials.withCredentials({ "http://a.test": yield* source })
      )
      const body = HttpBody.stream(Stream.make(new Uint8Array(1)))
      const response = yield* client.post("http://a.test/", { body })
      assert.deepStrictEqual([response.status, state.refreshes], [401, 1])
    }).pipe(Effect.provide(layer))
  })
})
