import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as net from "node:net"
import { Readable } from "node:stream"
import { failure, idle, makeClient, pattern, settled, turn, turns, until } from "./support.js"

const post = HttpClientRequest.post
const expecting = HttpClientRequest.setHeader("expect", "100-continue")
const chunk = pattern(64 * 1024)

describe("request bodies", () => {
  const form = () => {
    const form = new FormData()
    form.append("plain", "text\nwith a line")
    form.append("quo\"te", "ü")
    form.append("file", new Blob([pattern(100_000)], { type: "image/x-test" }), "a \"b\".bin")
    return form
  }
  const file = new File(["from a file"], "f.txt", { type: "text/x-file" })
  const bodies: Record<string, {
    set: (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest
    bytes: string | Uint8Array
    type: string | undefined
    chunked?: boolean
  }> = {
    "text": { set: HttpClientRequest.bodyText("grüße"), bytes: "grüße", type: "text/plain" },
    "JSON": { set: HttpClientRequest.bodyUnsafeJson({ a: [1] }), bytes: "{\"a\":[1]}", type: "application/json" },
    "urlParams": {
      set: HttpClientRequest.bodyUrlParams({ a: "1 2", b: "&" }),
      bytes: "a=1+2&b=%26",
      type: "application/x-www-form-urlencoded"
    },
    "bytes": {
      set: HttpClientRequest.bodyUint8Array(pattern(50_000)),
      bytes: pattern(50_000),
      type: "application/octet-stream"
    },
    "no bytes": {
      set: HttpClientRequest.bodyUint8Array(new Uint8Array(0)),
      bytes: "",
      type: "application/octet-stream"
    },
    "a megabyte of bytes": {
      set: HttpClientRequest.bodyUint8Array(pattern(1 << 20)),
      bytes: pattern(1 << 20),
      type: "application/octet-stream"
    },
    "a stream": {
      set: HttpClientRequest.bodyStream(Stream.make(pattern(1000), new Uint8Array(0), pattern(70_000))),
      bytes: Buffer.concat([pattern(1000), pattern(70_000)]),
      type: "application/octet-stream",
      chunked: true
    },
    "an empty stream": {
      set: HttpClientRequest.bodyStream(Stream.empty),
      bytes: "",
      type: "application/octet-stream",
      chunked: true
    },
    "a stream of known length": {
      set: HttpClientRequest.bodyStream(Stream.make(pattern(1000), pattern(70_000)), { contentLength: 71_000 }),
      bytes: Buffer.concat([pattern(1000), pattern(70_000)]),
      type: "application/octet-stream"
    },
    "a stream whose length is in a header": {
      set: (request) =>
        HttpClientRequest.bodyStream(Stream.make(pattern(10)))(request).pipe(
          HttpClientRequest.setHeader("content-length", "10")
        ),
      bytes: pattern(10),
      type: "application/octet-stream"
    },
    "raw text": { set: HttpClientRequest.setBody(HttpBody.raw("raw")), bytes: "raw", type: undefined },
    "raw ArrayBuffer": {
      set: HttpClientRequest.setBody(HttpBody.raw(pattern(5).buffer)),
      bytes: pattern(5),
      type: undefined
    },
    "raw view": {
      set: HttpClientRequest.setBody(HttpBody.raw(new DataView(pattern(8).buffer, 2, 3))),
      bytes: pattern(8).slice(2, 5),
      type: undefined
    },
    "raw URLSearchParams": {
      set: HttpClientRequest.setBody(HttpBody.raw(new URLSearchParams({ q: "ä" }))),
      bytes: "q=%C3%A4",
      type: "application/x-www-form-urlencoded;charset=UTF-8"
    },
    "raw File": { set: HttpClientRequest.setBody(HttpBody.raw(file)), bytes: "from a file", type: "text/x-file" },
    "raw null": { set: HttpClientRequest.setBody(HttpBody.raw(null)), bytes: "", type: undefined },
    "raw Node stream": {
      set: HttpClientRequest.setBody(HttpBody.raw(Readable.from(["a", Buffer.from("b")]))),
      bytes: "ab",
      type: undefined,
      chunked: true
    },
    "raw web stream with a length": {
      set: HttpClientRequest.setBody(
        HttpBody.raw(new Blob(["web"]).stream(), { contentLength: 3, contentType: "x/y" })
      ),
      bytes: "web",
      type: "x/y"
    }
  }
  for (const [name, { bytes, chunked, set, type }] of Object.entries(bodies)) {
    it.scoped(name, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies: { "/": Reply.empty() }, maxRecordedBody: 2 << 20 })
        const { client, pool } = yield* makeClient()
        const request = set(post(`${server.url}/`))
        assert.strictEqual((yield* client.execute(request)).status, 200)
        const [received] = yield* server.requests
        assert.isTrue(Buffer.from(received.body).equals(Buffer.from(bytes as Uint8Array)))
        assert.strictEqual(received.header("content-type"), type)
        assert.strictEqual(received.header("transfer-encoding"), chunked ? "chunked" : undefined)
        assert.strictEqual(received.header("content-length"), chunked ? undefined : String(Buffer.byteLength(bytes)))
        assert.deepStrictEqual((yield* server.stats).malformed, [])
        yield* idle(pool, server, 1)
      }))
  }

  it.scoped("a form with a file, streamed, with its length, as Node's own parser reads it", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.empty() }, maxRecordedBody: 1 << 20 })
      const { client, pool } = yield* makeClient()
      yield* client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyFormData(form())))
      const [received] = yield* server.requests
      assert.strictEqual(received.header("content-length"), String(received.bodyLength))
      const parsed = yield* Effect.promise(() =>
        new Response(received.body as BodyInit, { headers: { "content-type": received.header("content-type")! } })
          .formData()
      )
      assert.strictEqual(parsed.get("plain"), "text\r\nwith a line")
      assert.strictEqual(parsed.get("quo\"te"), "ü")
      const read = parsed.get("file") as File
      assert.strictEqual(read.type, "image/x-test")
      const contents = yield* Effect.promise(() => read.arrayBuffer())
      assert.isTrue(Buffer.from(contents).equals(pattern(100_000)))
      yield* idle(pool, server, 1)
    }))

  it.scoped("a raw body that cannot be sent is refused unsent", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
      const { client } = yield* makeClient()
      const error = yield* failure(client.execute(
        post(`${server.url}/`).pipe(
          HttpClientRequest.setBody(HttpBody.raw({ an: "object" }))
        )
      ))
      assert.strictEqual(error._tag, "LocalProtocolError")
      assert.strictEqual((yield* server.stats).requests, 0)
    }))

  for (const [name, parts] of Object.entries({ "longer": [6, 6], "shorter": [6] })) {
    it.scoped(`a stream that is ${name} than it said never becomes another message`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
        const { client, pool } = yield* makeClient()
        const error = yield* failure(client.execute(
          post(`${server.url}/`).pipe(
            HttpClientRequest.bodyStream(Stream.fromIterable(parts.map(pattern)), { contentLength: 10 })
          )
        ))
        assert.strictEqual(error._tag, "RequestBodyError")
        assert.match(String((error.cause as Error).message), /10 bytes/)
        yield* idle(pool, server, 0)
        const stats = yield* server.stats
        assert.strictEqual(stats.requests, 1)
        assert.deepStrictEqual(stats.malformed, [])
        assert.isFalse((yield* server.requests)[0].complete)
      }))
  }
})

