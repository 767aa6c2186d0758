import { assert, describe, it } from "@effect/vitest"
import type { ServerEvent } from "@sluice/test-server"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as http from "node:http"
import { connect, GET } from "./support.js"

const serve = (replies: TestServer.Options["replies"], options: TestServer.Options = {}) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({ ...options, replies })
    return { server, client: yield* connect({ host: server.host, port: server.port }) }
  })

describe("HTTP/1.1 responses", () => {
  it.scoped("writes a head and a body framed by length, and keeps the connection", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({
        "/hello": Reply.text("hello", { status: 201, headers: { "X-Two": ["a", "b"] } })
      })
      client.write(GET("/hello"))
      const text = yield* client.until("\r\n\r\nhello")
      assert.strictEqual(
        text,
        "HTTP/1.1 201 Created\r\nX-Two: a\r\nX-Two: b\r\ncontent-type: text/plain; charset=utf-8\r\n" +
          "content-length: 5\r\n\r\nhello"
      )
      client.write(GET("/hello"))
      yield* client.until((all) => all.endsWith("hello") && all.length === text.length * 2)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
    }))

  it.scoped("lists what is scripted when nothing matches", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "POST /there": Reply.empty() })
      client.write(GET("/there"))
      const text = yield* client.until("POST /there")
      assert.match(text, /^HTTP\/1\.1 404 /)
      assert.include(text, "No reply is scripted for GET /there")
    }))

  it.scoped("frames a body in chunks, with trailers", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({
        "/": Reply.chunks(["ab", "cde"], { trailers: [["X-Sum", "5"]] })
      })
      client.write(GET("/"))
      const text = yield* client.until("X-Sum: 5\r\n\r\n")
      assert.strictEqual(
        text,
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\nX-Sum: 5\r\n\r\n"
      )
    }))

  it.scoped("writes raw bytes exactly and reads on", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "/raw": Reply.raw("HTP/1.1 banana\n\0"), "/next": Reply.empty() })
      client.write(GET("/raw"))
      assert.strictEqual(yield* client.until("\0"), "HTP/1.1 banana\n\0")
      client.write(GET("/next"))
      yield* client.until("content-length: 0\r\n\r\n")
    }))

  it.scoped("sends a generated body whose bytes are known", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.size(1_000_003) } })
      const body = yield* Effect.promise(() =>
        fetch(`${server.url}/`).then(async (response) => new Uint8Array(await response.arrayBuffer()))
      )
      assert.strictEqual(body.length, 1_000_003)
      assert.strictEqual(body.findIndex((byte, n) => byte !== n % 251), -1)
    }))

  it.scoped("responds to HEAD without a body", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "/": Reply.text("hello"), "/next": Reply.text("next") })
      client.write("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + GET("/next"))
      const text = yield* client.until("next")
      assert.match(text, /content-length: 5\r\n\r\nHTTP\/1\.1 200 OK/)
    }))

  it.scoped("sends informational responses before the final one", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({
        "/": Reply.empty({ informational: [{ status: 103, headers: { link: "</a.css>" } }], status: 204 })
      })
      client.write(GET("/"))
      assert.strictEqual(
        yield* client.until("204 No Content\r\n\r\n"),
        "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
      )
    }))

  it.scoped("hints at how long it keeps a connection", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "/": Reply.empty({ keepAliveHint: { timeout: 5, max: 100 } }) })
      client.write(GET("/"))
      assert.include(yield* client.until("\r\n\r\n"), "keep-alive: timeout=5, max=100\r\n")
    }))

  it.scoped("gives several replies in turn and keeps to the last", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "/": [Reply.text("one"), Reply.text("two")] })
      for (const wanted of ["one", "two", "two"]) {
        const before = client.received().length
        client.write(GET("/"))
        assert.match(yield* client.until((all) => all.length > before && all.endsWith(wanted)), new RegExp(wanted))
      }
    }))

  it.scoped("lets a function decide, also by an effect", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({
        "/a": (request, { count }) => Reply.text(`${request.header("x-name")} ${count}`),
        "/b": () => Effect.succeed(Reply.text("by effect")),
        "/c": () => Effect.fail("no luck")
      })
      yield* server.reply("/d", () => {
        throw new Error("oh dear")
      })
      client.write(GET("/a", "X-Name: Ann"))
      yield* client.until("Ann 0")
      client.write(GET("/b"))
      yield* client.until("by effect")
      client.write(GET("/c"))
      assert.include(yield* client.until("no luck"), "500 Internal Server Error")
      client.write(GET("/d"))
      yield* client.until("oh dear")
    }))

  it.scoped("picks the most exact route", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({
        "*": Reply.text("any;"),
        "/a/*": Reply.text("prefix;"),
        "/a/b": Reply.text("path;"),
        "GET /a/b": Reply.text("method;"),
        "/a/b?q=1": Reply.text("query;")
      })
      const seen = []
      for (const target of ["/a/b?q=1", "/a/b?q=2", "/a/c", "/z"]) {
        const before = client.received().length
        client.write(GET(target))
        const text = yield* client.until((all) => all.length > before && all.endsWith(";"))
        seen.push(text.slice(text.lastIndexOf("\n") + 1))
      }
      assert.deepStrictEqual(seen, ["query;", "method;", "prefix;", "any;"])
    }))
})

