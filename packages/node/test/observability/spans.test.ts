import { assert, describe, it } from "@effect/vitest"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as TestClock from "effect/TestClock"
import { failure, makeClient, until } from "../client/support.js"
import { recording } from "./support.js"

const messageOf = (exit: Exit.Exit<unknown, unknown>): string =>
  exit._tag === "Failure" ? Cause.pretty(exit.cause).split("\n")[0] : "success"

describe("spans", () => {
  it.scoped("4xx and 5xx are errors of the span, and responses for the caller", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: { "/404": Reply.empty({ status: 404 }), "/503": Reply.empty({ status: 503 }), "/": Reply.empty() }
      })
      const { client } = yield* makeClient()
      const { ended, tracer } = recording()
      for (const [path, status] of [["/", 200], ["/404", 404], ["/503", 503]] as const) {
        assert.strictEqual((yield* client.get(`${server.url}${path}`).pipe(Effect.withTracer(tracer))).status, status)
      }
      assert.deepStrictEqual(ended.map(({ exit }) => messageOf(exit)), [
        "success",
        "ErrorStatus: The response has status 404",
        "ErrorStatus: The response has status 503"
      ])
    }))

  it.scoped("a failure has the peer and where the time went, in seconds", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.disconnect("end"), "/never": Reply.never } })
      const { client, pool } = yield* makeClient({ timeouts: { read: "2 seconds" }, limits: { maxConnections: 1 } })
      const { ended, tracer } = recording()
      const get = (path: string) => failure(client.get(`${server.url}${path}`)).pipe(Effect.withTracer(tracer))
      const error = yield* get("/")
      assert.match(error.message, /\[connection \d+ to 127\.0\.0\.1, new, 0 bytes of the response's body received\]/)
      assert.strictEqual(error.connection?.remoteAddress, "127.0.0.1")
      const never = yield* Effect.fork(get("/never"))
      yield* server.awaitRequest(({ path }) => path === "/never")
      const waiting = yield* Effect.fork(get("/"))
      yield* until(() => pool.unsafeStats().waiting === 1)
      yield* TestClock.adjust("2 seconds")
      yield* never
      yield* waiting
      for (const { attributes } of ended) {
        assert.strictEqual(attributes["network.peer.address"], "127.0.0.1")
        assert.strictEqual(attributes["network.protocol.version"], "1.1")
        assert.isString(attributes["error.type"])
        assert.isBelow(attributes["sluice.connection.connect_time"] as number ?? 0, 1)
      }
      assert.strictEqual(ended.at(-1)?.attributes["sluice.connection.wait_time"], 2)
    }))

  it.scoped("a body that breaks off after the head is a span below the request's; one that arrives is none", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: {
          "/": Reply.chunks(["whole"]),
          "/cut": Reply.raw(["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello", gate], { close: true }),
          "/stuck": Reply.raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello")
        }
      })
      const { client, pool } = yield* makeClient({ timeouts: { read: "5 seconds" } })
      const { ended, tracer } = recording()
      const get = (path: string) => client.get(`${server.url}${path}`).pipe(Effect.withTracer(tracer))
      yield* (yield* get("/")).text
      const cut = yield* get("/cut")
      yield* gate.open
      yield* failure(cut.text)
      // Nobody reads this one.
      yield* get("/stuck")
      yield* TestClock.adjust("5 seconds")
      yield* until(() => pool.unsafeStats().active === 0)
      assert.deepStrictEqual(
        ended.map(({ attributes, name, parent }) => [name, parent, attributes["error.type"]]),
        [
          ["http.client GET", undefined, undefined],
          ["http.client GET", undefined, undefined],
          ["http.client GET body", "http.client GET", "ReadError"],
          ["http.client GET", undefined, undefined],
          ["http.client GET body", "http.client GET", "ReadTimeout"]
        ]
      )
      assert.strictEqual(ended.at(-1)?.seconds, 5)
      assert.strictEqual(ended.at(-1)?.attributes["network.peer.address"], "127.0.0.1")
    }))
})