describe("a request body that fails", () => {
  it.scoped("its own error is the cause, and the connection is closed", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
      const { client, pool } = yield* makeClient()
      const own = new Error("the disk is full")
      const body = Stream.concat(Stream.make(chunk), Stream.fail(own))
      const error = yield* failure(client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body))))
      assert.strictEqual(error._tag, "RequestBodyError")
      assert.strictEqual(error.cause, own)
      assert.isFalse(error.safeToRetry)
      yield* idle(pool, server, 0)
      assert.isFalse((yield* server.requests)[0].complete)
    }))

  it.scoped("a defect likewise, and an interrupt", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
      const { client, pool } = yield* makeClient()
      for (const end of [Stream.die("oh"), Stream.fromEffect(Effect.interrupt)]) {
        const error = yield* failure(client.execute(
          post(`${server.url}/`).pipe(
            HttpClientRequest.bodyStream(Stream.concat(Stream.make(chunk), end))
          )
        ))
        assert.strictEqual(error._tag, "RequestBodyError")
      }
      yield* idle(pool, server, 0)
    }))

  it.scoped("an interrupted request ends its stream, finalizers and all", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
      const { client, pool } = yield* makeClient()
      const started = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<void>()
      const body = Stream.concat(
        Stream.make(chunk),
        Stream.fromEffect(Effect.zipRight(Deferred.succeed(started, undefined), Effect.never))
      )
        .pipe(Stream.ensuring(Deferred.succeed(ended, undefined)))
      const fiber = yield* Effect.fork(client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body))))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(ended)
      yield* idle(pool, server, 0)
    }))

  it.scoped("a stream runs in the caller's context", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
      const { client } = yield* makeClient()
      const body = Stream.fromEffect(Effect.logAnnotations).pipe(
        Stream.map((annotations) => new TextEncoder().encode(JSON.stringify([...annotations])))
      )
      yield* client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body))).pipe(
        Effect.annotateLogs("who", "caller")
      )
      assert.include((yield* server.requests)[0].text, "[\"who\",\"caller\"]")
    }))
})

