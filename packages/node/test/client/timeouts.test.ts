import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Timeouts from "@sluice/core/Timeouts"
import type { ReadTimeout } from "@sluice/core/TransportError"
import type { HttpClientLayer } from "@sluice/node"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { spawn } from "node:child_process"
import * as net from "node:net"
import { failure, idle, makeClient as makeAnyClient, pattern, settled, turns, until } from "./support.js"

const post = HttpClientRequest.post
const chunk = pattern(64 * 1024)

/** Lets so much time pass, and finds the fiber where it was. */
const stillRunning = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, duration: "4999 millis" | "1 hour" | "2999 millis") =>
  Effect.gen(function*() {
    yield* TestClock.adjust(duration)
    yield* turns(5)
    assert.isNull(fiber.unsafePoll())
  })

/** With short timeouts for silence, and no other one for the response head. */
const makeClient = (options: HttpClientLayer.Options = {}) =>
  makeAnyClient({
    ...options,
    timeouts: { read: "5 seconds", write: "5 seconds", headers: "Infinity", ...options.timeouts }
  })

const spec = { pool: "5 seconds", connect: "5 seconds", read: "5 seconds", write: "5 seconds" } as const

describe("pool", () => {
  it.scoped("a waiter gets PoolTimeout in the end; the owner of the connection is not disturbed", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok", { hold: gate }) } })
      const { client, pool } = yield* makeClient({
        limits: { maxConnections: 1 },
        timeouts: { ...spec, read: "Infinity" }
      })
      const first = yield* Effect.fork(client.get(`${server.url}/`))
      yield* gate.awaitHeld(1)
      const second = yield* Effect.fork(failure(client.get(`${server.url}/`)))
      yield* until(() => pool.unsafeStats().waiting === 1)
      yield* stillRunning(second, "4999 millis")
      yield* TestClock.adjust("1 millis")
      const error = yield* second
      assert.strictEqual(error._tag, "PoolTimeout")
      assert.strictEqual(error._tag === "PoolTimeout" && error.waited, 5000)
      assert.isTrue(error.safeToRetry)
      assert.isFalse(error.written)
      yield* gate.open
      assert.strictEqual(yield* (yield* first).text, "ok")
      yield* idle(pool, server, 1)
    }))

  it.scoped("0: what needs no queue goes, what does fails at once", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok", { hold: gate }) } })
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 1 }, timeouts: { pool: 0 } })
      const first = yield* Effect.fork(client.get(`${server.url}/`))
      yield* gate.awaitHeld(1)
      assert.strictEqual((yield* failure(client.get(`${server.url}/`)))._tag, "PoolTimeout")
      yield* gate.open
      yield* first
      yield* idle(pool, server, 1)
      assert.strictEqual((yield* client.get(`${server.url}/`)).status, 200)
    }))
})

describe("connect", () => {
  /** Listens, and accepts nobody: its backlog is full. */
  const blackhole = Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [
          "-e",
          `const server = require("node:net").createServer().listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
             require("node:fs").writeSync(1, String(server.address().port))
             Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000)
           })`
        ], { stdio: ["ignore", "pipe", "ignore"] })
      ),
      (child) =>
        Effect.async<void>((resume) => {
          if (child.exitCode !== null) return resume(Effect.void)
          child.once("exit", () => resume(Effect.void))
          child.kill("SIGKILL")
        })
    )
    const port = yield* Effect.async<number>((resume) => {
      child.stdout.once("data", (text) => resume(Effect.succeed(Number(text))))
    })
    let connected = 0
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        Array.from({ length: 6 }, () => net.connect(port, "127.0.0.1", () => connected++).on("error", () => {}))
      ),
      (fillers) => Effect.sync(() => fillers.forEach((filler) => filler.destroy()))
    )
    yield* until(() => connected >= 2)
    yield* turns(20)
    return `http://127.0.0.1:${port}/`
  })

  it.scoped("a host that does not respond: ConnectTimeout, no socket left", () =>
    Effect.gen(function*() {
      const url = yield* blackhole
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 1 } })
      const fiber = yield* Effect.fork(failure(client.get(url)))
      yield* until(() => pool.unsafeStats().dialing === 1)
      yield* stillRunning(fiber, "4999 millis")
      yield* TestClock.adjust("1 millis")
      const error = yield* fiber
      assert.strictEqual(error._tag, "ConnectTimeout")
      assert.isTrue(error.safeToRetry)
      assert.strictEqual((yield* settled(pool)).permitsFree, 1)
    }))

  it.scoped("an interrupt ends the dial that nobody else wants", () =>
    Effect.gen(function*() {
      const url = yield* blackhole
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 1 } })
      const fiber = yield* Effect.fork(client.get(url))
      yield* until(() => pool.unsafeStats().dialing === 1)
      yield* turns(3)
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* settled(pool)).permitsFree, 1)
    }))

  it.scoped("each request that waits for the dial has its own deadline for everything", () =>
    Effect.gen(function*() {
      const url = yield* blackhole
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 1 } })
      const fiber = yield* Effect.fork(failure(client.get(url).pipe(Timeouts.locally({ total: "2 seconds" }))))
      yield* until(() => pool.unsafeStats().dialing === 1)
      yield* TestClock.adjust("2 seconds")
      const error = yield* fiber
      assert.strictEqual(error._tag, "TotalTimeout")
      assert.isFalse(error.written)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* settled(pool)).permitsFree, 1)
    }))
})