describe("HTTP/1.1 endings", () => {
  it.scoped("closes after a reply, announced or not", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({
        "/said": Reply.text("x", { connection: "close" }),
        "/silent": Reply.text("x", { close: true })
      })
      client.write(GET("/said"))
      assert.strictEqual(yield* client.closed, "end")
      assert.include(client.received(), "connection: close\r\n")
      const other = yield* connect({ port: server.port })
      other.write(GET("/silent"))
      assert.strictEqual(yield* other.closed, "end")
      assert.notInclude(other.received(), "connection: close")
      yield* server.awaitStats((stats) => stats.openConnections === 0 && stats.responses === 2)
    }))

  it.scoped("breaks a body off after so many bytes", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({
        "/end": Reply.text("hello world", { abrupt: { afterBytes: 5 } }),
        "/reset": Reply.text("hello world", { abrupt: { afterBytes: 5, how: "reset" } })
      })
      client.write(GET("/end"))
      assert.strictEqual(yield* client.closed, "end")
      assert.match(client.received(), /content-length: 11\r\n\r\nhello$/)
      const other = yield* connect({ port: server.port })
      other.write(GET("/reset"))
      assert.strictEqual(yield* other.closed, "ECONNRESET")
      const stats = yield* server.stats
      assert.strictEqual(stats.responses, 0)
      assert.strictEqual(stats.abandonedRequests, 0)
    }))

  it.scoped("disconnects without a response", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "/": Reply.disconnect() })
      client.write(GET("/"))
      assert.strictEqual(yield* client.closed, "end")
      assert.strictEqual(client.received(), "")
    }))

  it.scoped("closes idle connections and leaves busy ones", () =>
    Effect.gen(function*() {
      const { client: idle, server } = yield* serve({ "/never": Reply.never })
      const busy = yield* connect({ port: server.port })
      busy.write(GET("/never"))
      yield* server.awaitStats((stats) => stats.activeRequests === 1 && stats.openConnections === 2)
      assert.strictEqual(yield* server.closeIdleConnections, 1)
      assert.strictEqual(yield* idle.closed, "end")
      assert.isFalse(busy.socket.destroyed)
      yield* server.awaitStats((stats) => stats.openConnections === 1)
      assert.strictEqual(yield* server.destroyConnections("reset"), 1)
      assert.strictEqual(yield* busy.closed, "ECONNRESET")
    }))

  it.scoped("closes after so many requests", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "/": Reply.text(";") }, { maxRequestsPerConnection: 2 })
      client.write(GET("/") + GET("/"))
      assert.strictEqual(yield* client.closed, "end")
      assert.match(client.received(), /connection: close\r\n[^;]*;$/)
    }))

  it.scoped("closes after a while of silence", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({}, { keepAliveTimeout: "20 millis" })
      assert.strictEqual(yield* client.closed, "end")
      yield* server.awaitStats((stats) => stats.openConnections === 0)
    }))

  it.scoped("refuses new connections on demand, and listens again on the same port", () =>
    Effect.gen(function*() {
      const port = yield* TestServer.unusedPort
      const { client, server } = yield* serve({ "/": Reply.text("here") }, { port })
      yield* server.awaitStats((stats) => stats.openConnections === 1)
      yield* server.stopAccepting
      const refused = yield* Effect.exit(Effect.scoped(connect({ host: server.host, port: server.port })))
      assert.include(String(refused), "ECONNREFUSED")
      client.write(GET("/"))
      yield* client.until("here")
      yield* server.resumeAccepting
      yield* connect({ host: server.host, port: server.port })
    }))

  it.scoped("takes a client that ends its side for gone, unless its options say otherwise", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "/": Reply.text("too late", { delayBeforeHead: "10 millis" }) })
      client.socket.end(GET("/"))
      assert.strictEqual(yield* client.closed, "end")
      assert.strictEqual(client.received(), "")
      const { client: other, server } = yield* serve({
        "/": Reply.text("in time", { delayBeforeHead: "10 millis" })
      }, { halfOpen: true })
      other.socket.end(GET("/"))
      assert.strictEqual(yield* other.closed, "end")
      assert.match(other.received(), /in time$/)
      yield* server.awaitStats((stats) => stats.openConnections === 0 && stats.responses === 1)
    }))

  it.scoped("frees its port and its connections with its scope", () =>
    Effect.gen(function*() {
      const port = yield* Effect.scoped(Effect.gen(function*() {
        const { client, server } = yield* serve({ "/": Reply.never })
        client.write(GET("/"))
        yield* server.awaitStats((stats) => stats.activeRequests === 1)
        return server.port
      }))
      const again = yield* TestServer.make({ port })
      assert.strictEqual(again.port, port)
    }))
})

