import { assert, describe, it } from "@effect/vitest"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { connect, GET } from "./support.js"

const post = (path: string, size: number) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`

describe("an error of the script", () => {
  for (
    const [what, replies, message] of [
      ["a handler that throws", () => {
        throw new Error("oh dear")
      }, /oh dear/],
      ["a handler that returns nothing", (() => {}) as unknown as () => Reply.Reply, /which is no reply/],
      ["an effect that fails", () => Effect.fail("no luck"), /no luck/]
    ] as const
  ) {
    it.scoped(`is ${what}: reported to the client, and not counted against it`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies: { "/": replies } })
        const client = yield* connect({ port: server.port })
        client.write(GET("/"))
        assert.match(yield* client.until("The script failed"), /^HTTP\/1.1 500 /)
        const stats = yield* server.stats
        assert.deepStrictEqual(stats.malformed, [])
        assert.match(stats.scriptErrors.join(), message)
      }))
  }

  it("is an option that there is not, where it is written", () => {
    const wrong = { holdBeforeHead: 1 } as Reply.Options
    assert.throws(() => Reply.text("x", wrong), /holdBeforeHead is no option of a reply; there are status, reason/)
    assert.throws(() => Reply.raw("x", wrong), /holdBeforeHead is no option of a reply; there are close/)
    assert.throws(() => Reply.tunnel(wrong), /holdBeforeHead is no option of a reply; there are status/)
  })

  it("is an option that cannot be, where it is written", () => {
    const cases: ReadonlyArray<readonly [options: unknown, says: RegExp]> = [
      [{ status: 42 }, /status of a reply is 42: expected a whole number/],
      [{ status: "200" }, /status of a reply is 200: expected/],
      [{ delayBeforeHead: "soon" }, /delayBeforeHead of a reply is soon: expected a time/],
      [{ bytesPerSecond: 0 }, /bytesPerSecond of a reply is 0: expected a number of bytes above 0/],
      [{ framing: "chunks" }, /framing of a reply is chunks: expected/],
      [{ headers: { "x-a": "b\r\nset-cookie: c" } }, /headers of a reply is .*: expected text of one line/],
      [{ headers: [["x-a", "€"]] }, /headers of a reply is .*: expected text of one line/],
      [{ headers: { "x-a": 7 } }, /headers of a reply is .*: expected text of one line/],
      [{ trailers: { "x-a": ["b", "c\nd"] } }, /trailers of a reply is .*: expected text of one line/],
      [{ abrupt: {} }, /abrupt of a reply is .*: expected \{ afterBytes/]
    ]
    for (const [options, says] of cases) {
      assert.throws(() => Reply.text("x", options as Reply.Options), says)
    }
    assert.throws(() => Reply.size(-1), /-1 is no size of a body/)
    assert.throws(() => Reply.json(undefined), /undefined is nothing that JSON has/)
  })

  it.scoped("is what is no reply: at once in a list, and by name when it is a Promise", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": (async () => Reply.empty()) as never } })
      for (const given of ["hello", { _tag: "Some" }, undefined]) {
        const exit = yield* Effect.exit(server.reply("/", given as never))
        assert.isTrue(exit._tag === "Failure" && Cause.pretty(exit.cause).includes("which is no reply"))
      }
      const client = yield* connect({ port: server.port })
      client.write(GET("/"))
      assert.include(yield* client.until("makes an Effect of it"), "the handler returned a Promise")
    }))

  it.scoped("is an empty list of replies, at once", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make()
      const exit = yield* Effect.exit(server.reply("/", []))
      assert.isTrue(exit._tag === "Failure" && Cause.pretty(exit.cause).includes("empty list"))
    }))

  it.scoped("is a generator that is sent twice", () =>
    Effect.gen(function*() {
      const once = function*() {
        yield "a"
      }
      const server = yield* TestServer.make({
        replies: { "/": Reply.chunks(once()), "/each": () => Reply.chunks(once()) }
      })
      const client = yield* connect({ port: server.port })
      client.write(GET("/"))
      yield* client.until("0\r\n\r\n")
      client.write(GET("/"))
      yield* client.until("500 Internal")
      assert.match((yield* server.stats).scriptErrors.join(), /a generator, which has been sent before/)
      for (let n = 0; n < 2; n++) {
        const other = yield* connect({ port: server.port })
        other.write(GET("/each"))
        yield* other.until("1\r\na\r\n0\r\n\r\n")
      }
    }))
})

describe("an echo that starts late", () => {
  for (
    const [what, replies, open] of [
      ["by a handler", () => () => Reply.echo(), false],
      ["by a delay", () => Reply.echo({ delayBeforeHead: "20 millis" }), false],
      ["by a gate", (gate: Gate.Gate) => Reply.echo({ hold: gate }), true]
    ] as const
  ) {
    it.scoped(`${what} returns the whole body`, () =>
      Effect.gen(function*() {
        const gate = yield* Gate.make
        const server = yield* TestServer.make({ replies: { "/": replies(gate) } })
        const client = yield* connect({ port: server.port })
        client.write(post("/", 300_000))
        if (open) {
          yield* server.awaitRequest((request) => request.bodyLength === 300_000)
          yield* gate.open
        }
        const text = yield* client.until("0\r\n\r\n")
        assert.strictEqual(text.replaceAll(/[^x]/g, "").length, 300_000)
        const [request] = yield* server.requests
        assert.match(request.text, /x… \(cut: 234464 of 300000 bytes are beyond maxRecordedBody\)$/)
      }))
  }
})

describe("the server", () => {
  it.scoped("does not take a delay of a month for one of a millisecond", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        keepAliveTimeout: "30 days",
        replies: { "/": Reply.text("too soon", { delayBeforeHead: "30 days" }) }
      })
      const client = yield* connect({ port: server.port })
      client.write(GET("/"))
      yield* server.awaitStats((stats) => stats.activeRequests === 1)
      // Real time, in which the reply of before came.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 30)))
      assert.strictEqual(client.received(), "")
      assert.isFalse(client.socket.destroyed)
    }))

  it.scoped("may be asked twice to accept", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ port: yield* TestServer.unusedPort })
      yield* server.resumeAccepting
      yield* server.stopAccepting
      yield* server.stopAccepting
      yield* server.resumeAccepting
      yield* server.resumeAccepting
      yield* connect({ port: server.port })
    }))

  it.scoped("bounds the pipelined requests that it has read", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.text(";", { hold: gate }) } })
      const client = yield* connect({ port: server.port })
      const count = 20_000
      for (let n = 0; n < count; n++) client.write(GET("/"))
      yield* server.awaitStats((stats) => stats.requests > 100)
      // Real time, in which it would have read the rest.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 50)))
      assert.isBelow((yield* server.stats).requests, 5000)
      yield* gate.open
      yield* server.awaitStats((stats) => stats.responses === count)
    }))

  it.scoped("holds a tunnel back that its client does not read", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "CONNECT *": Reply.tunnel() } })
      const client = yield* connect({ port: server.port })
      client.write("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
      yield* client.until("\r\n\r\n")
      client.socket.pause()
      client.write(new Uint8Array(50_000_000))
      // Real time, in which all of it would have been read.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 200)))
      assert.isAbove(client.socket.writableLength, 10_000_000)
      assert.strictEqual((yield* server.stats).openTunnels, 1)
    }))
})
