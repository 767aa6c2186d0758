import { assert, describe, it } from "@effect/vitest"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { connect, GET, nextSegment } from "./support.js"

const late200 = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"

describe("after a response", () => {
  for (const delay of [undefined, "2 millis"] as const) {
    it.scoped(`bytes come in a segment of their own, ${delay ?? "at once"}`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({
          replies: { "/": Reply.empty({ status: 204, late: { delay, bytes: late200 } }) }
        })
        const client = yield* connect({ port: server.port })
        const first = nextSegment(client.socket)
        client.write(GET("/"))
        assert.strictEqual(yield* first, "HTTP/1.1 204 No Content\r\n\r\n")
        yield* client.until(late200)
        const stats = yield* server.stats
        assert.strictEqual(stats.unaskedActions, 1)
        assert.strictEqual(stats.responses, 1)
        assert.strictEqual(stats.openConnections, 1)
      }))
  }

  it.scoped("bytes come while the next request is under way", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: { "/first": Reply.text("one", { late: { hold: gate, bytes: late200 } }), "/next": Reply.never }
      })
      const client = yield* connect({ port: server.port })
      client.write(GET("/first"))
      yield* client.until("one")
      client.write(GET("/next"))
      yield* server.awaitRequest((request) => request.path === "/next")
      yield* gate.open
      yield* client.until("poison")
      assert.strictEqual((yield* server.stats).activeRequests, 1)
    }))

  it.scoped("the connection says 408 and ends", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: { "/": Reply.text("x", { late: { bytes: "HTTP/1.1 408 Request Timeout\r\n\r\n", close: "end" } }) }
      })
      const client = yield* connect({ port: server.port })
      client.write(GET("/"))
      assert.strictEqual(yield* client.closed, "end")
      assert.include(client.received(), "408")
    }))

  for (const [close, seen] of [["end", "end"], ["reset", "ECONNRESET"]] as const) {
    it.scoped(`the connection is closed by ${close} with no bytes`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({
          replies: { "/": Reply.raw("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", { late: { delay: 1, close } }) }
        })
        const client = yield* connect({ port: server.port })
        client.write(GET("/"))
        assert.strictEqual(yield* client.closed, seen)
        const stats = yield* server.awaitStats((stats) => stats.openConnections === 0)
        assert.strictEqual(stats.responses, 1)
        assert.strictEqual(stats.abandonedRequests, 0)
      }))
  }

  it.scoped("a request that the close hits was broken off by the script, not abandoned by its client", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: { "/": [Reply.text("x", { late: { hold: gate, close: "reset" } }), Reply.never] }
      })
      const client = yield* connect({ port: server.port })
      client.write(GET("/"))
      yield* client.until("x")
      client.write(GET("/"))
      yield* server.awaitStats((stats) => stats.activeRequests === 1)
      yield* gate.open
      assert.strictEqual(yield* client.closed, "ECONNRESET")
      assert.strictEqual((yield* server.stats).abandonedRequests, 0)
    }))

  it.scoped("several actions come one after another", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: {
          "/": Reply.text("x", { late: [{ bytes: "a" }, { delay: 1, bytes: "b" }, { delay: 1, close: "end" }] })
        }
      })
      const client = yield* connect({ port: server.port })
      client.write(GET("/"))
      assert.strictEqual(yield* client.closed, "end")
      assert.match(client.received(), /xab$/)
      assert.strictEqual((yield* server.stats).unaskedActions, 3)
    }))

  it.scoped("nothing is done on a connection that has ended", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: { "/": Reply.text("x", { connection: "close", late: { delay: 1, bytes: late200 } }) }
      })
      const client = yield* connect({ port: server.port })
      client.write(GET("/"))
      yield* client.closed
      yield* server.awaitStats((stats) => stats.openConnections === 0)
      assert.strictEqual((yield* server.stats).unaskedActions, 0)
    }))
})

describe("idle connections", () => {
  it.scoped("are sent something and closed behind it", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make()
      const client = yield* connect({ port: server.port })
      yield* server.awaitStats((stats) => stats.openConnections === 1)
      assert.strictEqual(yield* server.writeUnasked("HTTP/1.1 408 Request Timeout\r\n\r\n", { close: "end" }), 1)
      assert.strictEqual(yield* client.closed, "end")
      assert.include(client.received(), "408")
      assert.strictEqual((yield* server.stats).unaskedActions, 1)
    }))

  it.scoped("are reset, and busy ones are not", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.never } })
      const idle = yield* connect({ port: server.port })
      const busy = yield* connect({ port: server.port })
      busy.write(GET("/"))
      yield* server.awaitStats((stats) => stats.activeRequests === 1 && stats.openConnections === 2)
      assert.strictEqual(yield* server.resetIdleConnections, 1)
      assert.strictEqual(yield* idle.closed, "ECONNRESET")
      assert.isFalse(busy.socket.destroyed)
    }))
})
