/**
 * What Effect 4 says of every client, held to this one over sockets: the behaviours that its own tests of `HttpClient` and of
 * its layers ask for.
 */
import * as TransportError from "@sluice/core4/TransportError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import type * as http from "node:http"
import { gunzipSync } from "node:zlib"
import { assert, describe } from "vitest"
import { live } from "./support/it.js"
import { recording } from "./support/tracer.js"
import { atRest, build, serve, text } from "./support/world.js"

const Todo = Schema.Struct({ id: Schema.Number, title: Schema.String })

const bodyOf = async (request: http.IncomingMessage) => {
  const parts: Array<Buffer> = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts)
}

/** Paths that say what is done: a status, a delay of the whole body, a redirect, an echo of what came. */
const server = serve((request, response) => {
  const [, what = "", rest = ""] = request.url?.split("?")[0].split("/") ?? []
  if (request.method === "HEAD") return response.end()
  switch (what) {
    case "status":
      response.statusCode = Number(rest)
      return response.end(rest)
    case "never":
      return response
    case "endless":
      return response.write(Buffer.alloc(1024))
    case "large":
      return response.end(Buffer.alloc(10 * 1024 * 1024))
    case "redirect":
      response.statusCode = Number(request.headers["x-status"] ?? 302)
      response.setHeader("location", decodeURIComponent(rest))
      return response.end()
    case "todos":
      if (request.method === "GET") return response.end(JSON.stringify({ id: 1, title: "read" }))
      return void bodyOf(request).then((body) => response.end(JSON.stringify({ ...JSON.parse(`${body}`), id: 201 })))
    case "json":
      return response.end(`{"value":${decodeURIComponent(rest)}}`)
    case "bom":
      return response.end(Buffer.from([0xef, 0xbb, 0xbf, 0x61]))
    case "cookie":
      response.setHeader("set-cookie", ["a=1; Path=/", "b=2; HttpOnly"])
      return response.end(request.headers.cookie ?? "none")
    default:
      return void bodyOf(request).then((body) =>
        response.end(
          JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body: `${body}` })
        )
      )
  }
})

const Echo = Schema.Struct({
  method: Schema.String,
  url: Schema.String,
  headers: Schema.Record(Schema.String, Schema.Unknown),
  body: Schema.String
})

const echoed = HttpClientResponse.schemaBodyJson(Echo)

const world = Effect.gen(function*() {
  const url = yield* server
  const { client, pool } = yield* build()
  return { url, pool, client: HttpClient.mapRequest(client, HttpClientRequest.prependUrl(url)) }
})

describe("responses", () => {
  live("are read as text, as a stream, and by schemas of bodies, heads and forms", () =>
    Effect.gen(function*() {
      const { client } = yield* world
      assert.strictEqual(yield* text(client, "/status/200"), "200")
      const streamed = yield* client.get("/status/201").pipe(
        Effect.map((response) => response.stream),
        Stream.unwrap,
        Stream.decodeText,
        Stream.mkString
      )
      assert.strictEqual(streamed, "201")
      const todo = yield* Effect.flatMap(client.get("/todos/1"), HttpClientResponse.schemaBodyJson(Todo))
      assert.strictEqual(todo.id, 1)
      const made = yield* HttpClientRequest.post("/todos").pipe(
        HttpClientRequest.schemaBodyJson(Schema.Struct({ title: Schema.String }))({ title: "write" }),
        Effect.flatMap(client.execute),
        Effect.flatMap(HttpClientResponse.schemaBodyJson(Todo))
      )
      assert.deepStrictEqual(made, { id: 201, title: "write" })
      const head = yield* Effect.flatMap(
        client.head("/todos"),
        HttpClientResponse.schemaNoBody(Schema.Struct({ status: Schema.Literal(200) }))
      )
      assert.deepStrictEqual(head, { status: 200 })
    }))

  live(
    "have JSON with revivers, none for an empty body, and a DecodeError for what is none",
    () =>
      Effect.gen(function*() {
        const { client } = yield* world
        const reviver = (key: string, value: unknown) => key === "value" ? "revived" : value
        const revived = yield* Effect.flatMap(
          client.get("/json/1"),
          HttpClientResponse.schemaBodyJson(Schema.Struct({ value: Schema.String }), { reviver })
        )
        assert.deepStrictEqual(revived, { value: "revived" })
        assert.isNull(yield* Effect.flatMap(client.get("/redirect/x"), (response) => response.json))
        const error = yield* Effect.flip(Effect.flatMap(client.get("/json/nonsense"), (response) => response.json))
        assert.strictEqual(error.reason._tag, "DecodeError")
      })
  )

  live("keep their bytes after their text was read", () =>
    Effect.gen(function*() {
      const { client } = yield* world
      const response = yield* client.get("/bom")
      assert.strictEqual(yield* response.text, "a")
      assert.deepStrictEqual([...new Uint8Array(yield* response.arrayBuffer)], [0xef, 0xbb, 0xbf, 0x61])
    }))

  live("nobody reads, or reads to the end, hold nothing; one that is left early lets go", () =>
    Effect.gen(function*() {
      const { client, pool } = yield* world
      assert.strictEqual((yield* client.get("/status/200")).status, 200)
      const response = yield* client.get("/endless")
      const chunks = yield* Stream.runCollect(Stream.take(response.stream, 1))
      assert.strictEqual(chunks.length, 1)
      yield* atRest(pool)
      const late = yield* Effect.exit(Effect.timeout(text(client, "/never"), 1))
      assert.isTrue(Exit.isFailure(late) && Cause.isTimeoutError(Cause.squash(late.cause)))
      yield* atRest(pool)
      assert.strictEqual((yield* client.get("/large")).status, 200)
    }))

  live("say where they came from: without the fragment, and after redirects the last", () =>
    Effect.gen(function*() {
      const { client, url } = yield* world
      const plain = yield* client.get("/status/200?a=1#part")
      assert.strictEqual(plain.url, `${url}/status/200?a=1`)
      const followed = yield* HttpClient.followRedirects(client).get(`/redirect/${encodeURIComponent("/status/204")}`)
      assert.deepStrictEqual([followed.status, followed.url], [204, `${url}/status/204`])
      const piped = plain.pipe(({ status }) => status + 1)
      assert.strictEqual(piped, 201)
    }))
})

