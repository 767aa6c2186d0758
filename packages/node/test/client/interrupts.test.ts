import type { HttpClient } from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { idle, makeClient, pattern, settled, turn, until } from "./support.js"

const chunk = pattern(64 * 1024)

/** What a caller may do, from its call to the last byte of the response. */
const operations: Record<string, (client: HttpClient, url: string) => Effect.Effect<unknown, unknown>> = {
  "GET": (client, url) => Effect.flatMap(client.get(`${url}/small`), (response) => response.text),
  "GET of a large body": (client, url) =>
    Effect.flatMap(client.get(`${url}/large`), (response) => response.arrayBuffer),
  "GET of a large body as a stream": (client, url) =>
    Effect.flatMap(client.get(`${url}/large`), (response) => Stream.runDrain(response.stream)),
  "POST of bytes": (client, url) =>
    Effect.flatMap(
      client.execute(HttpClientRequest.post(`${url}/echo`).pipe(HttpClientRequest.bodyUint8Array(chunk))),
      (response) => response.arrayBuffer
    ),
  "POST of a stream": (client, url) =>
    Effect.flatMap(
      client.execute(
        HttpClientRequest.post(`${url}/echo`).pipe(HttpClientRequest.bodyStream(Stream.make(chunk, chunk, chunk)))
      ),
      (response) => response.arrayBuffer
    ),
  "POST that expects 100 Continue": (client, url) =>
    Effect.flatMap(
      client.execute(
        HttpClientRequest.post(`${url}/small`).pipe(
          HttpClientRequest.bodyStream(Stream.make(chunk)),
          HttpClientRequest.setHeader("expect", "100-continue")
        )
      ),
      (response) => response.text
    )
}

const replies = { "/small": Reply.text("ok"), "/large": Reply.size(600_000), "/echo": Reply.echo() }

