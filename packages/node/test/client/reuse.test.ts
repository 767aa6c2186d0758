import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as TransportError from "@sluice/core/TransportError"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as net from "node:net"
import { failure, idle, makeClient, openIdle, recordEvents, settled, turn, turns, until } from "./support.js"

/** A server that breaks off where its script says so, and a client with one idle connection to it. */
const afterOneRequest = (replies: ReadonlyArray<Reply.Reply>) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({ replies: { "/first": Reply.text("first"), "/": replies } })
    const made = yield* makeClient()
    yield* made.client.get(`${server.url}/first`)
    yield* idle(made.pool, server, 1)
    const events = yield* recordEvents(made.pool)
    return { ...made, server, events, url: `${server.url}/` }
  })

const rawServer = (onConnection: (socket: net.Socket, connection: number) => void) =>
  Effect.gen(function*() {
    const sockets: Array<net.Socket> = []
    const server = yield* Effect.acquireRelease(
      Effect.async<net.Server>((resume) => {
        const server = net.createServer((socket) => {
          sockets.push(socket)
          socket.on("error", () => {})
          onConnection(socket, sockets.length)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => resume(Effect.void))
        })
    )
    return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`
  })

const readAll = (stream: Iterable<string>) => Stream.fromIterable(stream).pipe(Stream.encodeText)

describe("a connection that dies just when it is used again", () => {
  const retryable: Record<string, (url: string) => HttpClientRequest.HttpClientRequest> = {
    "GET": HttpClientRequest.get,
    "HEAD": HttpClientRequest.head,
    "DELETE": HttpClientRequest.del,
    "OPTIONS": HttpClientRequest.options,
    "PUT with text": (url) => HttpClientRequest.put(url).pipe(HttpClientRequest.bodyText("put")),
    "PUT with a form and a file": (url) => {
      const form = new FormData()
      form.append("file", new Blob(["contents"]), "a.txt")
      return HttpClientRequest.put(url).pipe(HttpClientRequest.bodyFormData(form))
    },
    "POST with Idempotency-Key": (url) =>
      HttpClientRequest.post(url).pipe(
        HttpClientRequest.setHeader("idempotency-key", "1"),
        HttpClientRequest.bodyText("post")
      )
  }
  for (const how of ["end", "reset"] as const) {
    for (const [name, request] of Object.entries(retryable)) {
      it.scoped(`${name} is sent again on another one (${how})`, () =>
        Effect.gen(function*() {
          const { client, events, pool, server, url } = yield* afterOneRequest([
            Reply.disconnect(how),
            Reply.text("second")
          ])
          const response = yield* client.execute(request(url))
          assert.strictEqual(response.status, 200)
          assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2, 1])
          const [, first, second] = yield* server.requests
          if (!name.includes("form")) assert.strictEqual(second.text, first.text)
          else assert.include(second.text, "contents")
          const seen = yield* events("Retried")
          assert.deepStrictEqual(seen.map((event) => event._tag === "Retried" && event.attempt), [2])
          // After HEAD a connection is never used again.
          yield* idle(pool, server, name === "HEAD" ? 0 : 1)
        }))
    }
  }

  for (const how of ["end", "reset"] as const) {
    it.scoped(`a stream that nothing was read of, for the server was asked first, is sent on another one (${how})`, () =>
      Effect.gen(function*() {
        const bodies: Array<string> = []
        // It ends its first connection at the head of the second request, without a word.
        const url = yield* rawServer((socket, connection) => {
          let text = ""
          let heads = 0
          socket.on("data", (bytes) => {
            text += bytes.toString("latin1")
            if (text.endsWith("\r\n0\r\n\r\n")) {
              bodies.push(text)
              socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            } else if (text.endsWith("\r\n\r\n")) {
              heads++
              const isAsked = text.includes("100-continue")
              text = ""
              if (connection === 1 && heads === 2) {
                if (how === "end") socket.end()
                else socket.resetAndDestroy()
                return
              }
              socket.write(isAsked ? "HTTP/1.1 100 Continue\r\n\r\n" : "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            }
          })
        })
        const { client, pool } = yield* makeClient()
        yield* client.get(url)
        yield* until(() => pool.unsafeStats().idle === 1)
        let opened = 0
        const body = Stream.suspend(() => {
          opened++
          return readAll(["a", "b"])
        })
        const response = yield* client.execute(
          HttpClientRequest.put(url).pipe(
            HttpClientRequest.bodyStream(body),
            HttpClientRequest.setHeader("expect", "100-continue")
          )
        )
        assert.strictEqual(response.status, 200)
        assert.strictEqual(opened, 1)
        assert.deepStrictEqual(bodies, ["1\r\na\r\n1\r\nb\r\n0\r\n\r\n"])
      }))
  }

  const refused: Record<string, (url: string) => HttpClientRequest.HttpClientRequest> = {
    "POST": (url) => HttpClientRequest.post(url).pipe(HttpClientRequest.bodyText("post")),
    "PATCH": (url) => HttpClientRequest.patch(url).pipe(HttpClientRequest.bodyText("patch")),
    "PUT with a stream": (url) => HttpClientRequest.put(url).pipe(HttpClientRequest.bodyStream(readAll(["a", "b"]))),
    "POST with Idempotency-Key and a stream": (url) =>
      HttpClientRequest.post(url).pipe(
        HttpClientRequest.setHeader("idempotency-key", "1"),
        HttpClientRequest.bodyStream(readAll(["a", "b"]))
      )
  }
  for (const [name, request] of Object.entries(refused)) {
    it.scoped(`${name} is not sent again`, () =>
      Effect.gen(function*() {
        const { client, events, pool, server, url } = yield* afterOneRequest([
          Reply.disconnect(),
          Reply.text("second")
        ])
        const error = yield* failure(client.execute(request(url)))
        assert.strictEqual(error._tag, "ReadError")
        assert.isTrue(error.written)
        assert.isFalse(error.safeToRetry)
        assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
        assert.lengthOf(yield* events("Retried"), 0)
        yield* idle(pool, server, 0)
      }))
  }

  it.scoped("nothing is sent again when it was the connection's first use", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.disconnect() } })
      const { client, pool } = yield* makeClient()
      const error = yield* failure(client.get(`${server.url}/`))
      assert.strictEqual(error._tag, "ReadError")
      assert.isTrue(error.safeToRetry)
      yield* idle(pool, server, 0)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1])
    }))

  it.scoped("nor when a byte of the response had come", () =>
    Effect.gen(function*() {
      for (const beginning of ["H", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\n"]) {
        for (const how of ["end", "reset"] as const) {
          const gate = yield* Gate.make
          const { client, server, url } = yield* afterOneRequest([
            Reply.raw([beginning, gate]),
            Reply.text("second")
          ])
          const request = yield* Effect.fork(failure(client.get(url)))
          yield* gate.awaitHeld(1)
          yield* turns(5)
          yield* server.destroyConnections(how)
          const error = yield* request
          assert.strictEqual(error._tag, "ReadError")
          assert.strictEqual(error.phase, "headers")
          assert.isTrue(error.safeToRetry)
          assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
        }
      }
    }))

  it.scoped("nor when the response broke off; that it is safe to is for the caller to know", () =>
    Effect.gen(function*() {
      const whole = Reply.text("a response")
      const broken = Reply.set(whole, { abrupt: { afterBytes: 3 } })
      const { client, events, server, url } = yield* afterOneRequest([broken, broken, broken, broken, whole])
      const read = (request: HttpClientRequest.HttpClientRequest) =>
        Effect.flatMap(client.execute(request), (response) => response.text)
      for (
        const [request, safeToRetry] of [
          [HttpClientRequest.get(url), true],
          [HttpClientRequest.post(url), false],
          [HttpClientRequest.post(url).pipe(HttpClientRequest.setHeader("idempotency-key", "1")), true]
        ] as const
      ) {
        const error = yield* failure(read(request))
        assert.deepInclude(error, { _tag: "ReadError", phase: "body", written: true, safeToRetry })
      }
      assert.lengthOf(yield* events("Retried"), 0)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2, 1, 1])
      const whileSafe = (error: unknown) =>
        Option.exists(TransportError.fromHttpClientError(error), (cause) => cause.safeToRetry)
      const retried = Effect.retry(read(HttpClientRequest.get(url)), { while: whileSafe, times: 1 })
      assert.strictEqual(yield* retried, "a response")
    }))

  it.scoped("it is sent at most three times, the last time on a new connection", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: { "/warm": Reply.text("warm", { hold: gate }), "/": Reply.disconnect() }
      })
      const { client, pool } = yield* makeClient()
      const events = yield* recordEvents(pool)
      yield* openIdle(client, pool, server, gate, "/warm", 4)
      assert.strictEqual((yield* failure(client.get(`${server.url}/`)))._tag, "ReadError")
      assert.deepStrictEqual([...(yield* server.stats).requestsPerConnection].sort(), [1, 1, 1, 2, 2])
      assert.lengthOf(yield* events("Retried"), 2)
      yield* idle(pool, server, 0)
    }))

  it.scoped("a server that ends all of its idle connections just when they are used loses nobody's GET", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: {
          "/warm": Reply.text("warm", { hold: gate }),
          "/": (request) => request.index > 0 ? Reply.disconnect() : Reply.text("ok")
        }
      })
      const { client, pool } = yield* makeClient()
      yield* openIdle(client, pool, server, gate, "/warm", 6)
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "ok")
      assert.deepStrictEqual([...(yield* server.stats).requestsPerConnection].sort(), [1, 1, 1, 1, 1, 2, 2])
      yield* idle(pool, server, 1)
    }))

  it.scoped("a server that closes every connection after its response, unannounced, loses nobody's GET", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok", { close: true }) } })
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 1 } })
      const get = Effect.flatMap(client.get(`${server.url}/`), (response) => response.text)
      const results = yield* Effect.all(Effect.replicate(get, 200))
      assert.deepStrictEqual(new Set(results), new Set(["ok"]))
      yield* idle(pool, server, 0)
    }))

  for (const maxConnections of [1, 5, 50]) {
    it.scoped(`nor of 200 at once over ${maxConnections}, which meet dying connections again and again`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies: { "/": Reply.text("ok", { close: true }) } })
        const { client, pool } = yield* makeClient({ limits: { maxConnections, maxKeepAliveConnections: Infinity } })
        const get = Effect.flatMap(client.get(`${server.url}/`), (response) => response.text)
        for (let round = 0; round < 3; round++) {
          const results = yield* Effect.all(Effect.replicate(get, 200), { concurrency: "unbounded" })
          assert.deepStrictEqual(new Set(results), new Set(["ok"]))
        }
        yield* idle(pool, server, 0)
        assert.isAtMost((yield* server.stats).maxOpenConnections, maxConnections)
      }))
  }

  it.scoped("a server that ends 50 idle connections when 200 requests come at once loses nobody's GET", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: { "/": (request) => request.index > 0 ? Reply.disconnect() : Reply.text("ok") }
      })
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 50, maxKeepAliveConnections: 50 } })
      const get = Effect.flatMap(client.get(`${server.url}/`), (response) => response.text)
      for (let round = 0; round < 3; round++) {
        const gate = yield* Gate.make
        yield* server.reply(`/warm${round}`, Reply.text("warm", { hold: gate }))
        yield* pool.evictIdle
        yield* idle(pool, server, 0)
        yield* openIdle(client, pool, server, gate, `/warm${round}`, 50)
        const results = yield* Effect.all(Effect.replicate(get, 200), { concurrency: "unbounded" })
        assert.deepStrictEqual(new Set(results), new Set(["ok"]))
      }
      yield* settled(pool)
    }))
})

describe("an idle connection is always being read", () => {
  it.scoped("its end is noticed at once, and the connection is out of the pool", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok", { hold: gate }) } })
      const { client, pool } = yield* makeClient()
      const events = yield* recordEvents(pool)
      yield* openIdle(client, pool, server, gate, "/", 3)
      assert.strictEqual(yield* server.closeIdleConnections, 3)
      yield* until(() => pool.unsafeStats().open === 0)
      const closed = yield* events("Closed")
      assert.deepStrictEqual(closed.map((event) => event._tag === "Closed" && event.reason), [
        "ClosedByPeer",
        "ClosedByPeer",
        "ClosedByPeer"
      ])
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "ok")
      assert.lengthOf(yield* events("Retried"), 0)
    }))

  it.scoped("so is its reset", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok") } })
      const { client, pool } = yield* makeClient()
      yield* client.get(`${server.url}/`)
      yield* idle(pool, server, 1)
      yield* server.destroyConnections("reset")
      yield* until(() => pool.unsafeStats().open === 0)
    }))

  it.scoped("bytes that nobody asked for close it and are no response", () =>
    Effect.gen(function*() {
      const poison = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
      for (const bytes of [poison, "\r\n", "x"]) {
        const server = yield* TestServer.make({ replies: { "/": Reply.text("mine") } })
        const { client, pool } = yield* makeClient()
        yield* client.get(`${server.url}/`)
        yield* idle(pool, server, 1)
        assert.strictEqual(yield* server.writeUnasked(bytes), 1)
        yield* until(() => pool.unsafeStats().open === 0)
        assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "mine")
        assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1, 1])
      }
    }))

  // A request is written at the end of the turn, when what had arrived by then has been read.
  const before: Record<string, (server: TestServer.TestServer) => Effect.Effect<number>> = {
    "a response that nobody asked for": (server) =>
      server.writeUnasked("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"),
    "a byte": (server) => server.writeUnasked("H"),
    "the end": (server) => server.closeIdleConnections,
    "a reset": (server) => server.destroyConnections("reset")
  }
  for (const [what, comes] of Object.entries(before)) {
    it.scoped(`${what} that has come when a request begins is seen before it is sent: it goes over another connection`, () =>
      Effect.gen(function*() {
        const { client, events, pool, server, url } = yield* afterOneRequest([Reply.text("mine"), Reply.text("mine")])
        for (let i = 1; i <= 2; i++) {
          yield* turn
          assert.strictEqual(yield* comes(server), 1)
          const post = HttpClientRequest.post(url).pipe(HttpClientRequest.bodyText("post"))
          assert.strictEqual(yield* (yield* client.execute(post)).text, "mine")
          yield* idle(pool, server, 1)
          assert.lengthOf(yield* events("Retried"), i)
        }
        assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1, 1, 1])
      }))
  }
})

describe("what is not wanted any more", () => {
  it.scoped("a request that waits for its response: the connection is closed", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.never } })
      const { client, pool } = yield* makeClient()
      const fiber = yield* Effect.fork(client.get(`${server.url}/`))
      yield* server.awaitRequest((request) => request.complete)
      yield* Fiber.interrupt(fiber)
      yield* idle(pool, server, 0)
    }))

  it.scoped("a body that is being read: the connection is closed", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.chunks(["a", gate, "b"]) } })
      const { client, pool } = yield* makeClient({ maxDiscardedBody: 0 })
      const response = yield* client.get(`${server.url}/`)
      const fiber = yield* Effect.fork(response.text)
      yield* turns(3)
      yield* Fiber.interrupt(fiber)
      const error = yield* failure(response.text)
      assert.strictEqual(error._tag, "BodyAbandoned")
      assert.strictEqual((error as any).reason, "Cancelled")
      yield* gate.open
      yield* idle(pool, server, 0)
    }))

  it.scoped("a position in the queue: the next one gets the connection", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok", { hold: gate }) } })
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 1 } })
      const fibers = yield* Effect.all(Effect.replicate(Effect.fork(client.get(`${server.url}/`)), 3))
      yield* until(() => pool.unsafeStats().waiting === 2)
      yield* gate.awaitHeld(1)
      yield* Fiber.interrupt(fibers[1])
      assert.strictEqual(pool.unsafeStats().waiting, 1)
      yield* gate.open
      yield* fibers[0]
      yield* fibers[2]
      yield* idle(pool, server, 1)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
    }))

  it.effect("a pool that is closed during a body: a read error that says so, and no socket left", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { "/": Reply.chunks(["a", gate, "b"]) } })
      const reading = yield* Effect.scoped(Effect.gen(function*() {
        const { client } = yield* makeClient()
        const response = yield* client.get(`${server.url}/`)
        return yield* Effect.fork(failure(response.text))
      }))
      const error = yield* reading
      assert.strictEqual(error._tag, "ReadError")
      assert.strictEqual((error as any).reason, "PoolClosed")
      yield* server.awaitStats((stats) => stats.openConnections === 0)
    }).pipe(Effect.scoped))

  it.effect("a pool that is closed while a request waits for its response: likewise, and it is not sent again", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok"), "/never": Reply.never } })
      const waiting = yield* Effect.scoped(Effect.gen(function*() {
        const { client } = yield* makeClient()
        yield* client.get(`${server.url}/`)
        const fiber = yield* Effect.forkDaemon(failure(client.get(`${server.url}/never`)))
        yield* server.awaitRequest((request) => request.path === "/never")
        return fiber
      }))
      const error = yield* Fiber.join(waiting)
      assert.strictEqual(error._tag, "ReadError")
      assert.strictEqual((error as any).reason, "PoolClosed")
      yield* server.awaitStats((stats) => stats.openConnections === 0)
    }).pipe(Effect.scoped))
})