describe("backpressure", () => {
  it.scoped("a stream is pulled only as fast as the server reads", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
      const { client, pool } = yield* makeClient({ timeouts: { write: "Infinity" } })
      const pulled = yield* Ref.make(0)
      const total = 400
      const body = Stream.range(1, total, 1).pipe(
        Stream.mapEffect(() => Ref.updateAndGet(pulled, (n) => n + 1)),
        Stream.as(chunk)
      )
      yield* server.pauseReading
      const fiber = yield* Effect.fork(client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body))))
      yield* until(() => pool.unsafeStats().active === 1)
      let before = -1
      while (before !== (yield* Ref.get(pulled))) {
        before = yield* Ref.get(pulled)
        yield* turns(50)
      }
      assert.isAbove(before, 0)
      // What fits into the two kernels' buffers is bounded; 25 MiB do not.
      assert.isBelow(before, total)
      yield* server.resumeReading
      assert.strictEqual((yield* fiber).status, 200)
      assert.strictEqual((yield* server.requests)[0].bodyLength, total * chunk.length)
      yield* idle(pool, server, 1)
    }))

  it.scoped("a drain that comes at any step of the upload is not missed", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.empty() } })
      const { client, pool } = yield* makeClient()
      for (const ops of [10, 11, 13, 17, 23]) {
        const body = Stream.fromIterable(Array.from({ length: 60 }, () => chunk))
        yield* client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body))).pipe(
          Effect.withMaxOpsBeforeYield(ops)
        )
      }
      yield* idle(pool, server, 1)
      assert.strictEqual((yield* server.stats).bodyBytesReceived, 5 * 60 * chunk.length)
    }))
})

describe("Expect: 100-continue", () => {
  it.scoped("the body is sent when the server says so", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("thanks") } })
      const { client, pool } = yield* makeClient()
      for (const set of [HttpClientRequest.bodyText("text"), HttpClientRequest.bodyStream(Stream.make(chunk))]) {
        const response = yield* client.execute(post(`${server.url}/`).pipe(set, expecting))
        assert.strictEqual(yield* response.text, "thanks")
      }
      const requests = yield* server.requests
      assert.deepStrictEqual(requests.map((request) => request.bodyLength), [4, chunk.length])
      assert.strictEqual(requests[0].header("expect"), "100-continue")
      assert.strictEqual(requests[0].header("content-length"), "4")
      yield* idle(pool, server, 1)
    }))

  for (const status of [417, 413, 302, 200]) {
    it.scoped(`the body is not sent when ${status} comes instead`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make()
        yield* server.reply("/", Reply.text("no", { status }), { early: true })
        const { client, pool } = yield* makeClient()
        const pulled = yield* Ref.make(false)
        const body = Stream.as(Stream.fromEffect(Ref.set(pulled, true)), chunk)
        const response = yield* client.execute(
          post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body), expecting)
        )
        assert.strictEqual(response.status, status)
        assert.strictEqual(yield* response.text, "no")
        // Nobody can know whether the server waits for a body now.
        yield* idle(pool, server, 0)
        assert.isFalse(yield* Ref.get(pulled))
        assert.strictEqual((yield* server.stats).bodyBytesReceived, 0)
      }))
  }

  it.scoped("the body is sent when the server is silent for expectContinueTimeout", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make()
      yield* server.reply("/", Reply.text("thanks"), { expectContinue: "withhold" })
      const { client, pool } = yield* makeClient({ expectContinueTimeout: "3 seconds" })
      const fiber = yield* Effect.fork(
        client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyText("body"), expecting))
      )
      yield* server.awaitRequest(() => true)
      yield* TestClock.adjust("2999 millis")
      yield* turns(5)
      assert.strictEqual((yield* server.stats).bodyBytesReceived, 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* (yield* fiber).text, "thanks")
      assert.strictEqual((yield* server.requests)[0].text, "body")
      yield* idle(pool, server, 1)
    }))

  it.scoped("after the body has gone, the server's silence is a read timeout", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make()
      yield* server.reply("/", Reply.never, { expectContinue: "withhold" })
      const { client, pool } = yield* makeClient()
      const fiber = yield* Effect.fork(
        failure(client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyText("body"), expecting)))
      )
      yield* server.awaitRequest(() => true)
      yield* TestClock.adjust("1 seconds")
      yield* server.awaitRequest((request) => request.complete)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* fiber)._tag, "ReadTimeout")
      yield* idle(pool, server, 0)
    }))
})