describe("requests", () => {
  live("carry methods, queries, headers and bodies of each kind", () =>
    Effect.gen(function*() {
      const { client } = yield* world
      const sent = (request: HttpClientRequest.HttpClientRequest) => Effect.flatMap(client.execute(request), echoed)
      const params = yield* sent(
        HttpClientRequest.get("/echo?a=1").pipe(
          HttpClientRequest.appendUrlParams({ b: ["2", "3"], c: "x y" }),
          HttpClientRequest.setUrlParam("key", Redacted.make("secret"))
        )
      )
      assert.strictEqual(params.url, "/echo?a=1&b=2&b=3&c=x+y&key=secret")
      const form = yield* sent(
        HttpClientRequest.post("/echo").pipe(HttpClientRequest.bodyUrlParams({ a: "1", b: "ü" }))
      )
      assert.strictEqual(form.body, "a=1&b=%C3%BC")
      assert.strictEqual(form.headers["content-type"], "application/x-www-form-urlencoded")
      const query = yield* sent(HttpClientRequest.query("/echo").pipe(HttpClientRequest.bodyText("select")))
      assert.deepStrictEqual([query.method, query.body], ["QUERY", "select"])
      const data = new FormData()
      data.append("part", "of a form")
      const multipart = yield* sent(HttpClientRequest.post("/echo").pipe(HttpClientRequest.bodyFormData(data)))
      assert.include(multipart.body, "of a form")
      assert.match(String(multipart.headers["content-type"]), /^multipart\/form-data; boundary=/)
    }))

  live("are compressed by compressBody, and then their length is that of what is sent", () =>
    Effect.gen(function*() {
      const seen: Array<[string | undefined, Buffer]> = []
      const url = yield* serve((request, response) =>
        void bodyOf(request).then((body) => {
          seen.push([request.headers["content-encoding"], body])
          response.end()
        })
      )
      const { client } = yield* build()
      const compressing = HttpClient.mapRequestEffect(client, HttpClientRequest.compressBody("gzip"))
      const content = "word ".repeat(1000)
      yield* compressing.post(url, { body: HttpBody.text(content) })
      yield* compressing.post(url, { body: HttpBody.stream(Stream.encodeText(Stream.make(content))) })
      for (const [coding, body] of seen) {
        assert.strictEqual(coding, "gzip")
        assert.strictEqual(gunzipSync(body).toString(), content)
      }
      assert.strictEqual(seen.length, 2)
    }))

  live(
    "whose body fails end with an EncodeError that knows why, though the server waits",
    () =>
      Effect.gen(function*() {
        const { client, pool } = yield* world
        const error = yield* Effect.flip(
          client.post("/never", { body: HttpBody.stream(Stream.fail("encode failure")) })
        )
        assert.strictEqual(error.reason._tag, "EncodeError")
        const cause = Option.getOrThrow(TransportError.fromHttpClientError(error))
        assert.strictEqual(cause._tag === "RequestBodyError" && cause.cause, "encode failure")
        yield* atRest(pool)
      })
  )

  live(
    "to what is no URL fail with InvalidUrlError, and with status errors by filterStatusOk",
    () =>
      Effect.gen(function*() {
        const { client } = yield* build()
        assert.strictEqual((yield* Effect.flip(client.get("no url"))).reason._tag, "InvalidUrlError")
        const { client: local } = yield* world
        const error = yield* Effect.flip(HttpClient.filterStatusOk(local).get("/status/404"))
        assert.isTrue(error.reason._tag === "StatusCodeError" && error.reason.response.status === 404)
      })
  )
})

