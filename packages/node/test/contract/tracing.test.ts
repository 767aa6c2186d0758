import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as Tunnel from "@sluice/core/Tunnel"
import * as Wrappers from "@sluice/core/Wrappers"
import { Reply, TestServer } from "@sluice/test-server"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { makeClient } from "../client/support.js"

class RecordedSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly traceId = "0af7651916cd43dd8448eb211c80319c"
  readonly spanId = "b7ad6b7169203331"
  readonly sampled = true
  readonly attributes = new Map<string, unknown>()
  readonly links: Array<Tracer.SpanLink> = []
  status: Tracer.SpanStatus
  constructor(
    readonly name: string,
    readonly parent: Option.Option<Tracer.AnySpan>,
    readonly context: Context.Context<never>,
    startTime: bigint,
    readonly kind: Tracer.SpanKind
  ) {
    this.status = { _tag: "Started", startTime }
  }
  attribute(name: string, value: unknown) {
    this.attributes.set(name, value)
  }
  event() {}
  addLinks() {}
  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>) {
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit }
  }
}

/** A tracer that keeps the spans it made. */
const recordingTracer = () => {
  const spans: Array<RecordedSpan> = []
  const tracer = Tracer.make({
    span: (name, parent, context, _links, startTime, kind) => {
      const span = new RecordedSpan(name, parent, context, startTime, kind)
      spans.push(span)
      return span
    },
    context: (f) => f()
  })
  return { spans, tracer }
}

const setup = Effect.gen(function*() {
  const server = yield* TestServer.make({
    replies: {
      "/": Reply.text("ok", { headers: { "x-response": "yes", "set-cookie": "s=s3cret" } }),
      "/500": Reply.empty({ status: 500 }),
      "/never": Reply.never
    }
  })
  const { client } = yield* makeClient()
  return { server, client, ...recordingTracer() }
})