/** Takes the first bytes of a request, says something, and closes with the rest unread, so that a reset follows. */
const rudeServer = (response: string) =>
  Effect.acquireRelease(
    Effect.async<net.Server>((resume) => {
      const server = net.createServer((socket) => {
        socket.on("error", () => {})
        socket.once("data", () => {
          socket.pause()
          socket.write(response, () => socket.destroy())
        })
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`))

describe("a response that does not wait for the body", () => {
  const endless = Stream.repeatValue(chunk)

  it.scoped("413 is read, the upload stops, the connection is closed", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make()
      yield* server.reply("/", Reply.text("too much", { status: 413 }), { early: true })
      const { client, pool } = yield* makeClient()
      const ended = yield* Deferred.make<void>()
      const body = Stream.ensuring(endless, Deferred.succeed(ended, undefined))
      const response = yield* client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body)))
      assert.strictEqual(response.status, 413)
      assert.strictEqual(yield* response.text, "too much")
      yield* Deferred.await(ended)
      yield* idle(pool, server, 0)
    }))

  it.scoped("so it is when the server closes without reading on", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make()
      yield* server.reply("/", Reply.text("too much", { status: 413, connection: "close" }), { early: true })
      const { client, pool } = yield* makeClient()
      const large = pattern(4 << 20)
      for (let i = 0; i < 10; i++) {
        for (const set of [HttpClientRequest.bodyStream(endless), HttpClientRequest.bodyUint8Array(large)]) {
          const response = yield* client.execute(post(`${server.url}/`).pipe(set))
          assert.strictEqual(response.status, 413)
          assert.strictEqual(yield* response.text, "too much")
        }
      }
      yield* idle(pool, server, 0)
    }))

  for (const responds of [true, false]) {
    it.scoped(
      responds
        ? "it is read even if writing fails before, for the server has closed with our bytes unread"
        : "a server that closes with our bytes unread and no response: an error of the connection",
      () =>
        Effect.gen(function*() {
          const tooLarge = "HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 8\r\n\r\ntoo much"
          const url = yield* rudeServer(responds ? tooLarge : "")
          const { client, pool } = yield* makeClient()
          // A part in each turn of the event loop: the next one is written before the loop has been to the socket.
          const parts = Stream.repeatEffect(Effect.as(turn, chunk))
          for (let i = 0; i < 20; i++) {
            for (const stream of [parts, endless]) {
              const response = client.execute(post(url).pipe(HttpClientRequest.bodyStream(stream)))
              if (responds) {
                assert.strictEqual(yield* Effect.flatMap(response, (response) => response.text), "too much")
              } else {
                const error = yield* failure(response)
                assert.include(["WriteError", "ReadError"], error._tag)
                assert.isFalse(error.safeToRetry)
              }
              assert.strictEqual((yield* settled(pool)).open, 0)
            }
          }
        })
    )
  }

  it.scoped("a success from a server that closes with our bytes unread ends the upload, and stays a success", () =>
    Effect.gen(function*() {
      const url = yield* rudeServer("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nenough")
      const { client, pool } = yield* makeClient()
      for (let i = 0; i < 10; i++) {
        for (
          const set of [
            HttpClientRequest.bodyStream(endless),
            HttpClientRequest.bodyStream(Stream.repeatEffect(Effect.as(turn, chunk))),
            HttpClientRequest.bodyUint8Array(pattern(16 << 20))
          ]
        ) {
          const response = yield* client.execute(post(url).pipe(set))
          assert.strictEqual(yield* response.text, "enough")
          assert.strictEqual((yield* settled(pool)).open, 0)
          assert.strictEqual(Option.getOrThrow(PooledHttpClient.connectionInfo(response)).upload, "stopped")
        }
      }
    }))

  it.scoped("a response that grows while the upload goes on is delivered as it comes", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.echo() } })
      const { client, pool } = yield* makeClient()
      const body = Stream.fromIterable(Array.from({ length: 100 }, () => chunk))
      const response = yield* client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body)))
      const size = yield* Stream.runFold(response.stream, 0, (sum, part) => sum + part.length)
      assert.strictEqual(size, 100 * chunk.length)
      yield* idle(pool, server, 1)
    }))

  describe.each(["HTTP/1.1", "HTTP/1.1 over TLS", "HTTP/2"])(
    "a whole response before the end of the upload, %s",
    (kind) => {
      const uploadOf = (response: HttpClientResponse) =>
        Option.getOrThrow(PooledHttpClient.connectionInfo(response)).upload

      const uploadedOf = (response: HttpClientResponse) =>
        Option.getOrThrow(PooledHttpClient.connectionInfo(response)).uploaded

      const start = (status: number) =>
        Effect.gen(function*() {
          const isSecure = kind.endsWith("TLS")
          const server = yield* TestServer.make({ tls: isSecure, http2: kind === "HTTP/2" })
          yield* server.reply("/", Reply.text("enough", { status }), { early: true })
          const made = yield* makeClient({
            http2: kind === "HTTP/2" ? "prior-knowledge" : false,
            ...(server.ca === undefined ? {} : { tls: { ca: server.ca } })
          })
          return { ...made, server }
        })
      const total = 100 * chunk.length
      const chunks = Array.from({ length: 100 }, () => chunk)
      const bodies = {
        "a stream": HttpClientRequest.bodyStream(Stream.fromIterable(chunks)),
        "a stream of known length": HttpClientRequest.bodyStream(Stream.fromIterable(chunks), { contentLength: total }),
        "a Blob": HttpClientRequest.setBody(HttpBody.raw(new Blob(chunks))),
        "bytes": HttpClientRequest.bodyUint8Array(new Uint8Array(total))
      }
      for (const [name, set] of Object.entries(bodies)) {
        it.scoped(`that is a success: all of ${name} is sent, and nothing after it`, () =>
          Effect.gen(function*() {
            const { client, pool, server } = yield* start(200)
            const response = yield* client.execute(post(`${server.url}/`).pipe(set))
            assert.strictEqual(yield* response.text, "enough")
            assert.include(["sending", "complete"], uploadOf(response))
            const { bodyLength } = yield* server.awaitRequest((request) => request.complete)
            assert.strictEqual(bodyLength, total)
            yield* settled(pool)
            assert.strictEqual(uploadOf(response), "complete")
            assert.strictEqual(uploadedOf(response), total)
            if (kind !== "HTTP/2") assert.strictEqual(pool.unsafeStats().open, 0)
          }))
      }

      it.scoped("that is a success holds its connection until the upload ends, and is whole for its reader before", () =>
        Effect.gen(function*() {
          const gate = yield* Gate.make
          const { client, pool, server } = yield* start(201)
          const body = Stream.concat(Stream.make(chunk), Stream.execute(gate.await))
          const response = yield* client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body)))
          assert.strictEqual(yield* response.text, "enough")
          assert.strictEqual(uploadOf(response), "sending")
          // The first window of an HTTP/2 stream is a byte smaller.
          assert.strictEqual(uploadedOf(response), kind === "HTTP/2" ? 65_535 : chunk.length)
          assert.strictEqual(pool.unsafeStats().leases, 1)
          yield* gate.open
          yield* settled(pool)
          assert.strictEqual(uploadOf(response), "complete")
        }))

      it.scoped("that is none stops it", () =>
        Effect.gen(function*() {
          for (const status of [300, 404, 500]) {
            const { client, pool, server } = yield* start(status)
            const ended = yield* Deferred.make<void>()
            const body = Stream.ensuring(endless, Deferred.succeed(ended, undefined))
            const response = yield* client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body)))
            assert.strictEqual(yield* response.text, "enough")
            yield* Deferred.await(ended)
            yield* settled(pool)
            assert.strictEqual(uploadOf(response), "stopped")
          }
        }))

      it.scoped("that is none, to bytes that are there: some of them have been sent, and how many is known", () =>
        Effect.gen(function*() {
          const { client, pool, server } = yield* start(413)
          const size = 64 << 20
          const response = yield* client.execute(
            post(`${server.url}/`).pipe(HttpClientRequest.bodyUint8Array(new Uint8Array(size)))
          )
          yield* settled(pool)
          assert.strictEqual(uploadOf(response), "stopped")
          const uploaded = uploadedOf(response)
          assert.isTrue(uploaded > 0 && uploaded < size, `${uploaded}`)
        }))

      it.scoped("that is a success stays one when the stream fails afterwards", () =>
        Effect.gen(function*() {
          const { client, pool, server } = yield* start(200)
          const gate = yield* Gate.make
          const late = Stream.concat(Stream.execute(gate.await), Stream.fail("late"))
          const body = Stream.concat(Stream.make(chunk), late)
          const response = yield* client.execute(post(`${server.url}/`).pipe(HttpClientRequest.bodyStream(body)))
          yield* until(() => uploadOf(response) === "sending")
          yield* gate.open
          yield* settled(pool)
          assert.strictEqual(uploadOf(response), "stopped")
          assert.strictEqual(yield* response.text, "enough")
        }))
    }
  )
})
