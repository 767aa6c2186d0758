import * as ConnectionPool from "@sluice/core4/ConnectionPool"
import * as PooledHttpClient from "@sluice/core4/PooledHttpClient"
import * as TransportError from "@sluice/core4/TransportError"
import { HttpClientLayer } from "@sluice/node4"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as http from "node:http"
import * as http2 from "node:http2"
import type { AddressInfo } from "node:net"
import { assert, describe } from "vitest"
import { effect, live, until } from "./support/it.js"

/** What any server here was asked for. */
const asked: Array<string | undefined> = []

const reply = (
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse
) => {
  const write = (chunk: string) => (response as http.ServerResponse).write(chunk)
  asked.push(request.url)
  switch (request.url) {
    case "/never":
      return
    case "/slow":
      write("begun")
      return
    case "/chunks":
      write("one,")
      setImmediate(() => response.end("two"))
      return
    case "/500":
      response.statusCode = 500
      response.end("broken")
      return
    case "/reset":
      if ("stream" in request) request.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
      else request.socket.destroy()
      return
    default: {
      const parts: Array<Buffer> = []
      request.on("data", (chunk) => parts.push(chunk))
      request.on("end", () => response.end(`${request.method} ${request.url} ${Buffer.concat(parts)}`))
    }
  }
}

const listen = <S extends http.Server | http2.Http2Server>(make: () => S) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() =>
        new Promise<S>((resolve) => {
          const server = make()
          server.listen(0, "127.0.0.1", () => resolve(server))
        })
      ),
      (server) =>
        Effect.sync(() => {
          server.close()
          if ("closeAllConnections" in server) server.closeAllConnections()
        })
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  )

const build = (options: HttpClientLayer.Options) =>
  Effect.map(Layer.build(HttpClientLayer.layer(options)), (context) => ({
    client: Context.get(context, HttpClient.HttpClient),
    typed: Context.get(context, PooledHttpClient.PooledHttpClient),
    pool: Context.get(context, ConnectionPool.ConnectionPool)
  }))

for (
  const [protocol, server, options] of [
    ["HTTP/1.1", listen(() => http.createServer(reply)), {}],
    ["HTTP/2", listen(() => http2.createServer(reply)), { http2: "prior-knowledge" }]
  ] as const
) {
  describe(`the client of Effect 4 over ${protocol}`, () => {
    live("gets, posts and streams", () =>
      Effect.gen(function*() {
        const url = yield* server
        const { client } = yield* build(options)
        const got = yield* client.get(`${url}/a?b=c`)
        assert.strictEqual(got.status, 200)
        assert.strictEqual(yield* got.text, "GET /a?b=c ")
        assert.strictEqual(got.url, `${url}/a?b=c`)
        const posted = yield* client.post(`${url}/p`, { body: HttpBody.text("content") })
        assert.strictEqual(yield* posted.text, "POST /p content")
        const body = Stream.make(new TextEncoder().encode("in "), new TextEncoder().encode("pieces"))
        const streamed = yield* client.execute(
          HttpClientRequest.put(`${url}/s`).pipe(HttpClientRequest.bodyStream(body))
        )
        assert.strictEqual(yield* streamed.text, "PUT /s in pieces")
        const chunks = yield* (yield* client.get(`${url}/chunks`)).stream.pipe(Stream.decodeText, Stream.mkString)
        assert.strictEqual(chunks, "one,two")
      }))

    live("many at once", () =>
      Effect.gen(function*() {
        const url = yield* server
        const { client, pool } = yield* build({ ...options, limits: { maxConnections: 3 } })
        const texts = yield* Effect.forEach(
          Array.from({ length: 100 }, (_, n) => n),
          (n) => Effect.flatMap(client.get(`${url}/${n}`), (response) => response.text),
          { concurrency: 50 }
        )
        assert.strictEqual(texts[99], "GET /99 ")
        const { active, open, waiting } = pool.unsafeStats()
        assert.deepStrictEqual([active, waiting], [0, 0])
        assert.isAtMost(open, 3)
      }))

    live("fails with typed errors", () =>
      Effect.gen(function*() {
        const url = yield* server
        const { client, typed } = yield* build(options)
        const error = yield* Effect.flip(client.get(`${url}/reset`))
        assert.strictEqual(error.reason._tag, "TransportError")
        const cause = TransportError.fromHttpClientError(error)
        assert.isTrue(Option.isSome(cause) && /^(ReadError|StreamReset)$/.test(cause.value._tag))
        const caught = yield* typed.get("http://127.0.0.1:1/").pipe(
          Effect.as("connected"),
          TransportError.catchTag("ConnectError", ({ reason }) => Effect.succeed(reason))
        )
        assert.strictEqual(caught, "Refused")
        const invalid = yield* Effect.flip(client.get("http://[broken"))
        assert.strictEqual(invalid.reason._tag, "InvalidUrlError")
      }))

    effect("has its timeouts on the TestClock", () =>
      Effect.gen(function*() {
        const url = yield* server
        asked.length = 0
        const { client } = yield* build({ ...options, timeouts: { read: "5 seconds" } })
        const fiber = yield* Effect.forkChild(Effect.flip(client.get(`${url}/never`)))
        yield* until(() => asked.includes("/never"))
        yield* TestClock.adjust("5 seconds")
        const cause = TransportError.fromHttpClientError(yield* Fiber.join(fiber))
        assert.strictEqual(Option.getOrUndefined(cause)?._tag, "ReadTimeout")
      }))

    live("an interrupt gives the connection back", () =>
      Effect.gen(function*() {
        const url = yield* server
        const { client, pool } = yield* build({ ...options, limits: { maxConnections: 1 } })
        for (const path of ["/never", "/slow"]) {
          asked.length = 0
          const fiber = yield* Effect.forkChild(
            Effect.flatMap(client.get(`${url}${path}`), (response) => response.text)
          )
          yield* until(() => asked.includes(path))
          yield* Fiber.interrupt(fiber)
          const text = yield* Effect.flatMap(client.get(`${url}/after`), (response) => response.text)
          assert.strictEqual(text, "GET /after ")
        }
        yield* until(() => pool.unsafeStats().leases === 0)
      }))
  })
}

describe("the layer of Effect 4", () => {
  live("refuses options that make no sense", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(HttpClientLayer.layer({ timeouts: { pool: -1 } }))))
      assert.isTrue(Exit.isFailure(exit) && String(exit.cause).includes("timeouts.pool"))
    }))
})
