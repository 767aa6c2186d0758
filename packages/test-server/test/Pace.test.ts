import { assert, describe, it } from "@effect/vitest"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as http2 from "node:http2"
import { connect, GET } from "./support.js"

/** Real time, which is what a rate is about. */
const elapsed = <A>(effect: Effect.Effect<A>) =>
  Effect.gen(function*() {
    const started = performance.now()
    yield* effect
    return performance.now() - started
  })

const upload = (size: number) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`

describe("a rate of reading", () => {
  it.scoped("takes steadily, in small pieces, what comes at once", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ readBytesPerSecond: 200_000, replies: { "/": Reply.text("got it") } })
      const client = yield* connect({ port: server.port })
      const steps: Array<number> = []
      const watch = Effect.forkScoped(
        server.awaitStats((stats) => {
          if (stats.bodyBytesReceived > (steps.at(-1) ?? 0)) steps.push(stats.bodyBytesReceived)
          return false
        })
      )
      yield* watch
      yield* Effect.yieldNow()
      const took = yield* elapsed(
        Effect.sync(() => client.write(upload(60_000))).pipe(Effect.zipRight(client.until("got it")))
      )
      // Never faster than the rate; how much slower depends on the machine.
      assert.isAtLeast(took, 250)
      assert.isAbove(steps.length, 5)
      assert.strictEqual((yield* server.stats).bodyBytesReceived, 60_000)
    }))

  it.scoped("begins and ends when the test says", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("got it") } })
      const client = yield* connect({ port: server.port })
      yield* server.awaitStats((stats) => stats.openConnections === 1)
      yield* server.limitReading(1000)
      client.write(upload(1_000_000))
      yield* server.awaitStats((stats) => stats.bodyBytesReceived > 0)
      assert.isBelow((yield* server.stats).bodyBytesReceived, 10_000)
      yield* server.limitReading(Infinity)
      yield* client.until("got it")
    }))

  it.scoped("stops while reading is paused and goes on after it", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ readBytesPerSecond: 100_000, replies: { "/": Reply.text("got it") } })
      const client = yield* connect({ port: server.port })
      yield* server.awaitStats((stats) => stats.openConnections === 1)
      yield* server.pauseReading
      client.write(upload(10_000))
      // Real time, in which the server would have taken something.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 50)))
      assert.strictEqual((yield* server.stats).bodyBytesReceived, 0)
      yield* server.resumeReading
      yield* client.until("got it")
    }))

  it.scoped("notices the client's end", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ readBytesPerSecond: 10, replies: { "/": Reply.text("got it") } })
      const client = yield* connect({ port: server.port })
      yield* server.awaitStats((stats) => stats.openConnections === 1)
      client.socket.destroy()
      yield* server.awaitStats((stats) => stats.openConnections === 0)
    }))

  it.scoped("holds on HTTP/2 for each request's body", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        http2: true,
        readBytesPerSecond: 200_000,
        replies: { "/": Reply.text("got it") }
      })
      const session = yield* Effect.acquireRelease(
        Effect.sync(() => http2.connect(server.url)),
        (session) => Effect.sync(() => session.destroy())
      )
      const took = yield* elapsed(Effect.async<void>((resume) => {
        const stream = session.request({ ":method": "POST", ":path": "/" })
        stream.on("response", () => resume(Effect.void))
        stream.end(Buffer.alloc(60_000))
      }))
      assert.isAtLeast(took, 250)
      assert.strictEqual((yield* server.stats).bodyBytesReceived, 60_000)
    }))
})

describe("a rate of a response", () => {
  it.scoped("writes its body steadily", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.size(40_000, { bytesPerSecond: 200_000 }) } })
      const client = yield* connect({ port: server.port })
      let segments = 0
      client.socket.on("data", () => segments++)
      client.write(GET("/"))
      const took = yield* elapsed(client.until((all) => all.length > 40_000))
      assert.isAtLeast(took, 140)
      // A busy machine wakes the server late, and it makes up for that in larger pieces.
      assert.isAbove(segments, 1)
    }))
})