describe("combinators of Effect", () => {
  live("followRedirects keeps credentials within an origin and no further", () =>
    Effect.gen(function*() {
      const { client, url } = yield* world
      const other = yield* server
      const following = HttpClient.followRedirects(client)
      const headers = { authorization: "Bearer secret", cookie: "session=secret", "x-test": "kept" }
      const to = (target: string) => `/redirect/${encodeURIComponent(target)}`
      const same = yield* Effect.flatMap(following.get(to(`${url}/echo`), { headers }), echoed)
      assert.strictEqual(same.headers["authorization"], "Bearer secret")
      assert.strictEqual(same.headers["cookie"], "session=secret")
      const foreign = yield* Effect.flatMap(following.get(to(`${other}/echo`), { headers }), echoed)
      assert.deepStrictEqual(
        [foreign.headers["authorization"], foreign.headers["cookie"], foreign.headers["x-test"]],
        [undefined, undefined, "kept"]
      )
    }))

  for (
    const [status, method, expected] of [
      [303, "POST", "GET "],
      [301, "POST", "GET "],
      [302, "POST", "GET "],
      [307, "POST", "POST payload"],
      [302, "PUT", "PUT payload"]
    ] as const
  ) {
    live(`followRedirects: ${method} after ${status} is ${expected}`, () =>
      Effect.gen(function*() {
        const { client } = yield* world
        const request = HttpClientRequest.make(method)("/redirect/%2Fecho", { headers: { "x-status": `${status}` } })
        const got = yield* HttpClient.followRedirects(client).execute(
          HttpClientRequest.bodyText(request, "payload")
        ).pipe(Effect.flatMap(echoed))
        assert.strictEqual(`${got.method} ${got.body}`, expected)
      }))
  }

  live("retryTransient repeats responses where it is to, and errors of the transport", () =>
    Effect.gen(function*() {
      const count = yield* Ref.make(0)
      const { client } = yield* world
      const counting = HttpClient.tapRequest(client, () => Ref.update(count, (n) => n + 1))
      const tries = (retryOn: "errors-and-responses" | "errors-only", path: string) =>
        counting.pipe(HttpClient.retryTransient({ retryOn, times: 2, schedule: Schedule.recurs(2) })).get(path).pipe(
          Effect.ignore,
          Effect.andThen(Ref.getAndSet(count, 0))
        )
      assert.strictEqual(yield* tries("errors-and-responses", "/status/503"), 3)
      assert.strictEqual(yield* tries("errors-only", "/status/503"), 1)
      const unreachable = HttpClient.tapRequest((yield* build()).client, () => Ref.update(count, (n) => n + 1))
      yield* Effect.ignore(
        HttpClient.retryTransient(unreachable, { schedule: Schedule.recurs(2) }).get("http://127.0.0.1:1/")
      )
      assert.strictEqual(yield* Ref.get(count), 3)
    }))

  live("withRateLimiter repeats a 429 that this client got", () =>
    Effect.gen(function*() {
      let count = 0
      const url = yield* serve((_, response) => {
        if (++count === 1) response.writeHead(429, { "retry-after": "0" })
        response.end(`${count}`)
      })
      const { client } = yield* build()
      const limited = HttpClient.withRateLimiter(client, {
        limiter: yield* RateLimiter.make,
        key: "test",
        limit: 100,
        window: "1 minute",
        disableAdaptiveLearning: true
      })
      assert.strictEqual(yield* text(limited, url), "2")
    }).pipe(Effect.provide(RateLimiter.layerStoreMemory)))

  live("withCookiesRef keeps what is set, and each Set-Cookie is one", () =>
    Effect.gen(function*() {
      const { client } = yield* world
      const jar = yield* Ref.make<ReadonlyArray<Cookies.Cookie>>([])
      const keeping = HttpClient.withCookiesRef(client, jar)
      const first = yield* keeping.get("/cookie")
      assert.deepStrictEqual(Object.keys(first.cookies.cookies), ["a", "b"])
      assert.strictEqual(yield* first.text, "none")
      assert.strictEqual(yield* text(keeping, "/cookie"), "a=1; b=2")
    }))

  live("tap, tapError, transformResponse and catch see what this client gives", () =>
    Effect.gen(function*() {
      const { client } = yield* world
      const seen: Array<string> = []
      const tapped = client.pipe(
        HttpClient.tap(({ status }) => Effect.sync(() => seen.push(`${status}`))),
        HttpClient.filterStatusOk,
        HttpClient.tapError((error) => Effect.sync(() => seen.push(error.reason._tag))),
        HttpClient.transformResponse(Effect.map((response) => response)),
        HttpClient.catchTag("HttpClientError", () => Effect.succeed("recovered" as never))
      )
      assert.strictEqual((yield* tapped.get("/status/500")) as unknown, "recovered")
      assert.deepStrictEqual(seen, ["500", "StatusCodeError"])
    }))
})

