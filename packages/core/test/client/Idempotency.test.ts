import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Stream from "effect/Stream"
import * as Idempotency from "../../src/Idempotency.js"
import * as Redirects from "../../src/Redirects.js"
import { MockHttp } from "../../src/testing/index.js"

const post = (url: string, body?: HttpBody.HttpBody) =>
  HttpClientRequest.make("POST")(url, body === undefined ? {} : { body })

/** The keys that these requests get in one call. */
const keysOf = (...requests: ReadonlyArray<HttpClientRequest.HttpClientRequest>) =>
  Effect.map(FiberRef.get(Idempotency.current), (keys) => {
    assert.isDefined(keys)
    return requests.map((request) => keys.keyFor(request))
  }).pipe(Idempotency.withKey)

const form = (value: string) => {
  const data = new FormData()
  data.append("item", value)
  return HttpBody.formData(data)
}
const stream = HttpBody.stream(Stream.make(new Uint8Array(1)))

describe("Idempotency.withKey", () => {
  it.effect("gives each run keys of its own", () =>
    Effect.gen(function*() {
      const request = post("http://a.test/")
      assert.notDeepEqual(yield* keysOf(request), yield* keysOf(request))
    }))

  it.effect.each<readonly [string, () => HttpClientRequest.HttpClientRequest]>([
    ["no body", () => post("http://a.test/x?q=1")],
    ["JSON", () => post("http://a.test/x", HttpBody.unsafeJson({ item: 1 }))],
    ["a raw text", () => post("http://a.test/x", HttpBody.raw("text"))],
    ["raw parameters", () => post("http://a.test/x", HttpBody.raw(new URLSearchParams({ a: "1" })))],
    ["a form", () => post("http://a.test/x", form("1"))],
    ["the same stream", () => post("http://a.test/x", stream)],
    ["a fragment", () => post("http://a.test/x#part")]
  ])("the same key for a request that is built anew with %s", ([, build]) =>
    Effect.gen(function*() {
      const [first, again] = yield* keysOf(build(), build())
      assert.strictEqual(first, again)
    }))

  it.effect("another key for every other method, path, query, user and body", () =>
    Effect.gen(function*() {
      const url = "http://a.test/x"
      const keys = yield* keysOf(
        post(url),
        HttpClientRequest.patch(url),
        post("http://a.test/y"),
        post(`${url}?q=1`),
        HttpClientRequest.setUrlParam(post(url), "q", "2"),
        post("http://ada:1@a.test/x"),
        post("http://ada:2@a.test/x"),
        post(url, HttpBody.unsafeJson({ item: 1 })),
        post(url, HttpBody.unsafeJson({ item: 2 })),
        post(url, form("1")),
        post(url, form("2")),
        post(url, HttpBody.raw("1")),
        post(url, stream),
        post(url, HttpBody.stream(Stream.make(new Uint8Array(1))))
      )
      assert.strictEqual(new Set(keys).size, keys.length)
    }))

  it.effect("three orders in a forEach are three orders for the server", () =>
    Effect.gen(function*() {
      yield* Effect.forEach(
        [1, 2, 3],
        (item) => HttpClient.post("http://shop.test/orders", { body: HttpBody.unsafeJson({ item }) })
      ).pipe(Idempotency.withKey)
      const { requests } = yield* MockHttp.MockHttp
      assert.strictEqual(new Set(requests.map(({ headers }) => headers["idempotency-key"])).size, 3)
    }).pipe(Effect.provide(MockHttp.layer([MockHttp.on("POST", "http://shop.test/orders", { status: 201 })]))))

  it.effect.each([307, 308])("a %d keeps the key, also at another origin", (status) =>
    Effect.gen(function*() {
      const client = Redirects.follow(yield* HttpClient.HttpClient, { bodiesAcrossOrigins: true })
      yield* client.post("http://a.test/1", { body: HttpBody.text("order") }).pipe(Idempotency.withKey)
      const { requests } = yield* MockHttp.MockHttp
      assert.deepStrictEqual(requests.map(({ body, url }) => [url, body]), [
        ["http://a.test/1", "order"],
        ["http://a.test/2", "order"],
        ["http://b.test/3", "order"]
      ])
      assert.strictEqual(new Set(requests.map(({ headers }) => headers["idempotency-key"])).size, 1)
      assert.isDefined(requests[0].headers["idempotency-key"])
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("POST", "http://a.test/1", { status, headers: { location: "/2" } }),
      MockHttp.on("POST", "http://a.test/2", { status, headers: { location: "http://b.test/3" } }),
      MockHttp.on("POST", "http://b.test/3", { status: 201 })
    ]))))
})