describe("read", () => {
  it.scoped("silence before the head", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.never } })
      const { client, pool } = yield* makeClient()
      const fiber = yield* Effect.fork(failure(client.get(`${server.url}/`)))
      yield* server.awaitRequest(() => true)
      yield* stillRunning(fiber, "4999 millis")
      yield* TestClock.adjust("1 millis")
      const error = yield* fiber
      assert.strictEqual(error._tag, "ReadTimeout")
      assert.strictEqual(error.phase, "headers")
      assert.isTrue(error.written)
      assert.isTrue(error.safeToRetry)
      yield* idle(pool, server, 0)
    }))

  it.scoped("silence between two parts of the body, and only silence counts", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.chunks(["a", gate, "b", gate, "c", gate]) } })
      const { client, pool } = yield* makeClient()
      const response = yield* client.get(`${server.url}/`)
      let seen = ""
      const fiber = yield* Effect.fork(
        failure(Stream.runForEach(Stream.decodeText(response.stream), (text) => Effect.sync(() => seen += text)))
      )
      for (const expected of ["a", "ab", "abc"]) {
        yield* until(() => seen === expected)
        yield* gate.awaitHeld(1)
        yield* stillRunning(fiber, "4999 millis")
        if (expected !== "abc") yield* gate.pass(1)
      }
      yield* TestClock.adjust("1 millis")
      const error = yield* fiber
      assert.strictEqual(error._tag, "ReadTimeout")
      assert.strictEqual(error.phase, "body")
      yield* idle(pool, server, 0)
    }))

  it.scoped("bytes that make nothing yet are not silence: of the head, a chunk's size, the trailers", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const pieces = ["HTTP/1.1 200 O", "K\r\nserver: sl", "ow\r\ntransfer-encoding: chunked\r\n\r\n", "0", "1;a", "=b"]
      const rest = ["\r\nx\r\n", "0\r\nend", "ing: y", "es\r\n\r\n"]
      const server = yield* TestServer.make({
        replies: { "/": Reply.raw([...pieces, ...rest].flatMap((piece) => [gate, piece])) }
      })
      const { client, pool } = yield* makeClient()
      const fiber = yield* Effect.fork(Effect.flatMap(client.get(`${server.url}/`), (response) => response.text))
      for (let piece = 0; piece < pieces.length + rest.length; piece++) {
        yield* gate.awaitHeld(1)
        yield* turns(5)
        yield* stillRunning(fiber, "4999 millis")
        yield* gate.pass(1)
      }
      assert.strictEqual(yield* fiber, "x")
      yield* idle(pool, server, 1)
    }))

  it.scoped("silence in the middle of a head", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: { "/": Reply.raw([gate, "HTTP/1.1 200 O", gate, "K\r\n", gate]) }
      })
      const { client, pool } = yield* makeClient()
      const fiber = yield* Effect.fork(failure(client.get(`${server.url}/`)))
      for (let piece = 0; piece < 2; piece++) {
        yield* gate.awaitHeld(1)
        yield* turns(5)
        yield* stillRunning(fiber, "4999 millis")
        yield* gate.pass(1)
      }
      yield* gate.awaitHeld(1)
      yield* turns(5)
      yield* stillRunning(fiber, "4999 millis")
      yield* TestClock.adjust("1 millis")
      const error = yield* fiber
      assert.strictEqual(error._tag, "ReadTimeout")
      assert.strictEqual(error.phase, "headers")
      yield* idle(pool, server, 0)
    }))

  it.scoped("silence after an upload in parts", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.never } })
      const { client, pool } = yield* makeClient()
      const request = post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(Stream.make(chunk)))
      const fiber = yield* Effect.fork(failure(client.execute(request)))
      yield* server.awaitRequest((request) => request.complete)
      yield* turns(5)
      yield* stillRunning(fiber, "4999 millis")
      yield* TestClock.adjust("1 millis")
      const error = yield* fiber
      assert.strictEqual(error._tag, "ReadTimeout")
      assert.deepStrictEqual((error as ReadTimeout).handedOver, { size: chunk.length, ago: 5000 })
      assert.include(error.message, `The last of ${chunk.length} bytes of its body had been handed to the system`)
      assert.isFalse(error.safeToRetry)
      yield* idle(pool, server, 0)
    }))

  it.scoped("silence within a response that has ended the upload", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make()
      yield* server.reply("/", Reply.chunks(["too ", gate, "much"], { status: 413 }), { early: true })
      const { client, pool } = yield* makeClient({ timeouts: { read: "3 seconds", write: "1 seconds" } })
      const request = post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(Stream.repeatValue(chunk)))
      const response = yield* client.execute(request)
      assert.strictEqual(response.status, 413)
      const fiber = yield* Effect.fork(failure(response.text))
      yield* gate.awaitHeld(1)
      yield* turns(5)
      yield* stillRunning(fiber, "2999 millis")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* fiber)._tag, "ReadTimeout")
      yield* idle(pool, server, 0)
    }))

  it.scoped("it does not run while the caller is the slow one: a reader of a stream", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.size(2 << 20) } })
      const { client, pool } = yield* makeClient()
      const response = yield* client.get(`${server.url}/`)
      const gate = yield* Gate.make
      const size = (sum: number, part: Uint8Array) => sum + part.length
      const fiber = yield* Effect.fork(Stream.runFold(Stream.tap(response.stream, () => gate.await), 0, size))
      yield* gate.awaitHeld(1)
      // Until the buffer is full, it is the server's silence that counts.
      yield* turns(50)
      yield* stillRunning(fiber, "1 hour")
      yield* gate.open
      assert.strictEqual(yield* fiber, 2 << 20)
      yield* idle(pool, server, 1)
    }))

  it.scoped("nor for a body's stream that takes its time", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
      const { client, pool } = yield* makeClient()
      const slow = Stream.concat(Stream.make(chunk), Stream.as(Stream.fromEffect(gate.await), chunk))
      const fiber = yield* Effect.fork(
        client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(slow)))
      )
      yield* gate.awaitHeld(1)
      yield* server.awaitRequest((request) => request.bodyLength === chunk.length)
      yield* stillRunning(fiber, "1 hour")
      yield* gate.open
      yield* fiber
      yield* idle(pool, server, 1)
    }))

  it.scoped("0: at once", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.never } })
      const { client, pool } = yield* makeClient({ timeouts: { read: 0 } })
      assert.strictEqual((yield* failure(client.get(`${server.url}/`)))._tag, "ReadTimeout")
      yield* settled(pool)
      assert.strictEqual(pool.unsafeStats().open, 0)
    }))

  it.scoped("Infinity: never", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok", { hold: gate }) } })
      const { client, pool } = yield* makeClient({ timeouts: { read: "Infinity" } })
      const fiber = yield* Effect.fork(client.get(`${server.url}/`))
      yield* gate.awaitHeld(1)
      yield* stillRunning(fiber, "1 hour")
      yield* gate.open
      assert.strictEqual((yield* fiber).status, 200)
      yield* idle(pool, server, 1)
    }))
})

