import * as HttpClient from "@effect/platform/HttpClient"
import * as UrlParams from "@effect/platform/UrlParams"
import { assert, describe, it } from "@effect/vitest"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { failure, idle, makeClient, pattern, settled, turn, turns, until } from "./support.js"

const large = 8 << 20

const count = (stream: Stream.Stream<Uint8Array, unknown>) =>
  Stream.runFold(stream, 0, (sum, part) => sum + part.length)

const one = { limits: { maxConnections: 1 } }

describe("reading a body", () => {
  it.scoped("what was handed out stays as it was, whatever is read after it", () =>
    Effect.gen(function*() {
      const bytes = pattern(32 << 20)
      const server = yield* TestServer.make({
        replies: { "/large": Reply.bytes(bytes), "/chunked": Reply.chunks([bytes]), "/small": Reply.text("small") }
      })
      const { client } = yield* makeClient()
      // Read as fast as they come, so that reads of the socket are as large as they get.
      const collect = (path: string) =>
        Effect.flatMap(client.get(`${server.url}${path}`), (response) => Stream.runCollect(response.stream))
      const kept = yield* Effect.all(["/large", "/chunked", "/large"].map(collect), { concurrency: 3 })
      assert.strictEqual(yield* (yield* client.get(`${server.url}/small`)).text, "small")
      for (const parts of kept) assert.isTrue(Buffer.concat(Chunk.toReadonlyArray(parts)).equals(bytes))
      yield* server.awaitStats((stats) => stats.openConnections === 3)
    }))

  it.scoped("each accessor, and each of them again", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: {
          "/text": Reply.text("grüße"),
          "/json": Reply.json({ a: [1, "ü"] }),
          "/empty": Reply.empty(),
          "/params": Reply.text("a=1&b=%26"),
          "/form": Reply.text("--x\r\ncontent-disposition: form-data; name=\"field\"\r\n\r\nits value\r\n--x--\r\n", {
            headers: { "content-type": "multipart/form-data; boundary=x" }
          }),
          "/bytes": Reply.bytes(pattern(5000))
        }
      })
      const { client, pool } = yield* makeClient()
      const twice = <A, E>(effect: Effect.Effect<A, E>) => Effect.all([effect, effect])
      const text = yield* client.get(`${server.url}/text`)
      assert.deepStrictEqual(yield* twice(text.text), ["grüße", "grüße"])
      const json = yield* client.get(`${server.url}/json`)
      assert.deepStrictEqual(yield* twice(json.json), [{ a: [1, "ü"] }, { a: [1, "ü"] }])
      assert.strictEqual(yield* json.text, "{\"a\":[1,\"ü\"]}")
      assert.strictEqual(yield* (yield* client.get(`${server.url}/empty`)).json, null)
      const params = yield* client.get(`${server.url}/params`)
      for (const read of yield* twice(params.urlParamsBody)) {
        assert.deepStrictEqual(UrlParams.toRecord(read), { a: "1", b: "&" })
      }
      const form = yield* client.get(`${server.url}/form`)
      for (const read of yield* twice(form.formData)) assert.strictEqual(read.get("field"), "its value")
      const bytes = yield* client.get(`${server.url}/bytes`)
      for (const read of yield* twice(bytes.arrayBuffer)) {
        assert.strictEqual(read.byteLength, 5000)
        assert.isTrue(Buffer.from(read).equals(pattern(5000)))
      }
      yield* idle(pool, server, 1)
    }))

  it.scoped("arrayBuffer of a small body holds that body and nothing else", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("small") } })
      const { client } = yield* makeClient()
      const buffer = yield* (yield* client.get(`${server.url}/`)).arrayBuffer
      assert.strictEqual(buffer.byteLength, 5)
      assert.strictEqual(new TextDecoder().decode(buffer), "small")
    }))

  it.scoped("JSON that is none: a Decode error, and the connection is kept", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("{no") } })
      const { client, pool } = yield* makeClient()
      const error = yield* Effect.flip((yield* client.get(`${server.url}/`)).json)
      assert.strictEqual(error._tag, "ResponseError")
      assert.strictEqual(error.reason, "Decode")
      yield* idle(pool, server, 1)
    }))

  it.scoped("a large body by several fibers at once", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.size(large) } })
      const { client, pool } = yield* makeClient()
      const response = yield* client.get(`${server.url}/`)
      const all = yield* Effect.all([response.arrayBuffer, response.arrayBuffer, count(response.stream)], {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual([all[0].byteLength, all[1].byteLength, all[2]], [large, large, large])
      yield* idle(pool, server, 1)
    }))

  it.scoped("one of several readers that is interrupted takes nothing from the others", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.chunks(["a", gate, "b"]) } })
      const { client, pool } = yield* makeClient()
      const response = yield* client.get(`${server.url}/`)
      const [first, second] = yield* Effect.all([Effect.fork(response.text), Effect.fork(response.text)])
      yield* turns(3)
      yield* Fiber.interrupt(first)
      yield* gate.open
      assert.strictEqual(yield* second, "ab")
      yield* idle(pool, server, 1)
    }))

  it.scoped("a stream can be read once: whatever comes after it fails with that", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.chunks(["a", gate, "b"]) } })
      const { client, pool } = yield* makeClient()
      const response = yield* client.get(`${server.url}/`)
      const arrived = yield* Deferred.make<void>()
      const reader = yield* Effect.fork(
        Stream.runCollect(Stream.tap(Stream.decodeText(response.stream), () => Deferred.succeed(arrived, undefined)))
      )
      yield* Deferred.await(arrived)
      const others = [response.text, response.arrayBuffer, Stream.runDrain(response.stream), response.json]
      for (const other of others) {
        const error = yield* failure(other as Effect.Effect<unknown, unknown>)
        assert.strictEqual(error._tag, "BodyAbandoned")
        assert.strictEqual((error as any).reason, "AlreadyRead")
      }
      yield* gate.open
      assert.strictEqual(Chunk.join(yield* reader, ""), "ab")
      assert.strictEqual((yield* failure(response.text))._tag, "BodyAbandoned")
      yield* idle(pool, server, 1)
    }))

  it.scoped("a stream of what has arrived can be read again", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("small") } })
      const { client, pool } = yield* makeClient()
      const response = yield* client.get(`${server.url}/`)
      yield* idle(pool, server, 1)
      for (let i = 0; i < 2; i++) assert.strictEqual(yield* count(response.stream), 5)
      assert.strictEqual(yield* response.text, "small")
    }))

  it.scoped("an error in the middle reaches a stream after what came before it", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: { "/": Reply.chunks(["before", gate], { abrupt: { afterBytes: 100 } }) }
      })
      const { client, pool } = yield* makeClient()
      const response = yield* client.get(`${server.url}/`)
      const seen: Array<string> = []
      const error = yield* failure(
        Stream.runForEach(Stream.decodeText(response.stream), (text) => {
          seen.push(text)
          return gate.open
        })
      )
      assert.deepStrictEqual(seen, ["before"])
      assert.strictEqual(error._tag, "ReadError")
      assert.strictEqual((yield* failure(response.text))._tag, "BodyAbandoned")
      yield* idle(pool, server, 0)
    }))

  it.scoped("a slow reader holds the server back and loses nothing", () =>
    Effect.gen(function*() {
      let sent = 0
      const pieces = (function*() {
        for (let i = 0; i < 400; i++) {
          sent++
          yield pattern(64 * 1024)
        }
      })()
      const server = yield* TestServer.make({ replies: { "/": Reply.chunks(pieces) } })
      const { client, pool } = yield* makeClient()
      const response = yield* client.get(`${server.url}/`)
      let before = -1
      while (before !== sent) {
        before = sent
        yield* turns(50)
      }
      assert.isBelow(sent, 400)
      assert.strictEqual(yield* count(response.stream), 400 * 64 * 1024)
      yield* idle(pool, server, 1)
    }))
})

