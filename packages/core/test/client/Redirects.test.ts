import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import * as Redirects from "../../src/Redirects.js"
import { fakeClient, type Reply } from "./fakeClient.js"

const to = (status: number, location: string): Reply => ({ status, headers: { location } })
const ok: Reply = { status: 200 }

/** The requests that a client sends for this one when it gets these replies, and how it ends. */
const follow = (request: HttpClientRequest.HttpClientRequest, ...replies: Array<Reply>) =>
  Effect.gen(function*() {
    const { client, requests } = fakeClient(...replies)
    const outcome = yield* Effect.either(Redirects.follow(client, { maxRedirects: 5 }).execute(request))
    return { requests, outcome, last: requests[requests.length - 1] }
  })

const post = HttpClientRequest.bodyText(HttpClientRequest.post("http://a.test/x"), "content")

describe("Redirects.follow", () => {
  it.effect.each(
    [
      ["POST", 301, "GET"],
      ["POST", 302, "GET"],
      ["POST", 303, "GET"],
      ["PUT", 301, "PUT"],
      ["PUT", 303, "GET"],
      ["HEAD", 303, "HEAD"],
      ["POST", 307, "POST"],
      ["POST", 308, "POST"],
      ["DELETE", 302, "DELETE"]
    ] as const
  )("%s and %d makes %s", ([method, status, expected]) =>
    Effect.gen(function*() {
      const { last } = yield* follow(HttpClientRequest.make(method)("http://a.test/x"), to(status, "/y"), ok)
      assert.strictEqual(last.method, expected)
      assert.strictEqual(last.url, "http://a.test/y")
    }))

  it.effect("drops the content with the method, and what described it", () =>
    Effect.gen(function*() {
      const { last } = yield* follow(post, to(303, "/y"), ok)
      assert.strictEqual(last.body._tag, "Empty")
      assert.isUndefined(last.headers["content-type"])
      assert.isUndefined(last.headers["content-length"])
      assert.strictEqual((yield* follow(post, to(307, "/y"), ok)).last.body._tag, "Uint8Array")
    }))

  it.effect("does not change the redirected request as mapRequest changed the first", () =>
    Effect.gen(function*() {
      const { client, requests } = fakeClient(to(302, "http://b.test/y"), to(302, "/z"), ok)
      const ours = client.pipe(
        HttpClient.mapRequest(HttpClientRequest.prependUrl("http://a.test")),
        HttpClient.mapRequest(HttpClientRequest.bearerToken("secret")),
        Redirects.follow()
      )
      assert.strictEqual((yield* ours.get("/x")).status, 200)
      assert.deepStrictEqual(requests.map(({ headers, url }) => [url, headers["authorization"]]), [
        ["http://a.test/x", "Bearer secret"],
        ["http://b.test/y", undefined],
        ["http://b.test/z", undefined]
      ])
    }))

  it.effect.each([
    ["relative", "../z?q=1", "http://a.test/z?q=1"],
    ["without a scheme", "//b.test/z", "http://b.test/z"],
    ["absolute", "https://b.test/z", "https://b.test/z"],
    ["with a fragment of its own", "/z#there", "http://a.test/z#there"]
  ])("follows a location that is %s", ([, location, expected]) =>
    Effect.gen(function*() {
      const { last } = yield* follow(HttpClientRequest.get("http://a.test/x/y"), to(302, location), ok)
      assert.strictEqual(Either.getOrThrow(UrlParams.makeUrl(last.url, last.urlParams, last.hash)).href, expected)
    }))

  it.effect("keeps the fragment when the location has none", () =>
    Effect.gen(function*() {
      const { last } = yield* follow(HttpClientRequest.get("http://a.test/x#here"), to(302, "/y"), ok)
      assert.deepStrictEqual(last.hash._tag === "Some" ? last.hash.value : undefined, "here")
    }))

  it.effect.each(
    [
      ["http://a.test/", "http://a.test/y", true],
      ["http://a.test/", "https://a.test/y", true],
      ["http://a.test/", "http://b.test/y", false],
      ["https://a.test/", "http://a.test/y", false],
      ["http://a.test/", "http://a.test:8080/y", false]
    ] as const
  )("from %s to %s: credentials are sent: %s", ([from, location, sent]) =>
    Effect.gen(function*() {
      const headers = { authorization: "Bearer x", cookie: "a=b", accept: "text/plain" }
      const { last } = yield* follow(HttpClientRequest.get(from, { headers }), to(302, location), ok)
      assert.strictEqual(last.headers["authorization"] !== undefined, sent)
      assert.strictEqual(last.headers["cookie"] !== undefined, sent)
      assert.strictEqual(last.headers["accept"], "text/plain")
    }))

  it.effect("gives up on a loop", () =>
    Effect.gen(function*() {
      const { outcome, requests } = yield* follow(HttpClientRequest.get("http://a.test/"), to(302, "/"))
      assert.strictEqual(requests.length, 6)
      assert.include(outcome._tag === "Left" ? outcome.left.message : "", "more than 5 redirects")
    }))

  it.effect.each(["http://[", "ftp://a.test/"])("fails for the location %s", (location) =>
    Effect.gen(function*() {
      const { outcome, requests } = yield* follow(HttpClientRequest.get("http://a.test/"), to(302, location), ok)
      assert.strictEqual(outcome._tag, "Left")
      assert.strictEqual(requests.length, 1)
    }))

  it.effect("hands over an answer that it cannot follow", () =>
    Effect.gen(function*() {
      const streamed = HttpClientRequest.bodyStream(HttpClientRequest.put("http://a.test/"), Stream.empty)
      for (const [request, reply] of [[streamed, to(307, "/y")], [post, { status: 302 }]] as const) {
        const { outcome } = yield* follow(request, reply, ok)
        assert.strictEqual(outcome._tag === "Right" ? outcome.right.status : 0, (reply as { status: number }).status)
      }
    }))
})