describe("write", () => {
  const uploads = {
    "bytes": HttpClientRequest.bodyUint8Array(pattern(16 << 20)),
    "a stream": HttpClientRequest.bodyStream(Stream.repeatValue(chunk)),
    "a form": HttpClientRequest.bodyFormData((() => {
      const form = new FormData()
      form.append("file", new Blob([pattern(16 << 20)]))
      return form
    })())
  }
  for (const [name, set] of Object.entries(uploads)) {
    it.scoped(`a server that stops reading: ${name}`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
        const { client, pool } = yield* makeClient({ timeouts: { ...spec, read: "2 seconds" } })
        yield* server.pauseReading
        const fiber = yield* Effect.fork(failure(client.execute(post(`${server.url}/`).pipe(set))))
        yield* until(() => pool.unsafeStats().active === 1)
        // Until the kernel takes no more.
        yield* turns(300)
        yield* stillRunning(fiber, "4999 millis")
        yield* TestClock.adjust("1 millis")
        const error = yield* fiber
        assert.strictEqual(error._tag, "WriteTimeout")
        assert.strictEqual(error.phase, "send")
        assert.isTrue(error.written)
        assert.isFalse(error.safeToRetry)
        yield* server.resumeReading
        yield* idle(pool, server, 0)
      }))
  }

  it.scoped("it starts anew whenever the server takes something", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("thanks") } })
      const { client, pool } = yield* makeClient()
      yield* server.pauseReading
      const body = HttpClientRequest.bodyUint8Array(pattern(32 << 20))
      const fiber = yield* Effect.fork(client.execute(post(`${server.url}/`).pipe(body)))
      yield* until(() => pool.unsafeStats().active === 1)
      yield* turns(100)
      yield* stillRunning(fiber, "4999 millis")
      const { bodyBytesReceived } = server.unsafeStats()
      yield* server.resumeReading
      yield* server.awaitStats((stats) => stats.bodyBytesReceived > bodyBytesReceived + (8 << 20))
      yield* server.pauseReading
      yield* turns(100)
      yield* stillRunning(fiber, "4999 millis")
      yield* server.resumeReading
      assert.strictEqual(yield* (yield* fiber).text, "thanks")
      yield* idle(pool, server, 1)
    }))
})