describe("HTTP/1.1 in the test's hands", () => {
  it.effect("holds a head at a gate under TestClock", () =>
    Effect.scoped(Effect.gen(function*() {
      const gate = yield* Gate.make
      const { client } = yield* serve({ "/": Reply.text("through", { hold: gate }) })
      client.write(GET("/"))
      yield* gate.awaitHeld(1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(client.received(), "")
      yield* gate.open
      yield* client.until("through")
    })))

  it.scoped("holds a body in the middle and lets replies pass one by one", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { client, server } = yield* serve({ "/": Reply.chunks(["first", gate, "last"]) })
      const other = yield* connect({ port: server.port })
      client.write(GET("/"))
      yield* client.until("first")
      other.write(GET("/"))
      yield* other.until("first")
      yield* gate.awaitHeld(2)
      yield* gate.pass(1)
      yield* client.until("last")
      assert.strictEqual(yield* gate.held, 1)
      assert.notInclude(other.received(), "last")
      yield* gate.open
      yield* other.until("last")
    }))

  it.effect("delays in real time whatever the test's clock says", () =>
    Effect.scoped(Effect.gen(function*() {
      const { client } = yield* serve({
        "/": Reply.chunks(["a", "b"], { delayBeforeHead: "10 millis", delayBetweenChunks: "10 millis" })
      })
      const started = performance.now()
      client.write(GET("/"))
      yield* client.until("0\r\n\r\n")
      // Timers may fire up to a millisecond early.
      assert.isAtLeast(performance.now() - started, 27)
    })))

  it.scoped("stops the flow of an upload while reading is paused", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/": Reply.text("got it") })
      yield* server.pauseReading
      client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n")
      client.write(new Uint8Array(50_000_000))
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 50)))
      assert.isAbove(client.socket.writableLength, 10_000_000)
      assert.strictEqual((yield* server.stats).bodyBytesReceived, 0)
      yield* server.resumeReading
      yield* client.until("got it")
      assert.strictEqual((yield* server.stats).bodyBytesReceived, 50_000_000)
      const [request] = yield* server.requests
      assert.strictEqual(request.bodyLength, 50_000_000)
      assert.strictEqual(request.body.length, 65_536)
    }))

  it.scoped("writes what nobody asked for", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/": Reply.empty() })
      client.write(GET("/"))
      yield* client.until("\r\n\r\n")
      yield* server.awaitStats((stats) => stats.responses === 1)
      assert.strictEqual(yield* server.writeUnasked("HTTP/1.1 200 OK\r\n\r\n"), 1)
      yield* client.until("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n".slice(19))
    }))
})