describe("unread bodies are abandoned", () => {
  it.scoped("an unread body that fits frees its connection, and can be read later", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.size(200_000) } })
      const { client, pool } = yield* makeClient(one)
      const responses = []
      for (let i = 0; i < 5; i++) responses.push(yield* client.get(`${server.url}/`))
      yield* idle(pool, server, 1)
      for (const response of responses) assert.strictEqual((yield* response.arrayBuffer).byteLength, 200_000)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [5])
    }))

  it.scoped("an unread body of 8 MB gives its only connection to the second request", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/large": Reply.size(large), "/": Reply.text("second") } })
      const { client, pool } = yield* makeClient(one)
      const first = yield* client.get(`${server.url}/large`)
      const second = yield* Effect.fork(client.get(`${server.url}/`))
      yield* until(() => pool.unsafeStats().waiting === 1)
      yield* turns(20)
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(pool.unsafeStats().waiting, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* (yield* second).text, "second")
      const error = yield* failure(first.text)
      assert.strictEqual(error._tag, "BodyAbandoned")
      assert.strictEqual((error as any).reason, "Unread")
      assert.include(error.message, "maxBufferedBody")
      yield* idle(pool, server, 1)
    }))

  it.scoped("nobody waits: an unread body stays readable for ever", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.size(large) } })
      const { client, pool } = yield* makeClient(one)
      const response = yield* client.get(`${server.url}/`)
      yield* turns(20)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* response.arrayBuffer).byteLength, large)
      yield* idle(pool, server, 1)
    }))

  it.scoped("filterStatusOk and retryTransient on a 503 of 1 MB, with one connection", () =>
    Effect.gen(function*() {
      const unavailable = Reply.size(1 << 20, { status: 503 })
      const server = yield* TestServer.make({ replies: { "/": [unavailable, unavailable, Reply.text("at last")] } })
      const { client, pool } = yield* makeClient(one)
      const patient = client.pipe(HttpClient.filterStatusOk, HttpClient.retryTransient({ times: 3 }))
      const fiber = yield* Effect.fork(Effect.flatMap(patient.get(`${server.url}/`), (response) => response.text))
      yield* Effect.repeat(Effect.zipRight(turns(20), TestClock.adjust("500 millis")), {
        until: () => Option.isSome(Effect.runSync(Fiber.poll(fiber))),
        times: 50
      })
      assert.strictEqual(yield* Fiber.join(fiber), "at last")
      yield* idle(pool, server, 1)
    }))

  it.scoped("redirects with bodies in between, with one connection", () =>
    Effect.gen(function*() {
      const to = (location: string) => Reply.size(1 << 20, { status: 302, headers: { location } })
      const server = yield* TestServer.make({
        replies: { "/1": to("/2"), "/2": to("/3"), "/3": Reply.text("arrived") }
      })
      const { client, pool } = yield* makeClient(one)
      const fiber = yield* Effect.fork(
        Effect.flatMap(HttpClient.followRedirects(client).get(`${server.url}/1`), (response) => response.text)
      )
      yield* Effect.repeat(Effect.zipRight(turns(20), TestClock.adjust("500 millis")), {
        until: () => Option.isSome(Effect.runSync(Fiber.poll(fiber))),
        times: 50
      })
      assert.strictEqual(yield* Fiber.join(fiber), "arrived")
      yield* idle(pool, server, 1)
    }))

  it.scoped("Stream.take(1) frees the connection: a short rest is drained, a long one is not", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: {
          "/short": Reply.chunks(["first", gate, pattern(60_000)], { headers: { "content-length": "60005" } }),
          "/long": Reply.size(large)
        }
      })
      const { client, pool } = yield* makeClient(one)
      const short = yield* client.get(`${server.url}/short`)
      yield* Stream.runDrain(Stream.take(short.stream, 1))
      yield* gate.open
      yield* idle(pool, server, 1)
      const long = yield* client.get(`${server.url}/long`)
      yield* Stream.runDrain(Stream.take(long.stream, 1))
      yield* idle(pool, server, 0)
      assert.strictEqual((yield* failure(long.text))._tag, "BodyAbandoned")
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
    }))

  it.scoped("a rest of unknown length is drained up to maxDiscardedBody", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: {
          "/short": Reply.chunks(["first", gate, pattern(60_000)]),
          "/long": Reply.chunks(["first", gate, pattern(70_000), pattern(70_000)])
        }
      })
      const { client, pool } = yield* makeClient(one)
      const take = (path: string) =>
        Effect.flatMap(
          client.get(`${server.url}${path}`),
          (response) => Stream.runDrain(Stream.take(response.stream, 1))
        )
      yield* take("/short")
      yield* gate.open
      yield* idle(pool, server, 1)
      yield* gate.close
      yield* take("/long")
      yield* gate.open
      yield* idle(pool, server, 0)
    }))

  it.scoped("a short rest that does not come in half a second closes the connection", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.chunks(["first", gate, "rest"]) } })
      const { client, pool } = yield* makeClient(one)
      const response = yield* client.get(`${server.url}/`)
      yield* Stream.runDrain(Stream.take(response.stream, 1))
      yield* TestClock.adjust("499 millis")
      assert.strictEqual(pool.unsafeStats().active, 1)
      yield* TestClock.adjust("1 millis")
      yield* idle(pool, server, 0)
    }))

  it.scoped("withScope: the body ends with the scope", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.size(large) } })
      const { client, pool } = yield* makeClient(one)
      const scope = yield* Scope.make()
      const response = yield* Scope.extend(HttpClient.withScope(client).get(`${server.url}/`), scope)
      yield* turns(10)
      assert.strictEqual(pool.unsafeStats().active, 1)
      yield* Scope.close(scope, Exit.void)
      yield* idle(pool, server, 0)
      const error = yield* failure(response.text)
      assert.strictEqual(error._tag, "BodyAbandoned")
      assert.strictEqual((error as any).reason, "ScopeClosed")
    }))

  it.scoped("withScope: a request that still waits when the scope ends fails, and its connection is closed", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.never } })
      const { client, pool } = yield* makeClient(one)
      const scope = yield* Scope.make()
      const fiber = yield* Effect.fork(failure(Scope.extend(HttpClient.withScope(client).get(`${server.url}/`), scope)))
      yield* server.awaitRequest(() => true)
      yield* Scope.close(scope, Exit.void)
      const error = yield* fiber
      assert.strictEqual(error._tag, "BodyAbandoned")
      assert.strictEqual((error as any).reason, "ScopeClosed")
      yield* idle(pool, server, 0)
    }))

  it.scoped("a slow reader who has begun is never cut", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/large": Reply.size(large), "/": Reply.text("second") } })
      const { client, pool } = yield* makeClient(one)
      const response = yield* client.get(`${server.url}/large`)
      const gate = yield* Gate.make
      const reader = yield* Effect.fork(count(Stream.tap(response.stream, () => gate.await)))
      yield* gate.awaitHeld(1)
      const second = yield* Effect.fork(failure(client.get(`${server.url}/`)))
      yield* until(() => pool.unsafeStats().waiting === 1)
      yield* turns(20)
      yield* TestClock.adjust("5 seconds")
      const error = yield* second
      assert.strictEqual(error._tag, "PoolTimeout")
      assert.include(error.message, "/large")
      yield* TestClock.adjust("1 hour")
      yield* gate.open
      assert.strictEqual(yield* reader, large)
      yield* idle(pool, server, 1)
    }))

  it.scoped("PoolTimeout names the body that nobody reads", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "*": Reply.size(large) } })
      const { client, pool } = yield* makeClient({ ...one, unreadBodyGrace: "Infinity" })
      const response = yield* client.get(`${server.url}/culprit?secret=1`)
      const second = yield* Effect.fork(failure(client.get(`${server.url}/second`)))
      yield* until(() => pool.unsafeStats().waiting === 1)
      yield* turns(20)
      yield* TestClock.adjust("5 seconds")
      const error = yield* second
      assert.strictEqual(error._tag, "PoolTimeout")
      assert.include(error.message, "/culprit")
      assert.notInclude(error.message, "secret")
      assert.isTrue(error._tag === "PoolTimeout" && error.pool.longestHeld[0].bodyUnread)
      assert.strictEqual((yield* response.arrayBuffer).byteLength, large)
    }))

  it.scoped("maxResponseSize: announced, or passed on the way", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: {
          "/fits": Reply.size(1000),
          "/announced": Reply.size(1001),
          "/passed": Reply.chunks([pattern(1000), pattern(1)])
        }
      })
      const { client, pool } = yield* makeClient({ maxResponseSize: 1000 })
      assert.strictEqual((yield* (yield* client.get(`${server.url}/fits`)).arrayBuffer).byteLength, 1000)
      yield* idle(pool, server, 1)
      for (const path of ["/announced", "/passed"]) {
        const response = yield* client.get(`${server.url}${path}`)
        const error = yield* failure(response.text)
        assert.strictEqual(error._tag, "ResponseTooLarge")
        assert.strictEqual(error._tag === "ResponseTooLarge" && error.maxResponseSize, 1000)
        yield* idle(pool, server, 0)
      }
      // HEAD states the size of a body that does not come.
      const head = yield* client.head(`${server.url}/announced`)
      assert.strictEqual(yield* head.text, "")
      yield* idle(pool, server, 0)
    }))

  it.scoped("two bodies of one fiber with two connections, read in turns", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.size(large) } })
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 2 } })
      const [a, b] = yield* Effect.all([client.get(`${server.url}/`), client.get(`${server.url}/`)])
      const alternating = Stream.interleave(a.stream, b.stream)
      assert.strictEqual(yield* count(alternating), 2 * large)
      yield* settled(pool)
    }))

  it.scoped("a hundred large bodies that nobody reads, over four connections, lose no request", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.size(1 << 20), "/small": Reply.text("ok") } })
      const { client } = yield* makeClient({ limits: { maxConnections: 4 }, timeouts: { pool: "Infinity" } })
      // How far the others are when a time passes is not known, so it passes as often as it takes.
      const whileTimePasses = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.fork(effect)
          yield* Effect.repeat(Effect.zipRight(turns(10), TestClock.adjust("1 seconds")), {
            until: () => fiber.unsafePoll() !== null
          })
          return yield* Fiber.join(fiber)
        })
      yield* whileTimePasses(
        Effect.all(Effect.replicate(client.get(`${server.url}/`), 100), { concurrency: "unbounded", discard: true })
      )
      assert.isAtMost((yield* server.stats).maxOpenConnections, 4)
      const last = Effect.flatMap(client.get(`${server.url}/small`), (response) => response.text)
      assert.strictEqual(yield* whileTimePasses(last), "ok")
      yield* turn
    }))
})
