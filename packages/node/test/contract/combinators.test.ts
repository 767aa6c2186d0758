import * as Cookies from "@effect/platform/Cookies"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { HttpClientLayer } from "@sluice/node"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { globalValue } from "effect/GlobalValue"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { idle, makeClient, turns } from "../client/support.js"

const setup = (replies: TestServer.Options["replies"]) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({ replies })
    const made = yield* makeClient()
    return { ...made, server, url: server.url }
  })

const text = <E, R>(response: Effect.Effect<HttpClientResponse.HttpClientResponse, E, R>) =>
  Effect.flatMap(response, (response) => response.text)

describe("the platform's combinators over this client", () => {
  it("are all of these: a new one shows here", () => {
    assert.deepStrictEqual(Object.keys(HttpClient).sort(), [
      "HttpClient",
      "SpanNameGenerator",
      "TypeId",
      "catchAll",
      "catchTag",
      "catchTags",
      "currentTracerDisabledWhen",
      "currentTracerPropagation",
      "del",
      "execute",
      "filterOrElse",
      "filterOrFail",
      "filterStatus",
      "filterStatusOk",
      "followRedirects",
      "get",
      "head",
      "layerMergedContext",
      "make",
      "makeWith",
      "mapRequest",
      "mapRequestEffect",
      "mapRequestInput",
      "mapRequestInputEffect",
      "options",
      "patch",
      "post",
      "put",
      "retry",
      "retryTransient",
      "tap",
      "tapError",
      "tapRequest",
      "transform",
      "transformResponse",
      "withCookiesRef",
      "withScope",
      "withSpanNameGenerator",
      "withTracerDisabledWhen",
      "withTracerPropagation"
    ])
  })

  it.scoped("methods, of the client and of the module", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "*": (request) => Reply.text(request.method) } })
      const url = `${server.url}/`
      const program = Effect.gen(function*() {
        const client = yield* HttpClient.HttpClient
        return yield* Effect.all([
          text(client.get(url)),
          text(client.post(url, {})),
          text(client.put(url, {})),
          text(client.patch(url, {})),
          text(client.del(url)),
          text(client.options(url)),
          Effect.map(client.head(url), (response) => String(response.status)),
          text(HttpClient.get(url)),
          text(HttpClient.post(url)),
          text(HttpClient.put(url)),
          text(HttpClient.patch(url)),
          text(HttpClient.del(url)),
          text(HttpClient.options(url)),
          Effect.map(HttpClient.head(url), (response) => String(response.status)),
          text(HttpClient.execute(HttpClientRequest.get(url)))
        ])
      })
      const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "200"]
      assert.deepStrictEqual(yield* Effect.provide(program, HttpClientLayer.layer()), [...methods, ...methods, "GET"])
    }))

  it.scoped("mapRequest and mapRequestInput, with and without Effect, in their order", () =>
    Effect.gen(function*() {
      const { client, url } = yield* setup({ "*": (request) => Reply.text(request.header("x-order") ?? "") })
      const add = (what: string) => (request: HttpClientRequest.HttpClientRequest) =>
        HttpClientRequest.setHeader(request, "x-order", (request.headers["x-order"] ?? "") + what)
      const mapped = client.pipe(
        HttpClient.mapRequest(add("a")),
        HttpClient.mapRequestEffect((request) => Effect.succeed(add("b")(request))),
        HttpClient.mapRequestInput(add("c")),
        HttpClient.mapRequestInputEffect((request) => Effect.succeed(add("d")(request)))
      )
      assert.strictEqual(yield* text(mapped.get(`${url}/`)), "dcab")
      const failing = HttpClient.mapRequestEffect(client, () => Effect.fail("no" as const))
      assert.strictEqual(yield* Effect.flip(failing.get(`${url}/`)), "no")
      const prefixed = HttpClient.mapRequest(client, HttpClientRequest.prependUrl(url))
      assert.strictEqual((yield* prefixed.get("/relative")).status, 200)
    }))

  it.scoped("tap, tapRequest and tapError", () =>
    Effect.gen(function*() {
      const { client, server, url } = yield* setup({ "/": Reply.text("ok") })
      const seen: Array<string> = []
      const note = (what: string) => Effect.sync(() => seen.push(what))
      const tapped = client.pipe(
        HttpClient.tapRequest((request) => note(request.method)),
        HttpClient.tap((response) => note(String(response.status))),
        HttpClient.tapError((error) => note(error._tag))
      )
      assert.strictEqual(yield* text(tapped.get(`${url}/`)), "ok")
      yield* server.stopAccepting
      yield* server.destroyConnections()
      assert.strictEqual((yield* Effect.flip(tapped.get(`${url}/`)))._tag, "RequestError")
      assert.deepStrictEqual(seen, ["GET", "200", "GET", "RequestError"])
    }))

  it.scoped("catchAll, catchTag and catchTags", () =>
    Effect.gen(function*() {
      const { client, url } = yield* setup({
        "/fallback": Reply.text("fallback"),
        "/404": Reply.empty({ status: 404 })
      })
      const fallback = () => client.get(`${url}/fallback`)
      const unreachable = "http://127.0.0.1:1/"
      assert.strictEqual(yield* text(HttpClient.catchAll(client, fallback).get(unreachable)), "fallback")
      assert.strictEqual(
        yield* text(HttpClient.catchTag(client, "RequestError", fallback).get(unreachable)),
        "fallback"
      )
      const strict = HttpClient.filterStatusOk(client)
      const caught = HttpClient.catchTags(strict, { ResponseError: fallback, RequestError: fallback })
      assert.strictEqual(yield* text(caught.get(`${url}/404`)), "fallback")
      assert.strictEqual(yield* text(caught.get(unreachable)), "fallback")
    }))

  it.scoped("filterStatus, filterStatusOk, filterOrElse and filterOrFail: what failed can be read", () =>
    Effect.gen(function*() {
      const { client, pool, server, url } = yield* setup({
        "/404": Reply.text("not here", { status: 404 }),
        "/": Reply.text("ok")
      })
      for (const filtered of [HttpClient.filterStatusOk(client), HttpClient.filterStatus(client, (n) => n < 300)]) {
        const error = yield* Effect.flip(filtered.get(`${url}/404`))
        assert.strictEqual(error._tag, "ResponseError")
        if (error._tag !== "ResponseError") return
        assert.strictEqual(error.reason, "StatusCode")
        assert.strictEqual(yield* error.response.text, "not here")
        assert.strictEqual(yield* text(filtered.get(`${url}/`)), "ok")
      }
      const orFail = HttpClient.filterOrFail(
        client,
        (response) => response.status === 200,
        (response) => response.status
      )
      assert.strictEqual(yield* Effect.flip(orFail.get(`${url}/404`)), 404)
      const orElse = HttpClient.filterOrElse(
        client,
        (response) => response.status === 200,
        () => client.get(`${url}/`)
      )
      assert.strictEqual(yield* text(orElse.get(`${url}/404`)), "ok")
      yield* idle(pool, server, 1)
    }))

  it.scoped("retry: any Schedule, under TestClock", () =>
    Effect.gen(function*() {
      const { client, server, url } = yield* setup({
        "/": [Reply.disconnect(), Reply.disconnect(), Reply.text("third")]
      })
      const patient = HttpClient.retry(client, Schedule.exponential("1 seconds"))
      const fiber = yield* Effect.fork(text(patient.get(`${url}/`)))
      yield* server.awaitStats((stats) => stats.requests === 1)
      yield* turns(10)
      yield* TestClock.adjust("1 seconds")
      yield* server.awaitStats((stats) => stats.requests === 2)
      yield* turns(10)
      yield* TestClock.adjust("1999 millis")
      yield* turns(10)
      assert.strictEqual((yield* server.stats).requests, 2)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* fiber, "third")
    }))

  it.scoped("retryTransient: transport errors and transient responses, and nothing else", () =>
    Effect.gen(function*() {
      const { client, server, url } = yield* setup({
        "/errors": [Reply.disconnect(), Reply.empty({ status: 503 }), Reply.empty({ status: 429 }), Reply.text("ok")],
        "/400": Reply.empty({ status: 400 })
      })
      const patient = HttpClient.retryTransient(client, { times: 3 })
      assert.strictEqual(yield* text(patient.get(`${url}/errors`)), "ok")
      assert.strictEqual((yield* patient.get(`${url}/400`)).status, 400)
      assert.strictEqual((yield* server.stats).requests, 5)
      const local = HttpClientRequest.setHeader(HttpClientRequest.get(`${url}/errors`), "x", "a\nb")
      const error = yield* Effect.flip(patient.execute(local))
      assert.strictEqual(error._tag === "RequestError" && error.reason, "Encode")
      const malformed = yield* Effect.flip(patient.get("no url"))
      assert.strictEqual(malformed._tag === "RequestError" && malformed.reason, "InvalidUrl")
      assert.strictEqual((yield* server.stats).requests, 5)
    }))

  it.scoped("retryTransient: a timeout of ours is transient", () =>
    Effect.gen(function*() {
      const { client, server, url } = yield* setup({ "/": [Reply.never, Reply.text("ok")] })
      const fiber = yield* Effect.fork(text(HttpClient.retryTransient(client, { times: 1 }).get(`${url}/`)))
      yield* server.awaitRequest(() => true)
      yield* turns(5)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* fiber, "ok")
    }))

  it.scoped("followRedirects: relative and absolute, as often as asked", () =>
    Effect.gen(function*() {
      const { client, pool, server, url } = yield* setup({
        "/1": Reply.empty({ status: 302, headers: { location: "2?q=1" } }),
        "/2": Reply.text("a body of a redirect", { status: 307, headers: { location: "/3" } }),
        "/3": Reply.text("arrived"),
        "/loop": Reply.empty({ status: 302, headers: { location: "/loop" } })
      })
      const following = HttpClient.followRedirects(client, 3)
      const response = yield* following.get(`${url}/1`)
      assert.strictEqual(yield* response.text, "arrived")
      assert.strictEqual(response.request.url, `${url}/3`)
      assert.strictEqual((yield* following.get(`${url}/loop`)).status, 302)
      assert.deepStrictEqual(
        (yield* server.requests).map((request) => request.target),
        ["/1", "/2?q=1", "/3", "/loop", "/loop", "/loop", "/loop"]
      )
      yield* idle(pool, server, 1)
    }))

  it.scoped("withCookiesRef: several Set-Cookie fields, sent back", () =>
    Effect.gen(function*() {
      const { client, url } = yield* setup({
        "/login": Reply.empty({
          headers: { "Set-Cookie": ["a=1; Path=/; HttpOnly", "b=2; Expires=Wed, 21 Oct 2099 07:28:00 GMT"] }
        }),
        "/": (request) => Reply.text(request.header("cookie") ?? "none")
      })
      const ref = yield* Ref.make(Cookies.empty)
      const withCookies = HttpClient.withCookiesRef(client, ref)
      const login = yield* withCookies.get(`${url}/login`)
      assert.deepStrictEqual(Object.keys(login.cookies.cookies), ["a", "b"])
      assert.strictEqual(yield* text(withCookies.get(`${url}/`)), "a=1; b=2")
      assert.strictEqual(yield* text(client.get(`${url}/`)), "none")
    }))

  it.scoped("transform and transformResponse", () =>
    Effect.gen(function*() {
      const { client, url } = yield* setup({ "/": Reply.text("ok"), "/404": Reply.empty({ status: 404 }) })
      const seen: Array<string> = []
      const transformed = client.pipe(
        HttpClient.transform((effect, request) => {
          seen.push(request.url)
          return effect
        }),
        HttpClient.transformResponse(Effect.flatMap((response) =>
          response.status === 404 ? Effect.fail("absent" as const) : Effect.succeed(response)
        ))
      )
      assert.strictEqual(yield* text(transformed.get(`${url}/`)), "ok")
      assert.strictEqual(yield* Effect.flip(transformed.get(`${url}/404`)), "absent")
      assert.deepStrictEqual(seen, [`${url}/`, `${url}/404`])
    }))

  it.scoped("layerMergedContext: a client that needs a service carries it along", () =>
    Effect.gen(function*() {
      class Token extends Context.Tag("Token")<Token, string>() {}
      const server = yield* TestServer.make({
        replies: { "/": (request) => Reply.text(request.header("authorization")!) }
      })
      const authorized = HttpClient.layerMergedContext(
        Effect.map(HttpClient.HttpClient, (client) =>
          HttpClient.mapRequestEffect(client, (request) =>
            Effect.map(Effect.serviceOption(Token), (token) =>
              HttpClientRequest.bearerToken(request, token._tag === "Some" ? token.value : "none"))))
      ).pipe(Layer.provide(HttpClientLayer.layer()), Layer.provide(Layer.succeed(Token, "of the layer")))
      assert.strictEqual(
        yield* Effect.provide(text(HttpClient.get(`${server.url}/`)), authorized),
        "Bearer of the layer"
      )
    }))

  it.scoped("schema decoding of responses", () =>
    Effect.gen(function*() {
      const { client, url } = yield* setup({
        "/json": Reply.json({ id: 1, name: "Ann" }, { headers: { "x-total": "5" } }),
        "/wrong": Reply.json({ id: "one" }),
        "/params": Reply.text("page=2"),
        "/empty": Reply.empty({ status: 204 })
      })
      const User = Schema.Struct({ id: Schema.Number, name: Schema.String })
      const decode = HttpClientResponse.schemaBodyJson(User)
      assert.deepStrictEqual(yield* Effect.flatMap(client.get(`${url}/json`), decode), { id: 1, name: "Ann" })
      const wrong = yield* Effect.flip(Effect.flatMap(client.get(`${url}/wrong`), decode))
      assert.strictEqual(wrong._tag, "ParseError")
      const whole = HttpClientResponse.schemaJson(Schema.Struct({
        status: Schema.Literal(200),
        headers: Schema.Struct({ "x-total": Schema.NumberFromString }),
        body: User
      }))
      const decoded = yield* Effect.flatMap(client.get(`${url}/json`), whole)
      assert.deepStrictEqual(decoded, { status: 200, headers: { "x-total": 5 }, body: { id: 1, name: "Ann" } })
      const bare = HttpClientResponse.schemaNoBody(Schema.Struct({ status: Schema.Literal(204) }))
      assert.deepStrictEqual(yield* Effect.flatMap(client.get(`${url}/empty`), bare), { status: 204 })
      const headers = HttpClientResponse.schemaHeaders(Schema.Struct({ "x-total": Schema.NumberFromString }))
      assert.deepStrictEqual(yield* Effect.flatMap(client.get(`${url}/json`), headers), { "x-total": 5 })
      const params = HttpClientResponse.schemaBodyUrlParams(Schema.Struct({ page: Schema.NumberFromString }))
      assert.deepStrictEqual(yield* Effect.flatMap(client.get(`${url}/params`), params), { page: 2 })
      const matched = HttpClientResponse.matchStatus({
        "2xx": () => Effect.succeed("fine"),
        orElse: () => Effect.succeed("else")
      })
      assert.strictEqual(yield* Effect.flatMap(client.get(`${url}/empty`), matched), "fine")
      const streamed = HttpClientResponse.stream(client.get(`${url}/params`))
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(streamed)), "page=2")
    }))

  it.scoped("printing a response does not read a body that is still arriving", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { client, url } = yield* setup({
        "/": Reply.chunks(["{}", gate], { headers: { "content-type": "application/json" } })
      })
      const response = yield* client.get(`${url}/`)
      yield* gate.awaitHeld(1)
      assert.notProperty(response.toJSON(), "body")
      assert.include(String(response), "\"status\": 200")
      yield* gate.open
      // It has not been begun, so it can be read as a stream still.
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(response.stream)), "{}")
    }))

  it.scoped("responses print without the secrets of their request", () =>
    Effect.gen(function*() {
      const { client, url } = yield* setup({ "/": Reply.json({ a: 1 }) })
      const request = HttpClientRequest.get(`${url}/`).pipe(HttpClientRequest.bearerToken("s3cret"))
      const response = yield* client.execute(request)
      yield* response.text
      const printed = JSON.stringify(response.toJSON())
      assert.include(printed, "\"status\":200")
      assert.notInclude(printed, "s3cret")
      assert.notInclude(JSON.stringify(client), "s3cret")
      assert.isTrue(HttpClientError.isHttpClientError(yield* Effect.flip(client.get("no url"))))
    }))
})