describe("HTTP/1.1 requests", () => {
  it.scoped("records them as they came", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "*": Reply.empty() })
      client.write(
        "POST /p/q?r=%20s HTTP/1.1\r\nhOsT: a\r\nX-A:  1 \r\nX-A: 2\r\nTransfer-Encoding: chunked\r\n\r\n" +
          "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: yes\r\n\r\n"
      )
      yield* client.until("\r\n\r\n")
      const request = yield* server.awaitRequest((request) => request.complete)
      assert.strictEqual(request.method, "POST")
      assert.strictEqual(request.target, "/p/q?r=%20s")
      assert.strictEqual(request.path, "/p/q")
      assert.deepStrictEqual(request.headers, [["hOsT", "a"], ["X-A", "1"], ["X-A", "2"], [
        "Transfer-Encoding",
        "chunked"
      ]])
      assert.strictEqual(request.header("x-a"), "1, 2")
      assert.strictEqual(request.text, "abcde")
      assert.strictEqual(request.bodyLength, 5)
      assert.deepStrictEqual(request.trailers, [["X-Trailer", "yes"]])
      assert.strictEqual(request.protocol, "HTTP/1.1")
    }))

  it.scoped("reads the same from single bytes", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "*": Reply.text("done") })
      const bytes = "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"
      for (const byte of bytes) {
        client.write(byte)
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      yield* client.until("done")
      assert.strictEqual((yield* server.requests)[0].text, "0123456789")
    }))

  it.scoped("responds to pipelined requests in order and counts them", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { client, server } = yield* serve({
        "/1": Reply.text("<one>", { hold: gate }),
        "/2": Reply.text("<two>")
      })
      client.write(GET("/1") + GET("/2"))
      yield* server.awaitStats((stats) => stats.requests === 2)
      assert.strictEqual(client.received(), "")
      yield* gate.open
      assert.match(yield* client.until("<two>"), /<one>HTTP/)
      const stats = yield* server.stats
      assert.strictEqual(stats.pipelinedRequests, 1)
      assert.strictEqual(stats.maxConcurrentStreams, 2)
    }))

  it.scoped("sends 100 before it reads the body, withholds it, or responds finally", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/go": Reply.text("thanks") })
      yield* server.reply("/wait", Reply.text("at last"), { expectContinue: "withhold" })
      yield* server.reply("/no", Reply.empty({ status: 417 }), { early: true })
      const post = (path: string) =>
        `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`
      client.write(post("/go"))
      assert.strictEqual(yield* client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n")
      client.write("body")
      yield* client.until("thanks")
      client.write(post("/wait"))
      yield* server.awaitStats((stats) => stats.requests === 2)
      client.write("body")
      assert.strictEqual((yield* client.until("at last")).split("100 Continue").length, 2)
      client.write(post("/no"))
      yield* client.until("417")
      assert.strictEqual(client.received().split("100 Continue").length, 2)
    }))

  it.scoped("responds early and still reads the rest", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/next": Reply.text("next") })
      yield* server.reply("/big", Reply.empty({ status: 413 }), { early: true })
      client.write("POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
      yield* client.until("413")
      client.write("def" + GET("/next"))
      yield* client.until("next")
      assert.strictEqual((yield* server.requests)[0].text, "abcdef")
    }))

  it.scoped("echoes a body while it is still coming", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "/": Reply.echo() })
      client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
      yield* client.until("3\r\nabc\r\n")
      client.write("2\r\nde\r\n0\r\n\r\n")
      yield* client.until("2\r\nde\r\n0\r\n\r\n")
    }))

  it.scoped("hands over to a tunnel with the bytes that came along", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "/up": Reply.tunnel({ status: 101, first: "hi" }) })
      client.write(GET("/up", "Connection: upgrade", "Upgrade: echo") + "one")
      yield* client.until("upgrade: echo\r\n\r\nhione")
      client.write("GET / HTTP/1.1\r\n\r\n")
      yield* client.until("hioneGET / HTTP/1.1\r\n\r\n")
    }))

  it.scoped("is a proxy for CONNECT", () =>
    Effect.gen(function*() {
      const { server: far } = yield* serve({ "/": Reply.text("from afar") })
      const { client } = yield* serve({ "CONNECT *": Reply.tunnel({ to: far }) })
      client.write(`CONNECT far:80 HTTP/1.1\r\nHost: far:80\r\n\r\n${GET("/")}`)
      assert.match(yield* client.until("from afar"), /^HTTP\/1\.1 200 OK\r\n\r\nHTTP\/1\.1 200 OK/)
      assert.strictEqual((yield* far.stats).requests, 1)
    }))

  for (
    const [what, bytes] of [
      ["a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"],
      ["no host", "GET / HTTP/1.1\r\n\r\n"],
      ["two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"],
      ["a bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n"],
      ["a bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"],
      ["a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"],
      ["a folded field", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"],
      ["a fragment", "GET /#top HTTP/1.1\r\nHost: a\r\n\r\n"],
      ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"],
      ["length and chunks", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
      ["a bad chunk size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"],
      ["a chunk too long", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"],
      ["another version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"]
    ] as const
  ) {
    it.scoped(`refuses ${what}`, () =>
      Effect.gen(function*() {
        const { client, server } = yield* serve({ "*": Reply.text("never") })
        client.write(bytes)
        assert.strictEqual(yield* client.closed, "end")
        assert.match(client.received(), /^HTTP\/1\.1 400 Bad Request/)
        assert.strictEqual((yield* server.stats).malformed.length, 1)
      }))
  }

  it.scoped("speaks HTTP/1.0: closes, unless asked to keep the connection", () =>
    Effect.gen(function*() {
      const { client } = yield* serve({ "/": Reply.text("old") })
      client.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      assert.include(yield* client.until("old"), "connection: keep-alive")
      client.write("GET / HTTP/1.0\r\n\r\n")
      assert.strictEqual(yield* client.closed, "end")
    }))
})

describe("a log", () => {
  it.scoped("is notified how each request ended", () =>
    Effect.gen(function*() {
      const events: Array<ServerEvent> = []
      const { client, server } = yield* serve({
        "/": Reply.text("hello", { status: 418 }),
        "/cut": Reply.text("hello", { abrupt: { afterBytes: 2 } }),
        "/never": Reply.never
      }, { onEvent: (event) => events.push(event) })
      client.write(GET("/"))
      yield* client.until("hello")
      client.write(GET("/cut"))
      yield* client.closed
      for (const bytes of [GET("/never"), "no request\r\n\r\n"]) {
        const other = yield* connect({ host: server.host, port: server.port })
        other.write(bytes)
        yield* server.awaitStats((stats) => stats.requests === 3)
        other.socket.end()
        yield* other.closed
      }
      yield* server.awaitStats((stats) => stats.openConnections === 0)
      assert.deepStrictEqual(
        events.map((event) =>
          event._tag === "Ended"
            ? [event.request.target, event.outcome, event.status, event.bodyBytesSent]
            : [event._tag]
        ),
        [["/", "completed", 418, 5], ["/cut", "broken off", 200, 2], ["/never", "abandoned", undefined, 0], [
          "Malformed"
        ]]
      )
    }))
})

describe("counts", () => {
  it.scoped("sees connections come and go", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("x") } })
      const agent = new http.Agent({ keepAlive: true, maxSockets: 3 })
      yield* Effect.addFinalizer(() => Effect.sync(() => agent.destroy()))
      const get = Effect.async<void>((resume) => {
        http.get(`${server.url}/`, { agent }, (response) => {
          response.resume().on("end", () => resume(Effect.void))
        })
      })
      yield* Effect.all(Effect.replicate(get, 30), { concurrency: "unbounded" })
      const stats = yield* server.stats
      assert.strictEqual(stats.requests, 30)
      assert.strictEqual(stats.responses, 30)
      assert.strictEqual(stats.connectionsOpened, 3)
      assert.strictEqual(stats.maxOpenConnections, 3)
      assert.strictEqual(stats.requestsPerConnection.reduce((sum, n) => sum + n, 0), 30)
      agent.destroy()
      yield* server.awaitStats((stats) => stats.openConnections === 0)
    }))

  it.scoped("never takes a closed connection and the one that replaces it for two", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make()
      for (let n = 0; n < 200; n++) yield* Effect.scoped(connect({ host: server.host, port: server.port }))
      yield* server.awaitStats((stats) => stats.connectionsOpened === 200 && stats.openConnections === 0)
      assert.strictEqual((yield* server.stats).maxOpenConnections, 1)
    }))

  it.scoped("counts a client that leaves", () =>
    Effect.gen(function*() {
      const { client, server } = yield* serve({ "/": Reply.never })
      client.write(GET("/"))
      yield* server.awaitStats((stats) => stats.activeRequests === 1)
      client.socket.destroy()
      const stats = yield* server.awaitStats((stats) => stats.activeRequests === 0)
      assert.strictEqual(stats.abandonedRequests, 1)
      assert.strictEqual(stats.openConnections, 0)
    }))

  it.scoped("waits for counts that come later, until it is interrupted", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make()
      const waiting = yield* Effect.fork(server.awaitStats((stats) => stats.openConnections === 1))
      const given = yield* Effect.fork(server.awaitStats((stats) => stats.openConnections === 99))
      yield* connect({ host: server.host, port: server.port })
      assert.strictEqual((yield* Fiber.join(waiting)).openConnections, 1)
      yield* Fiber.interrupt(given)
    }))
})