describe("spans", () => {
  it.scoped("none when nobody looks, and nothing is propagated", () =>
    Effect.gen(function*() {
      const { client, server } = yield* setup
      yield* client.get(`${server.url}/`)
      const [request] = yield* server.requests
      assert.isUndefined(request.header("traceparent"))
      assert.isUndefined(request.header("b3"))
    }))

  it.scoped("one with a tracer, of kind client, with the conventions' attributes, ended with the head", () =>
    Effect.gen(function*() {
      const { client, server, spans, tracer } = yield* setup
      const request = HttpClientRequest.get(`http://user:pass@127.0.0.1:${server.port}/?q=1`).pipe(
        HttpClientRequest.setHeaders({ "accept": "text/plain", "x-asked": "s3cret" }),
        HttpClientRequest.bearerToken("s3cret")
      )
      yield* client.execute(request).pipe(Effect.withTracer(tracer))
      assert.lengthOf(spans, 1)
      const [span] = spans
      assert.strictEqual(span.name, "http.client GET")
      assert.strictEqual(span.kind, "client")
      assert.strictEqual(span.status._tag, "Ended")
      const attributes = Object.fromEntries(span.attributes)
      const expected = {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "url.scheme": "http",
        "url.path": "/",
        "url.query": "q=REDACTED",
        "http.response.status_code": 200,
        "http.request.header.accept": "text/plain",
        "http.request.header.x-asked": undefined,
        "http.response.header.x-response": undefined
      }
      for (const [name, value] of Object.entries(expected)) assert.strictEqual(attributes[name], value, name)
      assert.isUndefined(attributes["error.type"])
      assert.notInclude(JSON.stringify(attributes), "s3cret")
      assert.notInclude(JSON.stringify(attributes), "pass")
      const [received] = yield* server.requests
      assert.strictEqual(received.header("traceparent"), `00-${span.traceId}-${span.spanId}-01`)
      assert.include(received.header("b3"), span.spanId)
    }))

  it.scoped("say how many requests of the same call were before, retries and redirects alike", () =>
    Effect.gen(function*() {
      const { client, server, spans, tracer } = yield* setup
      yield* server.reply("/busy", [
        Reply.empty({ status: 503, headers: { "retry-after": "0" } }),
        Reply.empty({ status: 302, headers: { location: "/" } })
      ])
      const wrapped = Wrappers.wrap(client, { retry: true, redirects: true })
      const call = Effect.flatMap(wrapped.get(`${server.url}/busy`), (response) => response.text)
      yield* Effect.withTracer(Effect.zipRight(call, call), tracer)
      const counts = spans.map(({ attributes }) => attributes.get("http.request.resend_count"))
      assert.deepStrictEqual(counts.slice(0, 3), [undefined, 1, 2])
      assert.deepStrictEqual(counts.slice(3), [undefined, 1])
    }))

  it.scoped("count what the pool itself sent again, because a connection turned out to be closed", () =>
    Effect.gen(function*() {
      const { client, server, spans, tracer } = yield* setup
      yield* server.reply("/", [
        Reply.text("first"),
        Reply.disconnect("end"),
        Reply.empty({ status: 302, headers: { location: "/500" } })
      ])
      const wrapped = Wrappers.wrap(client, { redirects: true })
      yield* Effect.flatMap(wrapped.get(`${server.url}/`), (response) => response.text)
      yield* Effect.withTracer(wrapped.get(`${server.url}/`), tracer)
      const counts = spans.map(({ attributes }) => attributes.get("http.request.resend_count"))
      assert.deepStrictEqual(counts, [1, 2])
    }))

  it.scoped("one below a parent span, although the tracer is the default one", () =>
    Effect.gen(function*() {
      const { client, server } = yield* setup
      const parent = yield* Effect.zipRight(client.get(`${server.url}/`), Effect.currentSpan).pipe(
        Effect.withSpan("parent")
      )
      const [received] = yield* server.requests
      assert.include(received.header("traceparent"), parent.traceId)
      assert.notInclude(received.header("traceparent"), parent.spanId)
    }))

  it.scoped("withTracerPropagation, withTracerDisabledWhen and withSpanNameGenerator are heeded", () =>
    Effect.gen(function*() {
      const { client, server, spans, tracer } = yield* setup
      const run = (client: HttpClient.HttpClient) => client.get(`${server.url}/`).pipe(Effect.withTracer(tracer))
      yield* run(HttpClient.withTracerPropagation(client, false))
      yield* run(HttpClient.withTracerDisabledWhen(client, (request) => request.url.endsWith("/")))
      yield* run(HttpClient.withTracerDisabledWhen(client, (request) => request.url.endsWith("x")))
      yield* run(HttpClient.withSpanNameGenerator(client, (request) => `named ${request.method}`))
      yield* Effect.withTracerEnabled(run(client), false)
      assert.deepStrictEqual(spans.map((span) => span.name), ["http.client GET", "http.client GET", "named GET"])
      const propagated = (yield* server.requests).map((request) => request.header("traceparent") !== undefined)
      assert.deepStrictEqual(propagated, [false, false, true, true, false])
    }))

  it.scoped("errors are recorded: of the status, of the transport, and an interrupt", () =>
    Effect.gen(function*() {
      const { client, server, spans, tracer } = yield* setup
      yield* client.get(`${server.url}/500`).pipe(Effect.withTracer(tracer))
      yield* Effect.flip(client.get("http://127.0.0.1:1/").pipe(Effect.withTracer(tracer)))
      const fiber = yield* Effect.fork(client.get(`${server.url}/never`).pipe(Effect.withTracer(tracer)))
      yield* server.awaitRequest((request) => request.path === "/never")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(spans.map((span) => span.attributes.get("error.type")), ["500", "ConnectError", undefined])
      assert.isTrue(spans.every((span) => span.status._tag === "Ended"))
    }))

  it.scoped("of a tunnel, until its response; it can be interrupted within", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: { "CONNECT *": [Reply.never, Reply.tunnel(), Reply.empty({ status: 407 })] }
      })
      const { pool } = yield* makeClient()
      const { spans, tracer } = recordingTracer()
      const connect = Tunnel.connect(HttpClientRequest.get(server.url), "far.test:1").pipe(
        Effect.provideService(ConnectionPool.ConnectionPool, pool),
        Effect.withTracer(tracer)
      )
      const waiting = yield* Effect.fork(Effect.scoped(connect))
      yield* server.awaitStats(({ requests }) => requests === 1)
      yield* Fiber.interrupt(waiting)
      yield* connect
      yield* Effect.flip(connect)
      assert.deepStrictEqual(spans.map((span) => span.name), Array(3).fill("http.client CONNECT"))
      assert.deepStrictEqual(spans.map((span) => span.attributes.get("http.response.status_code")), [
        undefined,
        200,
        407
      ])
      assert.isTrue(spans.every((span) => span.status._tag === "Ended"))
      assert.isTrue((yield* server.requests).every((request) => request.header("traceparent") !== undefined))
      assert.strictEqual(pool.unsafeStats().leases, 1)
    }))
})
