import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import { MockHttp } from "../../src/testing/index.js"

const network = MockHttp.layer(MockHttp.stubs([
  MockHttp.on("GET", "http://api.test/resource", (request) => ({ body: request.headers["authorization"] })),
  MockHttp.on("GET", "http://api.test/stalls", { body: Stream.concat(Stream.make("half"), Stream.never) }),
  MockHttp.on("GET", "http://api.test/broken-json", { body: "{oops" }),
  MockHttp.on("POST", "http://api.test/broken-json", { body: "{\"token\": \"tok-4\"" }),
  MockHttp.on("GET", "http://api.test/token", { body: "body-6", headers: { "x-session": "hdr-2" } }),
  MockHttp.on("GET", "http://api.test/unknown", MockHttp.refused)
]))

/** In every way in which an error may end up in a log. */
const shown = (error: unknown) =>
  [
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: 8 }),
    Cause.pretty(Cause.fail(error), { renderErrorCause: true })
  ].join("\n")

describe("Credentials of a URL", () => {
  it.effect("are sent", () =>
    Effect.gen(function*() {
      const response = yield* HttpClient.get("http://ada:secret@api.test/resource")
      assert.strictEqual(yield* response.text, `Basic ${btoa("ada:secret")}`)
      assert.notInclude(JSON.stringify(response), "ada:secret")
      // The request is the one that was sent, and a redirect needs them: they are where they are sent.
      assert.strictEqual(response.request.headers["authorization"], `Basic ${btoa("ada:secret")}`)
    }).pipe(Effect.provide(network)))

  it.effect.each([
    "http://ada:secret@api.test/unknown",
    "http://ada:secret@api.test:999999/",
    "http://ada:secret@api.test/stalls",
    "http://ada:secret@api.test/broken-json"
  ])("are not shown by the error of %s", (url) =>
    Effect.gen(function*() {
      const fiber = yield* HttpClient.get(url).pipe(
        Effect.flatMap((response) => response.json),
        Effect.flip,
        Effect.fork
      )
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      assert.notInclude(shown(error), "secret")
      assert.include(error.message, url.includes("999999") ? "not valid" : "http://api.test/")
    }).pipe(Effect.provide(network)))
})

describe("Secrets of a request", () => {
  const secrets = ["hdr-1", "hdr-2", "key-3", "tok-4", "frag-5", "body-6", "user-7", "pass-8"]

  const secretive = (url: string) =>
    HttpClientRequest.post(url).pipe(
      HttpClientRequest.setHeaders({ "x-api-key": "hdr-1", "cookie": "sid=hdr-2", "x-vault-token": "hdr-1" }),
      HttpClientRequest.setUrlParam("key", "key-3"),
      HttpClientRequest.bodyText("body-6 and more")
    )

  it.effect.each([
    "http://user-7:pass-8@api.test/broken-json?token=tok-4#frag-5",
    "http://api.test/broken-json?tok-4",
    "http:/user-7:pass-8@api.test/broken-json",
    "http:\\\\user-7:pass-8@api.test/broken-json",
    "http://user-7:a/pass-8@api.test/",
    "user-7:pass-8@api.test/",
    "user-7://pass-8@api.test/"
  ])("are in no form of the error of %s", (url) =>
    Effect.gen(function*() {
      const request = secretive(url)
      const error = yield* HttpClient.execute(request).pipe(
        Effect.flatMap((response) => response.json),
        Effect.flip
      )
      const all = `${shown(error)}\n${shown(error.request)}\n${Inspectable.toStringUnknown(error)}\n${error.stack}`
      for (const secret of secrets) {
        if (!(secret === "user-7" && url.startsWith("user-7://"))) assert.notInclude(all, secret)
      }
      // Code still reads them.
      assert.strictEqual(error.request.headers["x-api-key"], "hdr-1")
      assert.strictEqual(error.request.body, request.body)
    }).pipe(Effect.provide(network)))

  it.effect("are in no form of a response, which keeps the request that it is for", () =>
    Effect.gen(function*() {
      const request = HttpClientRequest.get("http://api.test/token?token=tok-4").pipe(
        HttpClientRequest.setHeader("x-api-key", "hdr-1")
      )
      const response = yield* HttpClient.execute(request)
      assert.strictEqual(yield* response.text, "body-6")
      for (const secret of secrets) assert.notInclude(shown(response), secret)
      assert.strictEqual(response.request.url, "http://api.test/token")
      assert.deepStrictEqual(response.request.urlParams, [["token", "tok-4"]])
      assert.strictEqual(response.headers["x-session"], "hdr-2")
    }).pipe(Effect.provide(network)))

  it.effect("the error's request asks for the same when it is sent again", () =>
    Effect.gen(function*() {
      const url = "http://ada:secret@api.test/unknown?a=1%202&b=%26#fragment"
      const error = yield* Effect.flip(HttpClient.get(url, { urlParams: { c: "3" } }))
      const { request } = error
      assert.strictEqual(request.url, "http://api.test/unknown")
      assert.deepStrictEqual(request.urlParams, [["a", "1 2"], ["b", "&"], ["c", "3"]])
      assert.strictEqual(request.headers["authorization"], `Basic ${btoa("ada:secret")}`)
    }).pipe(Effect.provide(network)))
})

describe("A body that is no JSON", () => {
  it.effect("is an error that says what is wrong with it", () =>
    Effect.gen(function*() {
      const response = yield* HttpClient.get("http://api.test/broken-json")
      const { message } = yield* Effect.flip(response.json)
      assert.match(message, /^Decode: .*JSON.*\(200 GET http:\/\/api\.test\/broken-json\)$/)
    }).pipe(Effect.provide(network)))
})
