import { assert, describe, it } from "@effect/vitest"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as http2 from "node:http2"
import { connect } from "./support.js"

const session = (
  server: TestServer.TestServer,
  options: http2.ClientSessionOptions = {}
): Effect.Effect<http2.ClientHttp2Session, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async((resume) => {
      const secure = server.ca === undefined ? {} : { ca: server.ca }
      const session = http2.connect(server.url, { ...options, ...secure })
      session.once("remoteSettings", () => resume(Effect.succeed(session)))
      session.on("error", () => {})
    }),
    (session) => Effect.sync(() => session.destroy())
  )

interface Received {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader
  readonly trailers: http2.IncomingHttpHeaders | undefined
  readonly informational: ReadonlyArray<number | undefined>
  readonly body: string
  /** The code of the RST_STREAM that ended it, 0 without. */
  readonly code: number
}

const request = (
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string | Uint8Array
): Effect.Effect<Received> =>
  Effect.async((resume) => {
    const stream = session.request(headers, { endStream: body === undefined })
    let received: Received["headers"] = {}
    let trailers: http2.IncomingHttpHeaders | undefined
    const informational: Array<number | undefined> = []
    const pieces: Array<Buffer> = []
    stream.on("headers", (headers) => informational.push(headers[":status"]))
    stream.on("response", (headers) => received = headers)
    stream.on("trailers", (headers) => trailers = headers)
    stream.on("data", (bytes: Buffer) => pieces.push(bytes))
    stream.on("error", () => {})
    stream.on("close", () => {
      const text = Buffer.concat(pieces).toString()
      resume(Effect.succeed({ headers: received, trailers, informational, body: text, code: stream.rstCode }))
    })
    if (body !== undefined) stream.end(body)
    return Effect.sync(() => stream.close(8))
  })

const serve = (replies: TestServer.Options["replies"], options: TestServer.Options = {}) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({ http2: true, ...options, replies })
    return { server, client: yield* session(server) }
  })

for (const tls of [false, true]) {
  describe(tls ? "HTTP/2 over TLS" : "HTTP/2 over clear text", () => {
    it.scoped("answers with the same words as HTTP/1.1", () =>
      Effect.gen(function*() {
        const { client, server } = yield* serve({
          "/text": Reply.text("hello", { status: 201, headers: { "X-Two": ["a", "b"], connection: "x" } }),
          "/parts": Reply.chunks(["ab", "cd"], { trailers: { "x-sum": "4" } }),
          "/hint": Reply.empty({ informational: [{ status: 103, headers: { link: "</a>" } }], status: 204 }),
          "/size": Reply.size(300_000)
        }, { tls })
        const text = yield* request(client, { ":path": "/text" })
        assert.strictEqual(text.body, "hello")
        assert.deepStrictEqual(Object.fromEntries<unknown>(Object.entries(text.headers)), {
          ":status": 201,
          "content-length": "5",
          "content-type": "text/plain; charset=utf-8",
          "x-two": "a, b"
        })
        const parts = yield* request(client, { ":path": "/parts" })
        assert.strictEqual(parts.body, "abcd")
        assert.strictEqual(parts.trailers?.["x-sum"], "4")
        const hint = yield* request(client, { ":path": "/hint" })
        assert.deepStrictEqual(hint.informational, [103])
        assert.strictEqual(hint.headers[":status"], 204)
        assert.strictEqual((yield* request(client, { ":path": "/size" })).body.length, 300_000)
        const head = yield* request(client, { ":path": "/text", ":method": "HEAD" })
        assert.strictEqual(head.headers["content-length"], "5")
        assert.strictEqual(head.body, "")
        assert.strictEqual((yield* request(client, { ":path": "/none" })).headers[":status"], 404)
        const stats = yield* server.stats
        assert.deepStrictEqual(stats.requestsPerConnection, [6])
        assert.strictEqual(stats.responses, 6)
      }))

    it.scoped("serves HTTP/1.1 next to it", () =>
      Effect.gen(function*() {
        const { server } = yield* serve({ "/": Reply.text("old") }, { tls: false })
        const plain = yield* connect({ host: server.host, port: server.port })
        for (const byte of "GET / HTTP/1.1\r\nHost: a\r\n\r\n") {
          plain.write(byte)
          yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        }
        yield* plain.until("old")
      }))
  })
}

