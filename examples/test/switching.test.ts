import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { HttpClientLayer } from "@sluice/node"
import { Reply, TestProxy, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

// The table "What changes when you switch" of docs/coming-from.md is held to what each client does.

const markdown = readFileSync(fileURLToPath(new URL("../../docs/coming-from.md", import.meta.url)), "utf8")

const layers = [
  NodeHttpClient.layer,
  NodeHttpClient.layerUndici,
  FetchHttpClient.layer,
  HttpClientLayer.default
] as const

/** What one client does, in the words of the table. */
type Row = (
  server: TestServer.TestServer
) => Effect.Effect<string, HttpClientError, HttpClient.HttpClient | Scope.Scope>

const text = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.flatMap(HttpClient.execute(request), (response: HttpClientResponse) => response.text)

const get = ({ url }: TestServer.TestServer, path = "/") => text(HttpClientRequest.get(url + path))

/** A header of the last request that the server got. */
const received = (server: TestServer.TestServer, name: string) =>
  Effect.map(server.requests, (requests) => requests[requests.length - 1].header(name))

/** A variable of the environment, until the Scope ends. */
const variable = (name: string, value: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env[name]
      process.env[name] = value
      return before
    }),
    (before) =>
      Effect.sync(() => {
        if (before === undefined) delete process.env[name]
        else process.env[name] = before
      })
  )

class Span implements Tracer.Span {
  readonly _tag = "Span"
  readonly traceId = "0af7651916cd43dd8448eb211c80319c"
  readonly spanId = "b7ad6b7169203331"
  readonly sampled = true
  readonly attributes = new Map<string, unknown>()
  readonly links = []
  readonly kind = "client"
  constructor(
    readonly name: string,
    readonly parent: Tracer.Span["parent"],
    readonly context: Tracer.Span["context"],
    readonly status: Tracer.SpanStatus
  ) {}
  attribute(name: string, value: unknown) {
    this.attributes.set(name, value)
  }
  event() {}
  addLinks() {}
  end() {}
}

/** The attributes of the span of a request. */
const attributesOf = <A, E, R>(request: Effect.Effect<A, E, R>) => {
  let attributes: ReadonlyMap<string, unknown> = new Map()
  const tracer = Tracer.make({
    span: (name, parent, context, _links, startTime) => {
      const span = new Span(name, parent, context, { _tag: "Started", startTime })
      attributes = span.attributes
      return span
    },
    context: (f) => f()
  })
  return Effect.map(Effect.withTracer(request, tracer), () => attributes)
}

