import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Redirects from "../../src/Redirects.js"
import { MockHttp } from "../../src/testing/index.js"
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

  it.effect("ends a loop", () =>
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

  it.effect("hands over a response that it cannot follow", () =>
    Effect.gen(function*() {
      const streamed = HttpClientRequest.bodyStream(HttpClientRequest.put("http://a.test/"), Stream.empty)
      for (const [request, reply] of [[streamed, to(307, "/y")], [post, { status: 302 }]] as const) {
        const { outcome } = yield* follow(request, reply, ok)
        assert.strictEqual(outcome._tag === "Right" ? outcome.right.status : 0, (reply as { status: number }).status)
      }
    }))

  const octets = (text: string) => String.fromCharCode(...new TextEncoder().encode(text))

  it.effect.each([
    ["a path in UTF-8", octets("/über?q=ß#ä"), "http://a.test/%C3%BCber?q=%C3%9F#%C3%A4"],
    ["a host in UTF-8", octets("//bücher.example/"), "http://xn--bcher-kva.example/"],
    ["octets that are no UTF-8", "/caf\xe9", "http://a.test/caf%E9"],
    ["a signed query, as it is written", "/z?sig=a%2Fb%20c~d!", "http://a.test/z?sig=a%2Fb%20c~d!"]
  ])("reads %s", ([, location, expected]) =>
    Effect.gen(function*() {
      const { last } = yield* follow(HttpClientRequest.get("http://a.test/x/y"), to(302, location), ok)
      assert.strictEqual(Either.getOrThrow(UrlParams.makeUrl(last.url, last.urlParams, last.hash)).href, expected)
    }))

  it.effect("does not follow two locations that differ, and follows two that are the same", () =>
    Effect.gen(function*() {
      const request = HttpClientRequest.get("http://a.test/")
      assert.strictEqual((yield* follow(request, to(302, "/y, /z"), ok)).requests.length, 1)
      assert.strictEqual((yield* follow(request, to(302, "/y, /y"), ok)).last.url, "http://a.test/y")
      assert.strictEqual((yield* follow(request, to(302, "/y,z"), ok)).last.url, "http://a.test/y,z")
    }))

  it.effect("distinguishes two locations from one with a comma, where the fields are known as they came", () =>
    Effect.gen(function*() {
      const client = Redirects.follow(yield* HttpClient.HttpClient)
      const status = (path: string) => Effect.map(client.get(`http://a.test${path}`), ({ status }) => status)
      assert.strictEqual(yield* status("/comma"), 204)
      assert.strictEqual(yield* status("/same"), 204)
      assert.strictEqual(yield* status("/differ"), 302)
    }).pipe(Effect.provide(MockHttp.layer(MockHttp.stubs([
      MockHttp.on("GET", "http://a.test/comma", { status: 302, headers: { location: "/a, b" } }),
      MockHttp.on("GET", "http://a.test/same", { status: 302, headers: { location: ["/a, b", "/a, b"] } }),
      MockHttp.on("GET", "http://a.test/differ", { status: 302, headers: { location: ["/a, b", "/a"] } }),
      MockHttp.on("GET", "http://a.test/a,%20b", { status: 204 })
    ])))))

  it.effect("drops all that describes the content when it drops that", () =>
    Effect.gen(function*() {
      const described = HttpClientRequest.setHeaders(post, {
        "content-md5": "x",
        "content-range": "bytes 0-1/2",
        "digest": "x",
        "content-disposition": "inline",
        "accept": "*/*"
      })
      const { last } = yield* follow(described, to(303, "/y"), ok)
      assert.deepStrictEqual(Object.keys(last.headers).filter((name) => !/^(b3|traceparent)$/.test(name)), ["accept"])
    }))

  it.effect("keeps a Host of one's own within its origin, and no further", () =>
    Effect.gen(function*() {
      const named = HttpClientRequest.get("http://10.0.0.1/", { headers: { host: "a.test" } })
      const hosts = (...locations: ReadonlyArray<string>) =>
        Effect.map(
          follow(named, ...locations.map((location) => to(302, location)), ok),
          ({ requests }) => requests.map(({ headers }) => headers["host"])
        )
      assert.deepStrictEqual(yield* hosts("/x", "http://10.0.0.1/y"), ["a.test", "a.test", "a.test"])
      assert.deepStrictEqual(yield* hosts("http://a.test/x", "http://10.0.0.1/y"), ["a.test", undefined, undefined])
    }))

  it.effect.each([300, 304, 305, 306])("hands over a %d", (status) =>
    Effect.gen(function*() {
      const { outcome, requests } = yield* follow(HttpClientRequest.get("http://a.test/"), to(status, "/y"), ok)
      assert.strictEqual(outcome._tag === "Right" ? outcome.right.status : 0, status)
      assert.strictEqual(requests.length, 1)
    }))

  it.effect.each(
    [
      ["http://a.test/x", "http://a.test/y", false, true],
      ["http://a.test/x", "https://a.test/y", false, true],
      ["http://a.test/x", "http://b.test/y", false, false],
      ["http://a.test/x", "http://b.test/y", true, true],
      ["https://a.test/x", "https://b.test/y", true, true],
      ["https://a.test/x", "http://a.test/y", true, false],
      ["https://a.test/x", "http://b.test/y", true, false]
    ] as const
  )(
    "a body from %s to %s, bodiesAcrossOrigins: %s, goes along: %s",
    ([from, location, bodiesAcrossOrigins, sent]) =>
      Effect.gen(function*() {
        for (const [method, status] of [["POST", 307], ["POST", 308], ["PUT", 302]] as const) {
          const { client, requests } = fakeClient(to(status, location), ok)
          const request = HttpClientRequest.bodyText(HttpClientRequest.make(method)(from), "content")
          const response = yield* Redirects.follow(client, { bodiesAcrossOrigins }).execute(request)
          assert.strictEqual(response.status, sent ? 200 : status)
          if (sent) assert.strictEqual(requests[1].body._tag, "Uint8Array")
          else assert.strictEqual(requests.length, 1)
        }
      })
  )

  it.effect("a body that was dropped is not set again by a mapper", () =>
    Effect.gen(function*() {
      const { client, requests } = fakeClient(to(303, "/y"), to(307, "/z"), ok)
      yield* client.pipe(HttpClient.mapRequest(HttpClientRequest.bodyText("content")), Redirects.follow()).execute(post)
      assert.deepStrictEqual(
        requests.map(({ body, headers, method }) => [method, body._tag, headers["content-type"]]),
        [["POST", "Uint8Array", "text/plain"], ["GET", "Empty", undefined], ["GET", "Empty", undefined]]
      )
    }))

  it.effect("a body that can be read once is not sent twice, whatever it is", () =>
    Effect.gen(function*() {
      const live = new ReadableStream({ start: (controller) => controller.close() })
      const request = HttpClientRequest.setBody(HttpClientRequest.put("http://a.test/"), HttpBody.raw(live))
      assert.strictEqual((yield* follow(request, to(307, "/y"), ok)).requests.length, 1)
    }))

  it.effect("onRedirect is asked each time, and may refuse or change the next request", () =>
    Effect.gen(function*() {
      const asked: Array<unknown> = []
      const { client, requests } = fakeClient(to(302, "http://b.test/1"), to(302, "/2"), to(302, "/3"), ok)
      const response = yield* Redirects.follow(client, {
        onRedirect: (next, { crossedOrigins, followed, from, response, to }) => {
          asked.push([from.href, to.href, crossedOrigins, followed, response.status])
          return Effect.succeed(
            to.pathname === "/3"
              ? Option.none()
              : Option.some(HttpClientRequest.setHeader(next, "x-extra", to.pathname))
          )
        }
      }).get("http://a.test/0", { headers: { "x-extra": "secret" } })
      assert.strictEqual(response.status, 302)
      assert.deepStrictEqual(asked, [
        ["http://a.test/0", "http://b.test/1", true, 0, 302],
        ["http://b.test/1", "http://b.test/2", true, 1, 302],
        ["http://b.test/2", "http://b.test/3", true, 2, 302]
      ])
      assert.deepStrictEqual(requests.map(({ headers }) => headers["x-extra"]), ["secret", "/1", "/2"])
    }))

  it.effect("onRedirect may send the request elsewhere, without what belongs to its origin, and may fail", () =>
    Effect.gen(function*() {
      const { client, requests } = fakeClient(to(302, "/1"), ok)
      yield* Redirects.follow(client, {
        onRedirect: (next) => Effect.succeed(Option.some(HttpClientRequest.setUrl(next, "http://b.test/1")))
      }).get("http://a.test/0", { headers: { authorization: "secret", accept: "text/plain" } })
      assert.strictEqual(requests[1].url, "http://b.test/1")
      assert.isUndefined(requests[1].headers["authorization"])
      assert.strictEqual(requests[1].headers["accept"], "text/plain")
      const failing = Redirects.follow(fakeClient(to(302, "/1"), ok).client, { onRedirect: () => Effect.fail("no") })
      assert.strictEqual(yield* Effect.flip(failing.get("http://a.test/0")), "no")
    }))

  it.effect("the response has its history, without credentials", () =>
    Effect.gen(function*() {
      const { client } = fakeClient(to(307, "http://b.test/1?q#f"), to(303, "/2"), ok)
      const redirecting = Redirects.follow(client)
      const response = yield* redirecting.post("http://ada:secret@a.test/0")
      assert.deepStrictEqual(Redirects.history(response), [
        { method: "POST", url: "http://a.test/0", status: 307, location: "http://b.test/1?q#f" },
        { method: "POST", url: "http://b.test/1?q#f", status: 303, location: "http://b.test/2#f" }
      ])
      assert.deepStrictEqual(Redirects.history(yield* redirecting.get("http://a.test/")), [])
    }))

  it("does not take a number of redirects that makes no sense", () => {
    for (const maxRedirects of [-1, NaN, 1.5]) {
      assert.throws(() => Redirects.follow({ maxRedirects })(fakeClient(ok).client), "maxRedirects is")
    }
  })
})