describe("spans", () => {
  live(
    "have no headers unless they are asked for, by name and phase, and then without secrets",
    () =>
      Effect.gen(function*() {
        const { client } = yield* world
        const { clientSpans, traced } = recording()
        const request = client.get("/echo", {
          headers: { "x-kept": "request", "x-other": "o", authorization: "Bearer t0ken" }
        })
        yield* traced(request)
        yield* traced(request).pipe(
          Effect.provideService(
            HttpClient.TracerHeaderFilter,
            (name, phase) => phase === "request" ? name !== "x-other" : name === "date"
          ),
          Effect.provideService(Headers.CurrentRedactedNames, ["authorization"])
        )
        const headersOf = (span: Tracer.NativeSpan | undefined) =>
          [...span?.attributes ?? []].filter(([name]) => name.includes(".header."))
        const [without, filtered] = clientSpans()
        assert.deepStrictEqual(headersOf(without), [])
        const found = Object.fromEntries(headersOf(filtered))
        assert.strictEqual(found["http.request.header.x-kept"], "request")
        assert.strictEqual(found["http.request.header.authorization"], "<redacted>")
        assert.isString(found["http.response.header.date"])
        assert.strictEqual(Object.keys(found).length, 3)
      })
  )

  live("fail with statuses from 400 on while the request succeeds, and know the server", () =>
    Effect.gen(function*() {
      const { client, url } = yield* world
      const { clientSpans, traced } = recording()
      for (const status of [200, 302, 404, 503]) {
        assert.strictEqual((yield* traced(client.get(`/status/${status}`))).status, status)
      }
      const seen = clientSpans().map(({ attributes, name, status }) => [
        name,
        attributes.get("http.response.status_code"),
        attributes.get("error.type"),
        status._tag === "Ended" && status.exit._tag
      ])
      assert.deepStrictEqual(seen, [
        ["GET", 200, undefined, "Success"],
        ["GET", 302, undefined, "Success"],
        ["GET", 404, "404", "Failure"],
        ["GET", 503, "503", "Failure"]
      ])
      const { hostname, port } = new URL(url)
      const [{ attributes }] = clientSpans()
      assert.strictEqual(attributes.get("server.address"), hostname)
      assert.strictEqual(attributes.get("server.port"), Number(port))
    }))

  live("are named, disabled, and passed on as Effect's References say", () =>
    Effect.gen(function*() {
      const { client } = yield* world
      const { clientSpans, spans, traced } = recording()
      const passedOn = Effect.map(Effect.flatMap(client.get("/echo"), echoed), ({ headers }) => headers["traceparent"])
      const parent = yield* traced(passedOn)
      const [span] = clientSpans()
      assert.strictEqual(parent, `00-${span.traceId}-${span.spanId}-01`)
      yield* traced(passedOn).pipe(Effect.provideService(HttpClient.SpanNameGenerator, () => "named"))
      assert.strictEqual(clientSpans().at(-1)?.name, "named")
      const notPassedOn = yield* traced(passedOn).pipe(
        Effect.provideService(HttpClient.TracerPropagationEnabled, false)
      )
      assert.isUndefined(notPassedOn)
      const before = spans.length
      yield* traced(passedOn).pipe(Effect.provideService(HttpClient.TracerDisabledWhen, () => true))
      // The outer one.
      assert.strictEqual(spans.length, before + 1)
    }))
})