describe("withScope", () => {
  it.scoped("registers its AbortController where this client looks for it", () =>
    Effect.gen(function*() {
      const { client, url } = yield* setup({ "/": Reply.text("ok") })
      const registry = globalValue(
        "@effect/platform/HttpClient/scopedRequests",
        (): WeakMap<object, AbortController> => assert.fail("no such value")
      )
      assert.instanceOf(registry, WeakMap)
      let registered: unknown
      const looking = HttpClient.transform(client, (effect, request) => {
        registered = registry.get(request)
        return effect
      })
      const request = HttpClientRequest.get(`${url}/`)
      yield* Effect.scoped(HttpClient.withScope(looking).execute(request))
      assert.instanceOf(registered, AbortController)
      assert.isTrue((registered as AbortController).signal.aborted)
    }))

  it.scoped("a body that has arrived is there after its scope; the connection is kept", () =>
    Effect.gen(function*() {
      const { client, pool, server, url } = yield* setup({ "/": Reply.text("ok") })
      assert.strictEqual(yield* Effect.scoped(text(HttpClient.withScope(client).get(`${url}/`))), "ok")
      yield* idle(pool, server, 1)
    }))

  it.scoped("an interrupt of the caller still ends the request", () =>
    Effect.gen(function*() {
      const { client, pool, server, url } = yield* setup({ "/": Reply.never })
      const fiber = yield* Effect.fork(Effect.scoped(HttpClient.withScope(client).get(`${url}/`)))
      yield* server.awaitRequest(() => true)
      yield* Fiber.interrupt(fiber)
      yield* idle(pool, server, 0)
    }))
})