describe("headers", () => {
  it.scoped("interim responses are not silence, but they do not make a response", () =>
    Effect.gen(function*() {
      const hint = "HTTP/1.1 103 Early Hints\r\n\r\n"
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: { "/": Reply.raw([hint, gate, hint, gate, hint]) }
      })
      const { client, pool } = yield* makeClient({ timeouts: { headers: "6 seconds" } })
      const fiber = yield* Effect.fork(failure(client.get(`${server.url}/`)))
      yield* gate.awaitHeld(1)
      yield* turns(5)
      yield* stillRunning(fiber, "2999 millis")
      yield* gate.pass(1)
      yield* gate.awaitHeld(1)
      yield* turns(5)
      yield* stillRunning(fiber, "2999 millis")
      yield* TestClock.adjust("2 millis")
      const error = yield* fiber
      assert.strictEqual(error._tag, "HeadersTimeout")
      yield* idle(pool, server, 0)
    }))

  it.scoped("a head in many small pieces is no silence, but it has its time", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: { "/": Reply.raw([gate, "HTTP/1.1 200 OK\r\n", gate, "a: b\r\n", gate, "c: d\r\n", gate]) }
      })
      const { client, pool } = yield* makeClient({ timeouts: { headers: "12 seconds" } })
      const fiber = yield* Effect.fork(failure(client.get(`${server.url}/`)))
      for (const wait of ["4999 millis", "4999 millis"] as const) {
        yield* gate.awaitHeld(1)
        yield* turns(5)
        yield* stillRunning(fiber, wait)
        yield* gate.pass(1)
      }
      yield* gate.awaitHeld(1)
      yield* turns(5)
      yield* TestClock.adjust("2001 millis")
      yield* turns(5)
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* fiber)._tag, "HeadersTimeout")
      yield* idle(pool, server, 0)
    }))

  it.scoped("the body has as long as it likes", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.chunks(["a", gate, "b"]) } })
      const { client, pool } = yield* makeClient({ timeouts: { headers: "1 seconds", read: "Infinity" } })
      const fiber = yield* Effect.fork(Effect.flatMap(client.get(`${server.url}/`), (response) => response.text))
      yield* gate.awaitHeld(1)
      yield* turns(5)
      yield* stillRunning(fiber, "1 hour")
      yield* gate.open
      assert.strictEqual(yield* fiber, "ab")
      yield* idle(pool, server, 1)
    }))
})