describe("HTTP/2 requests", () => {
  it.scoped("records them with pseudo fields, body and trailers", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "*": Reply.empty() })
      const stream = client.request({ ":method": "POST", ":path": "/p?q=1", "x-a": "1" }, { waitForTrailers: true })
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-t": "yes" }))
      stream.end("abc")
      const received = yield* server.awaitRequest((request) => request.complete)
      assert.sameDeepMembers([...received.headers], [
        [":method", "POST"],
        [":path", "/p?q=1"],
        [":scheme", "http"],
        [":authority", server.url.slice("http://".length)],
        ["x-a", "1"]
      ])
      assert.strictEqual(received.header("x-a"), "1")
      assert.strictEqual(received.text, "abc")
      assert.strictEqual(received.protocol, "HTTP/2")
      assert.deepStrictEqual(received.trailers, [["x-t", "yes"]])
    }))

  it.scoped("counts streams at once, and keeps its limit", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { client, server } = yield* serve({ "/": Reply.text("x", { hold: gate }) }, {
        http2: { maxConcurrentStreams: 7 }
      })
      assert.strictEqual(client.remoteSettings.maxConcurrentStreams, 7)
      const fiber = yield* Effect.fork(
        Effect.all(Effect.replicate(request(client, { ":path": "/" }), 7), { concurrency: "unbounded" })
      )
      yield* gate.awaitHeld(7)
      yield* gate.open
      yield* fiber
      const stats = yield* server.stats
      assert.strictEqual(stats.maxConcurrentStreams, 7)
      assert.strictEqual(stats.connectionsOpened, 1)
    }))

  it.scoped("answers early, sends 100, and echoes while the upload goes on", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/echo": Reply.echo(), "/go": Reply.text("thanks") })
      yield* server.reply("/early", Reply.empty({ status: 413 }), { early: true })
      const echo = client.request({ ":method": "POST", ":path": "/echo" })
      for (const word of ["one", "two"]) {
        echo.write(word)
        const back = yield* Effect.async<string>((resume) => {
          echo.once("data", (bytes: Buffer) => resume(Effect.succeed(bytes.toString())))
        })
        assert.strictEqual(back, word)
      }
      echo.end()
      const go = yield* request(client, { ":method": "POST", ":path": "/go", expect: "100-continue" }, "body")
      assert.strictEqual(go.body, "thanks")
      const early = client.request({ ":method": "POST", ":path": "/early" })
      const status = yield* Effect.async<number | undefined>((resume) => {
        early.on("response", (headers) => resume(Effect.succeed(headers[":status"])))
      })
      assert.strictEqual(status, 413)
    }))

  it.scoped("lets windows fill while reading is paused", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/": Reply.text("got it") })
      yield* server.pauseReading
      const upload = yield* Effect.fork(
        request(client, { ":method": "POST", ":path": "/" }, new Uint8Array(1_000_000))
      )
      yield* Effect.yieldNow()
      // A connection that was open before goes on reading frames, so the request is there, but only windows of it.
      yield* server.awaitStats((stats) => stats.requests === 1)
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 50)))
      assert.isBelow((yield* server.stats).bodyBytesReceived, 100_000)
      yield* server.resumeReading
      assert.strictEqual((yield* upload).body, "got it")
      assert.strictEqual((yield* server.stats).bodyBytesReceived, 1_000_000)
    }))
})