describe("interrupted anywhere, the pool is as before", () => {
  for (const [name, operation] of Object.entries(operations)) {
    it.scoped(`${name}: after each of its first turns of the event loop, on a new and on a used connection`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies })
        const { client, pool } = yield* makeClient({ limits: { maxConnections: 2 } })
        for (let stage = 0; stage < 50; stage++) {
          const fiber = yield* Effect.fork(operation(client, server.url))
          for (let i = 0; i < stage >> 1; i++) yield* turn
          yield* Fiber.interrupt(fiber)
          const stats = yield* settled(pool)
          assert.strictEqual(stats.open, stats.idle)
          yield* server.awaitStats((seen) => seen.openConnections === stats.open)
          // Every second time it begins with a new connection.
          if (stage % 2 === 1) yield* pool.evictIdle
        }
        yield* pool.evictIdle
        yield* idle(pool, server, 0)
        assert.strictEqual(pool.unsafeStats().permitsFree, 2)
        yield* operation(client, server.url)
        assert.deepStrictEqual((yield* server.stats).malformed, [])
        assert.isAtMost((yield* server.stats).maxOpenConnections, 2)
      }))

    it.scoped(`${name}: between any two of its steps`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies })
        const { client, pool } = yield* makeClient({ limits: { maxConnections: 2 } })
        for (let ops = 10; ops < 60; ops++) {
          // It yields after so many steps, and the interrupt comes in between, at another step for each number.
          const fiber = yield* Effect.fork(Effect.withMaxOpsBeforeYield(operation(client, server.url), ops))
          for (let i = 0; i < ops % 7; i++) yield* ops % 2 === 0 ? turn : Effect.yieldNow()
          yield* Fiber.interrupt(fiber)
          const stats = yield* settled(pool)
          assert.strictEqual(stats.open, stats.idle)
        }
        yield* pool.evictIdle
        yield* idle(pool, server, 0)
        yield* operation(client, server.url)
        assert.deepStrictEqual((yield* server.stats).malformed, [])
      }))
  }

  it.scoped("at each stage that the server can see", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const piece = pattern(10)
      const server = yield* TestServer.make({
        replies: {
          "/head": Reply.text("ok", { hold: gate }),
          "/within-head": Reply.raw(["HTTP/1.1 200 OK\r\ncontent-", gate, "length: 2\r\n\r\nok"]),
          "/interim": Reply.raw(["HTTP/1.1 103 Early Hints\r\n\r\n", gate, "HTTP/1.1 204 No Content\r\n\r\n"]),
          "/body": Reply.chunks([piece, gate, piece], { headers: { "content-length": "20" } }),
          "/chunks": Reply.chunks([piece, gate, piece]),
          "/trailers": Reply.raw([
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
            gate,
            "x: y\r\n\r\n"
          ]),
          "/close": Reply.chunks([piece, gate, piece], { framing: "close" })
        }
      })
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 1 } })
      for (const path of ["/head", "/within-head", "/interim", "/body", "/chunks", "/trailers", "/close"]) {
        const request = HttpClientRequest.post(`${server.url}${path}`).pipe(HttpClientRequest.bodyText("x"))
        for (const make of [client.get(`${server.url}${path}`), client.execute(request)]) {
          const fiber = yield* Effect.fork(Effect.flatMap(make, (response) => response.text))
          yield* gate.awaitHeld(1)
          for (let i = 0; i < 3; i++) yield* turn
          yield* Fiber.interrupt(fiber)
          // What was interrupted may still be drained; it never keeps the next one from the only connection.
          yield* gate.open
          yield* settled(pool)
          yield* gate.close
        }
      }
      yield* pool.evictIdle
      yield* idle(pool, server, 0)
    }))

  it.scoped("in the moment after the response: what nobody holds any more is evicted", () =>
    Effect.gen(function*() {
      // The hook runs in the same event as the head of the response; so many microtasks later the interrupt comes.
      let afterHint = () => {}
      const server = yield* TestServer.make({
        replies: { "/": Reply.size(600_000, { informational: [{ status: 103 }] }), "/small": Reply.text("ok") }
      })
      const { client, pool } = yield* makeClient({
        limits: { maxConnections: 1 },
        onInformational: () => afterHint()
      })
      const later = (microtasks: number, f: () => void): void =>
        microtasks === 0 ? f() : queueMicrotask(() => later(microtasks - 1, f))
      for (let microtasks = 0; microtasks < 60; microtasks++) {
        const fiber = yield* Effect.fork(
          Effect.withMaxOpsBeforeYield(
            Effect.flatMap(client.get(`${server.url}/`), (response) => response.arrayBuffer),
            10
          )
        )
        afterHint = () => later(microtasks, () => fiber.unsafeInterruptAsFork(FiberId.none))
        yield* Fiber.await(fiber)
        const small = yield* Effect.fork(client.get(`${server.url}/small`))
        for (let i = 0; i < 200 && small.unsafePoll() === null; i++) yield* turn
        if (small.unsafePoll() === null) yield* TestClock.adjust("1 seconds")
        yield* Fiber.join(small)
      }
      yield* settled(pool)
    }))

  it.scoped("while its body's stream waits, writes, or is blocked by the server", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 1 } })
      const upload = (stream: Stream.Stream<Uint8Array>) =>
        Effect.gen(function*() {
          const ended = yield* Deferred.make<void>()
          const fiber = yield* Effect.fork(client.execute(
            HttpClientRequest.post(`${server.url}/`).pipe(
              HttpClientRequest.bodyStream(Stream.ensuring(stream, Deferred.succeed(ended, undefined)))
            )
          ))
          yield* until(() => pool.unsafeStats().active === 1)
          return { fiber, ended }
        })
      for (const stream of [Stream.never, Stream.concat(Stream.make(chunk), Stream.never)]) {
        const { ended, fiber } = yield* upload(stream)
        for (let i = 0; i < 5; i++) yield* turn
        yield* Fiber.interrupt(fiber)
        yield* Deferred.await(ended)
        yield* idle(pool, server, 0)
      }
      yield* server.pauseReading
      const { ended, fiber } = yield* upload(Stream.repeatValue(chunk))
      for (let i = 0; i < 100; i++) yield* turn
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(ended)
      yield* settled(pool)
      yield* server.resumeReading
      yield* idle(pool, server, 0)
    }))

  it.scoped("a thousand tasks over ten connections, every third interrupted at some time", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies })
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 10 }, timeouts: { pool: "Infinity" } })
      const get = Effect.flatMap(client.get(`${server.url}/small`), (response) => response.text)
      const results = yield* Effect.forEach(
        Array.from({ length: 1000 }, (_, i) => i),
        (i) =>
          Effect.gen(function*() {
            const fiber = yield* Effect.fork(get)
            for (let n = 0; n < i % 17; n++) yield* turn
            return i % 3 === 0 ? yield* Fiber.interrupt(fiber) : yield* Fiber.await(fiber)
          }),
        { concurrency: 50 }
      )
      for (const [i, exit] of results.entries()) {
        if (i % 3 !== 0) assert.deepStrictEqual(exit._tag === "Success" && exit.value, "ok")
      }
      const stats = yield* settled(pool)
      assert.strictEqual(stats.open, stats.idle)
      yield* server.awaitStats((seen) => seen.openConnections === stats.open)
      assert.isAtMost((yield* server.stats).maxOpenConnections, 10)
    }))
})