const rows: Readonly<Record<string, Row>> = {
  "`HTTP_PROXY` is set": () =>
    Effect.map(
      Effect.either(text(HttpClientRequest.get("http://plain.invalid/"))),
      (body) => Either.isRight(body) && body.right === "by the proxy" ? "it is used" : "it is not used"
    ),
  "a response that could be compressed": (server) =>
    Effect.gen(function*() {
      const body = yield* Effect.either(get(server, "/gzip"))
      const isAsked = (yield* received(server, "accept-encoding")) !== undefined
      const isDecoded = Either.isRight(body) && body.right === "hello"
      return `${isAsked ? "asked for" : "not asked for"}, ${isDecoded ? "decoded" : "not decoded"}`
    }),
  "silence of 31 seconds": (server) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(Effect.orDie(Effect.flip(get(server, "/never"))))
      yield* Effect.repeat(Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void))), {
        until: () => Effect.map(server.stats, ({ activeRequests }) => activeRequests > 0)
      })
      yield* TestClock.adjust("31 seconds")
      const exit = yield* Effect.raceFirst(
        Fiber.join(fiber),
        Effect.as(Effect.async<void>((resume) => void setTimeout(() => resume(Effect.void), 20)), undefined)
      )
      yield* Fiber.interrupt(fiber)
      return exit === undefined ? "waits" : `\`${(exit.cause as { readonly _tag: string })._tag}\``
    }),
  "`host` among the headers": (server) =>
    Effect.gen(function*() {
      yield* text(HttpClientRequest.setHeader(HttpClientRequest.get(`${server.url}/`), "host", "other.test"))
      return (yield* received(server, "host")) === "other.test" ? "sent" : "the URL's is sent"
    }),
  "user and password in the URL": (server) =>
    Effect.gen(function*() {
      const sent = yield* Effect.either(text(HttpClientRequest.get(`${server.url.replace("//", "//ann:pw@")}/`)))
      if (Either.isLeft(sent)) return "an error"
      return (yield* received(server, "authorization")) === undefined ? "dropped" : "sent as `authorization`"
    }),
  "a fragment in the URL": (server) =>
    Effect.gen(function*() {
      yield* get(server, "/#part")
      return (yield* server.stats).malformed.length > 0 ? "sent" : "not sent"
    }),
  "`traceparent`, `b3` without a tracer": (server) =>
    Effect.gen(function*() {
      yield* get(server)
      return (yield* received(server, "traceparent")) === undefined ? "not sent" : "sent, of a span that nobody sees"
    }),
  "`server.address` of a span": (server) =>
    Effect.map(
      attributesOf(get(server)),
      (attributes) => attributes.get("server.address") === "127.0.0.1" ? "the host" : "the whole origin"
    ),
  "`network.*` attributes of a span": (server) =>
    Effect.map(
      attributesOf(get(server)),
      (attributes) => [...attributes.keys()].some((name) => name.startsWith("network.")) ? "there" : "none"
    ),
  "`error.cause.code` where nothing listens": () =>
    Effect.gen(function*() {
      const port = yield* TestServer.unusedPort
      const error = yield* Effect.orDie(Effect.flip(text(HttpClientRequest.get(`http://127.0.0.1:${port}/`))))
      const { code } = error.cause as { readonly code?: unknown }
      return code === undefined ? "none" : `\`${String(code)}\``
    }),
  "a body of `FormData`": (server) =>
    Effect.gen(function*() {
      const form = new FormData()
      form.set("name", "value")
      const request = HttpClientRequest.setBody(HttpClientRequest.post(`${server.url}/`), HttpBody.formData(form))
      if (Either.isLeft(yield* Effect.either(text(request)))) return "an error"
      return (yield* received(server, "content-length")) === undefined ? "sent in chunks" : "sent with its length"
    }),
  "the method `patch`": (server) =>
    Effect.gen(function*() {
      yield* text(HttpClientRequest.make("patch" as "PATCH")(`${server.url}/`))
      const requests = yield* server.requests
      return `\`${requests[requests.length - 1].method}\``
    }),
  "a redirect": (server) => Effect.map(get(server, "/old"), (body) => body === "hello" ? "followed" : "not followed"),
  "connections for GET, GET, HEAD, GET": (server) =>
    Effect.gen(function*() {
      for (const method of ["GET", "GET", "HEAD", "GET"] as const) {
        yield* text(HttpClientRequest.make(method)(`${server.url}/`))
      }
      return String((yield* server.stats).connectionsOpened)
    }),
  "connections for 110 requests at once": (server) =>
    Effect.gen(function*() {
      yield* Effect.all(Array.from({ length: 110 }, () => get(server)), { concurrency: "unbounded" })
      return String((yield* server.stats).connectionsOpened)
    })
}

/** The cells of a table, line by line. */
const tableBelow = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const below = markdown.slice(markdown.indexOf(`## ${heading}\n`))
  const lines = /^\|[^]*?\n(?!\|)/m.exec(below)?.[0].trim().split("\n") ?? []
  return lines.slice(2).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
}

describe("What changes when you switch", () => {
  const table = tableBelow("What changes when you switch")

  it("has a test for each row of the table", () => {
    assert.deepStrictEqual(table.map(([name]) => name), Object.keys(rows))
  })

  for (const [name, ...cells] of table) {
    it.scoped(name, () =>
      Effect.gen(function*() {
        const found: Array<string> = []
        if (name.includes("HTTP_PROXY")) {
          // It is read when the layer is built.
          const proxy = yield* TestProxy.make({ forward: Reply.text("by the proxy") })
          yield* variable("HTTP_PROXY", proxy.url)
        }
        for (const layer of layers) {
          const server = yield* TestServer.make({
            replies: {
              "/": Reply.text("hello"),
              "/gzip": Reply.bytes(gzipSync("hello"), { headers: { "content-encoding": "gzip" } }),
              "/old": Reply.empty({ status: 302, headers: { location: "/" } }),
              "/never": Reply.never
            }
          })
          found.push(yield* Effect.scoped(Effect.provide(rows[name](server), Layer.fresh(layer))))
        }
        assert.deepStrictEqual(found, cells)
      }))
  }
})