describe("HTTP/2 endings", () => {
  it.scoped("breaks streams off with a code and leaves the connection", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({
        "/cut": Reply.text("hello world", { abrupt: { afterBytes: 5, how: "reset" } }),
        "/chunks": Reply.chunks(["hello", " world"], { abrupt: { afterBytes: 5, how: 11 } }),
        "/refuse": Reply.disconnect(7),
        "/raw": Reply.raw("HTTP/1.1 200 OK\r\n\r\n"),
        "/": Reply.text("fine")
      })
      const cut = yield* request(client, { ":path": "/cut" })
      assert.strictEqual(cut.code, 2)
      assert.strictEqual(cut.headers["content-length"], "11")
      assert.strictEqual(cut.body, "hello")
      assert.strictEqual((yield* request(client, { ":path": "/chunks" })).code, 11)
      const refused = yield* request(client, { ":path": "/refuse" })
      assert.strictEqual(refused.code, 7)
      assert.isUndefined(refused.headers[":status"])
      assert.strictEqual((yield* request(client, { ":path": "/raw" })).code, 2)
      assert.strictEqual((yield* request(client, { ":path": "/" })).body, "fine")
      const stats = yield* server.stats
      assert.strictEqual(stats.responses, 1)
      assert.strictEqual(stats.abandonedRequests, 0)
    }))

  it.scoped("resets, says goodbye and changes its settings on demand", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/": Reply.never })
      const waiting = yield* Effect.fork(request(client, { ":path": "/" }))
      yield* server.awaitStats((stats) => stats.activeRequests === 1)
      assert.strictEqual(yield* server.http2.settings({ maxConcurrentStreams: 3 }), 1)
      assert.strictEqual(yield* server.http2.ping, 1)
      assert.strictEqual(client.remoteSettings.maxConcurrentStreams, 3)
      const goodbye = Effect.async<readonly [number, number]>((resume) => {
        client.once("goaway", (code, lastStreamId) => resume(Effect.succeed([code, lastStreamId])))
      })
      const first = yield* Effect.fork(goodbye)
      yield* Effect.yieldNow()
      yield* server.http2.goAway({ lastStreamId: "all" })
      assert.deepStrictEqual(yield* first, [0, 2 ** 31 - 1])
      assert.strictEqual(yield* server.http2.resetStreams(8), 1)
      assert.strictEqual((yield* waiting).code, 8)
    }))

  it.scoped("closes its connection after a reply", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/": Reply.text("bye", { connection: "close" }) })
      assert.strictEqual((yield* request(client, { ":path": "/" })).body, "bye")
      yield* server.awaitStats((stats) => stats.openConnections === 0)
    }))

  it.scoped("says goodbye after so many requests", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/": Reply.text("fine") }, { maxRequestsPerConnection: 2 })
      const both = yield* Effect.all([request(client, { ":path": "/" }), request(client, { ":path": "/" })], {
        concurrency: 2
      })
      assert.deepStrictEqual(both.map((one) => one.body), ["fine", "fine"])
      const stats = yield* server.awaitStats((stats) => stats.openConnections === 0)
      assert.deepStrictEqual(stats.requestsPerConnection, [2])
    }))

  it.scoped("says goodbye after a while of silence", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ http2: true, http1: false, keepAliveTimeout: "20 millis" })
      const client = http2.connect(server.url)
      client.on("error", () => {})
      yield* server.awaitStats((stats) => stats.connectionsOpened === 1 && stats.openConnections === 0)
    }))

  it.scoped("follows a first goodbye with the real one", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/": Reply.never })
      const stream = client.request({ ":path": "/" })
      stream.on("error", () => {})
      yield* server.awaitStats((stats) => stats.activeRequests === 1)
      const seen: Array<number> = []
      client.on("goaway", (_code, lastStreamId) => seen.push(lastStreamId))
      yield* server.http2.goAway({ lastStreamId: "all" })
      yield* server.http2.goAway()
      yield* server.http2.ping
      assert.deepStrictEqual(seen, [2 ** 31 - 1, 1])
    }))

  it.scoped("closes idle connections, destroys busy ones, and sees clients leave", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/": Reply.never })
      const idle = yield* session(server)
      yield* Effect.fork(request(client, { ":path": "/" }))
      yield* server.awaitStats((stats) => stats.activeRequests === 1 && stats.openConnections === 2)
      assert.strictEqual(yield* server.closeIdleConnections, 1)
      yield* server.awaitStats((stats) => stats.openConnections === 1)
      assert.isTrue(idle.closed || idle.destroyed)
      assert.strictEqual(yield* server.destroyConnections(), 1)
      yield* server.awaitStats((stats) => stats.openConnections === 0 && stats.activeRequests === 0)
      const leaver = yield* session(server)
      yield* Effect.fork(request(leaver, { ":path": "/" }))
      yield* server.awaitStats((stats) => stats.activeRequests === 1)
      leaver.destroy()
      const stats = yield* server.awaitStats((stats) => stats.openConnections === 0 && stats.activeRequests === 0)
      assert.strictEqual(stats.abandonedRequests, 2)
    }))

  it.scoped("sees a request cancelled", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/": Reply.never })
      const stream = client.request({ ":path": "/" })
      stream.on("error", () => {})
      yield* server.awaitStats((stats) => stats.activeRequests === 1)
      stream.close(8)
      const stats = yield* server.awaitStats((stats) => stats.activeRequests === 0)
      assert.strictEqual(stats.abandonedRequests, 1)
      assert.strictEqual(stats.openConnections, 1)
    }))
})