describe("total", () => {
  it.scoped("from the call: in the queue, before the head, in the body", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: { "/held": Reply.text("ok", { hold: gate }), "/body": Reply.chunks(["a", gate]) }
      })
      const { client, pool } = yield* makeClient({
        limits: { maxConnections: 1 },
        timeouts: { pool: "Infinity", read: "Infinity", total: "3 seconds" }
      })
      const inHead = yield* Effect.fork(failure(client.get(`${server.url}/held`)))
      yield* gate.awaitHeld(1)
      const inQueue = yield* Effect.fork(failure(client.get(`${server.url}/held`)))
      yield* until(() => pool.unsafeStats().waiting === 1)
      yield* stillRunning(inQueue, "2999 millis")
      yield* TestClock.adjust("1 millis")
      const errors = [yield* inHead, yield* inQueue]
      assert.deepStrictEqual(errors.map((error) => error._tag), ["TotalTimeout", "TotalTimeout"])
      assert.deepStrictEqual(errors.map((error) => error.phase), ["headers", "pool"])
      yield* idle(pool, server, 0)
      const response = yield* client.get(`${server.url}/body`)
      const inBody = yield* Effect.fork(failure(response.text))
      yield* turns(5)
      yield* TestClock.adjust("3 seconds")
      const error = yield* inBody
      assert.strictEqual(error._tag, "TotalTimeout")
      assert.strictEqual(error.phase, "body")
      yield* idle(pool, server, 0)
    }))
})

describe("the caller's own Effect.timeout", () => {
  it.scoped("gives the connection back, whatever it waits for", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: {
          "/head": Reply.never,
          "/body": Reply.chunks(["a", gate], { headers: { "content-length": "9999999" } })
        }
      })
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 1 } })
      for (const path of ["/head", "/body"]) {
        const request = Effect.flatMap(client.get(`${server.url}${path}`), (response) => response.text)
        const fiber = yield* Effect.fork(Effect.flip(Effect.timeout(request, "1 seconds")))
        yield* server.awaitRequest((request) => request.path === path)
        yield* turns(5)
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual((yield* fiber)._tag, "TimeoutException")
        yield* idle(pool, server, 0)
        assert.strictEqual(pool.unsafeStats().permitsFree, 1)
      }
    }))
})

describe("Timeouts.locally", () => {
  it.scoped("holds for its region, and what it does not say stays as it was around it", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.never } })
      const { client, pool } = yield* makeClient()
      const request = failure(client.get(`${server.url}/`))
      const run = <A>(effect: Effect.Effect<A, unknown>, duration: "1 seconds" | "2 seconds" | "5 seconds") =>
        Effect.gen(function*() {
          const { requests } = yield* server.stats
          const fiber = yield* Effect.fork(effect)
          yield* server.awaitStats((stats) => stats.requests === requests + 1)
          yield* turns(3)
          yield* TestClock.adjust(duration)
          return yield* fiber
        })
      const inner = yield* run(
        request.pipe(Timeouts.locally({ read: "1 seconds" }), Timeouts.locally({ read: "2 seconds", total: "1 hour" })),
        "1 seconds"
      )
      assert.strictEqual(inner._tag, "ReadTimeout")
      const outer = yield* run(
        request.pipe(Timeouts.locally({ write: "1 seconds" }), Timeouts.locally({ total: "2 seconds" })),
        "2 seconds"
      )
      assert.strictEqual(outer._tag, "TotalTimeout")
      assert.strictEqual((yield* run(request, "5 seconds"))._tag, "ReadTimeout")
      yield* idle(pool, server, 0)
    }))
})
