import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import * as Tunnel from "@sluice/core/Tunnel"
import { Frame, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { createHash } from "node:crypto"
import * as http from "node:http"
import type { AddressInfo, Server } from "node:net"
import type { Duplex } from "node:stream"
import { startPeer } from "../http2/support.js"
import { idle, makeClient, turns, until } from "./support.js"

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (stream: Tunnel.Tunnel["stream"]) => Stream.mkString(Stream.decodeText(stream))

/** The next bytes, as many as that. */
const read = (tunnel: Tunnel.Tunnel, length: number): Effect.Effect<Buffer, unknown> =>
  Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let size = 0
    const enough = Stream.takeUntil(tunnel.stream, (part) => {
      parts.push(part)
      size += part.length
      return size >= length
    })
    return Effect.map(Stream.runDrain(enough), () => Buffer.concat(parts))
  })

const make = (options: Parameters<typeof makeClient>[0] = {}) =>
  Effect.map(makeClient(options), (made) => {
    const here = Effect.provideService(ConnectionPool.ConnectionPool, made.pool)
    return {
      ...made,
      upgrade: (url: string, headers: Record<string, string> = { upgrade: "echo" }) =>
        here(Tunnel.upgrade(HttpClientRequest.get(url, { headers }))),
      connect: (proxy: string, authority: string) => here(Tunnel.connect(HttpClientRequest.get(proxy), authority))
    }
  })

const host = (url: string) => new URL(url).host

/** A server of Node's own, closed with all of its connections when the test ends. */
const listening = <S extends Server>(server: S) =>
  Effect.acquireRelease(
    Effect.async<S & { readonly url: string; readonly sockets: Set<Duplex> }>((resume) => {
      const sockets = new Set<Duplex>()
      server.on("connection", (socket) => {
        sockets.add(socket)
        socket.on("error", () => {})
        socket.on("close", () => sockets.delete(socket))
      })
      server.listen(0, "127.0.0.1", () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        resume(Effect.succeed(Object.assign(server, { url, sockets })))
      })
    }),
    (server) =>
      Effect.sync(() => {
        for (const socket of server.sockets) socket.destroy()
        server.close()
      })
  )

const switching = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"

/** A server that switches, and what it does then. */
const switchingServer = (use: (socket: Duplex) => void) => {
  const server = http.createServer()
  server.on("upgrade", (_request, socket) => {
    socket.on("error", () => {})
    socket.write(switching)
    use(socket)
  })
  return listening(server)
}

describe("An upgrade", () => {
  it.scoped("goes on with the bytes that came with the response, and those that come after it", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.tunnel({ status: 101, first: "first " }) } })
      const { pool, upgrade } = yield* make()
      yield* Effect.scoped(Effect.gen(function*() {
        const tunnel = yield* upgrade(`${server.url}/`)
        assert.strictEqual(tunnel.response.status, 101)
        assert.strictEqual(tunnel.response.headers["upgrade"], "echo")
        yield* tunnel.write(bytes("echoed"))
        assert.strictEqual((yield* read(tunnel, 12)).toString(), "first echoed")
        const { active, permitsFree } = pool.unsafeStats()
        assert.deepStrictEqual({ active, permitsFree }, { active: 1, permitsFree: 99 })
      }))
      // Its connection is closed, and nobody else is given it.
      yield* idle(pool, server, 0)
      const [request] = yield* server.requests
      assert.strictEqual(request.header("connection"), "upgrade")
    }))

  it.scoped("is WebSocket's: the handshake, a masked frame, and its echo", () =>
    Effect.gen(function*() {
      const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
      const acceptOf = (key: string) => createHash("sha1").update(key + magic).digest("base64")
      const server = http.createServer()
      server.on("upgrade", (request, socket) => {
        const accept = acceptOf(request.headers["sec-websocket-key"] as string)
        socket.write(
          switching.replace("echo", "websocket").replace("\r\n\r\n", `\r\nsec-websocket-accept: ${accept}\r\n\r\n`)
        )
        socket.on("data", (frame: Buffer) => {
          const mask = frame.subarray(2, 6)
          const payload = Buffer.from(frame.subarray(6).map((byte, n) => byte ^ mask[n % 4]))
          socket.write(Buffer.concat([Buffer.from([frame[0], payload.length]), payload]))
        })
      })
      const { url } = yield* listening(server)
      const { upgrade } = yield* make()
      const key = Buffer.from("0123456789abcdef").toString("base64")
      const tunnel = yield* upgrade(url, {
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": key
      })
      assert.strictEqual(tunnel.response.headers["sec-websocket-accept"], acceptOf(key))
      const payload = Buffer.from("hello")
      const mask = Buffer.from([1, 2, 3, 4])
      yield* tunnel.write(
        Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload.map((byte, n) => byte ^ mask[n % 4])])
      )
      assert.deepStrictEqual([...yield* read(tunnel, 7)], [0x81, 5, ...payload])
    }))

  it.scoped("works over TLS", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ tls: true, replies: { "/": Reply.tunnel({ status: 101 }) } })
      const { upgrade } = yield* make({ tls: { ca: server.ca } })
      const tunnel = yield* upgrade(`${server.url}/`)
      yield* tunnel.write(bytes("secret"))
      assert.strictEqual((yield* read(tunnel, 6)).toString(), "secret")
    }))

  it.scoped("each side ends by itself", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const server = yield* switchingServer((socket) => {
        // It ends first, and goes on to read.
        socket.end("all that I have")
        socket.on("data", (bytes) => seen.push(String(bytes)))
        socket.on("end", () => seen.push("end"))
      })
      const { pool, upgrade } = yield* make()
      yield* Effect.scoped(Effect.gen(function*() {
        const tunnel = yield* upgrade(server.url)
        assert.strictEqual(yield* text(tunnel.stream), "all that I have")
        yield* turns(10)
        yield* tunnel.write(bytes("still here"))
        yield* until(() => seen.length > 0)
        yield* tunnel.end
        yield* until(() => seen.length > 1)
        assert.deepStrictEqual(seen, ["still here", "end"])
        assert.strictEqual(yield* text(tunnel.stream), "")
        assert.strictEqual((yield* Effect.flip(tunnel.write(bytes("late"))))._tag, "WriteError")
      }))
      yield* until(() => pool.unsafeStats().open === 0 && pool.unsafeStats().leases === 0)
    }))

  it.scoped("the end of ours loses nothing that was written, however slow the other side", () =>
    Effect.gen(function*() {
      let received = 0
      let ended = false
      const server = yield* switchingServer((socket) => {
        socket.on("data", (part: Buffer) => void (received += part.length))
        socket.pause()
        // Everything has been written by then, as far as there is room.
        setTimeout(() => socket.resume(), 20)
        socket.on("end", () => {
          ended = true
        })
      })
      const { upgrade } = yield* make()
      yield* Effect.scoped(Effect.gen(function*() {
        const tunnel = yield* upgrade(server.url)
        yield* tunnel.write(new Uint8Array(5_000_000))
        yield* tunnel.end
      }))
      yield* until(() => ended)
      assert.strictEqual(received, 5_000_000)
    }))

  it.scoped("waits for a slow reader, and for a slow server as long as the timeout for writing says", () =>
    Effect.gen(function*() {
      let taken = 0
      const part = Buffer.alloc(64 * 1024)
      const server = yield* switchingServer((socket) => {
        socket.pause()
        const send = () => {
          while (taken < 64 << 20) {
            taken += part.length
            if (!socket.write(part)) return void socket.once("drain", send)
          }
          socket.end()
        }
        send()
      })
      const { pool, upgrade } = yield* make()
      const tunnel = yield* upgrade(server.url)
      let before = -1
      while (before !== taken) {
        before = taken
        yield* turns(200)
      }
      assert.isBelow(taken, 32 << 20)
      const size = yield* Stream.runFold(tunnel.stream, 0, (sum, part) => sum + part.length)
      assert.strictEqual(size, 64 << 20)
      // It reads nothing at all.
      const writing = yield* Effect.fork(Effect.flip(tunnel.write(new Uint8Array(64 << 20))))
      yield* turns(200)
      yield* TestClock.adjust("29900 millis")
      assert.isNull(writing.unsafePoll())
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(writing))._tag, "WriteTimeout")
      yield* until(() => pool.unsafeStats().open === 0)
    }))

  it.scoped("may be silent for a day, and fails when the connection breaks", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.tunnel({ status: 101 }) } })
      const { pool, upgrade } = yield* make({ timeouts: { total: "1 minute" } })
      const tunnel = yield* upgrade(`${server.url}/`)
      yield* TestClock.adjust("1 day")
      yield* tunnel.write(bytes("awake"))
      assert.strictEqual((yield* read(tunnel, 5)).toString(), "awake")
      const reading = yield* Effect.fork(Effect.flip(Stream.runDrain(tunnel.stream)))
      yield* turns(2)
      yield* server.destroyConnections("reset")
      const error = yield* Fiber.join(reading)
      assert.strictEqual(error._tag, "ReadError")
      assert.strictEqual((yield* Effect.flip(tunnel.write(bytes("late"))))._tag, "ReadError")
      yield* idle(pool, server, 0)
    }))

  it.scoped("that is refused gives the response as any other, and its connection carries nothing more", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("no chat here", { status: 426 }) } })
      const { client, pool, upgrade } = yield* make()
      const refused = yield* Effect.flip(Effect.scoped(upgrade(`${server.url}/`)))
      if (refused._tag !== "TunnelRefused") return assert.fail(refused.message)
      assert.strictEqual(refused.message, `${server.url} opened no tunnel: it responded to GET with status 426`)
      assert.strictEqual(yield* refused.response.text, "no chat here")
      yield* (yield* client.get(`${server.url}/`)).text
      yield* idle(pool, server, 1)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1, 1])
    }))

  it.scoped("interrupted after any of its first turns, or ended with the pool, leaves nothing", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.tunnel({ status: 101, first: "first" }) } })
      const { pool, upgrade } = yield* make()
      for (let after = 0; after < 40; after++) {
        const using = yield* Effect.fork(Effect.scoped(
          Effect.flatMap(
            upgrade(`${server.url}/`),
            (tunnel) => Effect.zipRight(tunnel.write(new Uint8Array(100_000)), Effect.never)
          )
        ))
        yield* turns(after)
        yield* Fiber.interrupt(using)
        yield* idle(pool, server, 0)
      }
      const scope = yield* Scope.make()
      const closing = yield* Scope.extend(make(), scope)
      const tunnel = yield* closing.upgrade(`${server.url}/`)
      const reading = yield* Effect.fork(Effect.flip(Stream.runDrain(tunnel.stream)))
      yield* turns(2)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Fiber.join(reading)
      assert.deepInclude(error, { _tag: "ReadError", reason: "PoolClosed" })
      yield* server.awaitStats(({ openConnections }) => openConnections === 0)
    }))

  it.scoped("holds its permit, and gives back a stream slot and not a connection", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: { "/": Reply.tunnel({ status: 101 }), "/other": Reply.text("other") }
      })
      const { client, pool, upgrade } = yield* make({ limits: { maxConnections: 1 } })
      const scope = yield* Scope.make()
      yield* Scope.extend(upgrade(`${server.url}/`), scope)
      const other = yield* Effect.fork(Effect.flatMap(client.get(`${server.url}/other`), (response) => response.text))
      yield* turns(5)
      assert.strictEqual(pool.unsafeStats().waiting, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(other), "other")
      const stats = yield* server.stats
      assert.deepStrictEqual([stats.requestsPerConnection, stats.maxOpenConnections], [[1, 1], 1])
    }))

  it.scoped("over HTTP/2 is an error that says what to do", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ http2: true, replies: { "/": Reply.text("plain") } })
      const { pool, upgrade } = yield* make({ http2: "prior-knowledge" })
      const error = yield* Effect.flip(Effect.scoped(upgrade(`${server.url}/`)))
      assert.deepInclude(error, { _tag: "LocalProtocolError", reason: "NotSupported" })
      assert.match(error.message, /http2: false/)
      yield* idle(pool, server, 1)
      assert.lengthOf(yield* server.requests, 0)
    }))
})

for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
  const isHttp2 = protocol === "HTTP/2"

  describe(`CONNECT over ${protocol}`, () => {
    /** A server, and a proxy that leads to it. */
    const start = Effect.gen(function*() {
      const target = yield* TestServer.make({ replies: { "/": Reply.text("through the tunnel") } })
      const { hostname, port } = new URL(target.url)
      const proxy = yield* TestServer.make({
        http2: isHttp2,
        replies: {
          "CONNECT *": Reply.tunnel({ to: { host: hostname, port: Number(port) } }),
          "/": Reply.text("beside it")
        }
      })
      return { target, proxy, ...(yield* make({ http2: isHttp2 ? "prior-knowledge" : false })) }
    })

    it.scoped("reaches the other side, and ends with the Scope", () =>
      Effect.gen(function*() {
        const { client, connect, pool, proxy, target } = yield* start
        const authority = host(target.url)
        yield* Effect.scoped(Effect.gen(function*() {
          const tunnel = yield* connect(proxy.url.replace("//", "//me:secret@"), authority)
          assert.strictEqual(tunnel.response.status, 200)
          const { protocol } = Option.getOrThrow(PooledHttpClient.connectionInfo(tunnel.response))
          assert.strictEqual(protocol, isHttp2 ? "h2" : "http/1.1")
          yield* tunnel.write(bytes(`GET / HTTP/1.1\r\nhost: ${authority}\r\nconnection: close\r\n\r\n`))
          assert.match(yield* text(tunnel.stream), /^HTTP\/1\.1 200 OK\r\n[^]*through the tunnel$/)
          assert.strictEqual(pool.unsafeStats().leases, 1)
          assert.strictEqual(yield* (yield* client.get(`${proxy.url}/`)).text, "beside it")
        }))
        // Of HTTP/2 the connection goes on, of HTTP/1.1 there were two.
        yield* idle(pool, proxy, 1)
        assert.strictEqual((yield* proxy.stats).connectionsOpened, isHttp2 ? 1 : 2)
        yield* target.awaitStats(({ openConnections }) => openConnections === 0)
        const [request] = yield* proxy.requests
        assert.deepStrictEqual([request.method, request.target], ["CONNECT", authority])
        assert.strictEqual(request.header("proxy-authorization"), `Basic ${btoa("me:secret")}`)
        assert.strictEqual(request.header("authorization"), undefined)
        if (isHttp2) {
          const pseudo = request.headers.filter(([name]) => name.startsWith(":"))
          assert.deepStrictEqual(pseudo, [[":method", "CONNECT"], [":authority", authority]])
        } else {
          assert.strictEqual(request.header("host"), authority)
        }
      }))

    it.scoped("carries megabytes both ways at once", () =>
      Effect.gen(function*() {
        const proxy = yield* TestServer.make({ http2: isHttp2, replies: { "CONNECT *": Reply.tunnel() } })
        const { connect, pool } = yield* make({ http2: isHttp2 ? "prior-knowledge" : false })
        const size = 8 << 20
        const sent = Buffer.alloc(size).map((_, n) => n % 251)
        yield* Effect.scoped(Effect.gen(function*() {
          const tunnel = yield* connect(proxy.url, "echo.test:7")
          const writing = yield* Effect.fork(tunnel.write(sent))
          assert.isTrue((yield* read(tunnel, size)).equals(sent))
          yield* Fiber.join(writing)
        }))
        yield* idle(pool, proxy, isHttp2 ? 1 : 0)
      }))

    it.scoped("interrupted after any of its first turns, or ended with the pool, leaves nothing open", () =>
      Effect.gen(function*() {
        const { connect, pool, proxy, target } = yield* start
        const uses = Effect.scoped(
          Effect.flatMap(
            connect(proxy.url, host(target.url)),
            (tunnel) => Effect.zipRight(tunnel.write(new Uint8Array(100_000)), Effect.never)
          )
        )
        for (let after = 0; after < 30; after++) {
          const using = yield* Effect.fork(uses)
          yield* turns(after)
          yield* Fiber.interrupt(using)
          yield* until(() => pool.unsafeStats().leases === 0)
          yield* proxy.awaitStats(({ activeRequests }) => activeRequests === 0)
          yield* target.awaitStats(({ openConnections }) => openConnections === 0)
        }
        const scope = yield* Scope.make()
        const closing = yield* Scope.extend(make({ http2: isHttp2 ? "prior-knowledge" : false }), scope)
        const tunnel = yield* Scope.extend(closing.connect(proxy.url, host(target.url)), scope)
        const reading = yield* Effect.fork(Effect.exit(Stream.runDrain(tunnel.stream)))
        yield* turns(2)
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(Exit.isFailure(yield* Fiber.join(reading)))
        assert.strictEqual(closing.pool.unsafeStats().open, 0)
        yield* target.awaitStats(({ openConnections }) => openConnections === 0)
      }))

    it.scoped("refused with 407 gives the response; over HTTP/1.1 its connection carries nothing more", () =>
      Effect.gen(function*() {
        const refusal = Reply.text("who are you?", { status: 407, headers: { "proxy-authenticate": "Basic" } })
        const proxy = yield* TestServer.make({ http2: isHttp2, replies: { "CONNECT *": refusal } })
        const { connect, pool } = yield* make({ http2: isHttp2 ? "prior-knowledge" : false })
        for (const _ of [1, 2]) {
          const refused = yield* Effect.flip(Effect.scoped(connect(proxy.url, "a.test:1")))
          if (refused._tag !== "TunnelRefused") return assert.fail(refused.message)
          assert.strictEqual(refused.response.headers["proxy-authenticate"], "Basic")
          assert.strictEqual(yield* refused.response.text, "who are you?")
        }
        yield* idle(pool, proxy, isHttp2 ? 1 : 0)
        assert.deepStrictEqual((yield* proxy.stats).requestsPerConnection, isHttp2 ? [2] : [1, 1])
      }))

    it.scoped("to what is no host with a port is not sent", () =>
      Effect.gen(function*() {
        const { connect, proxy } = yield* start
        for (const authority of ["", "a.test", "a.test:1/path", "a.test:1\r\nx: y", "user@a.test:1"]) {
          const error = yield* Effect.flip(Effect.scoped(connect(proxy.url, authority)))
          assert.deepInclude(error, { _tag: "LocalProtocolError", reason: "InvalidTarget" }, authority)
        }
        assert.lengthOf(yield* proxy.requests, 0)
      }))
  })
}

describe("A tunnel on a stream of HTTP/2", () => {
  const open = Effect.gen(function*() {
    const { peer, pool } = yield* startPeer()
    const scope = yield* Scope.make()
    const opening = yield* Effect.fork(
      Tunnel.connect(HttpClientRequest.get(peer.url), "a.test:1").pipe(
        Effect.provideService(ConnectionPool.ConnectionPool, pool),
        Scope.extend(scope)
      )
    )
    const far = yield* peer.accept
    const { endStream, streamId } = yield* far.take("Headers")
    assert.isFalse(endStream)
    yield* far.send(Frame.headers(streamId, [[":status", "200"]]))
    return { far, pool, streamId, tunnel: yield* Fiber.join(opening), close: Scope.close(scope, Exit.void) }
  })

  it.scoped("each side ends by itself, with END_STREAM", () =>
    Effect.gen(function*() {
      const { close, far, pool, streamId, tunnel } = yield* open
      yield* far.send(Frame.data(streamId, "all", { endStream: true }))
      assert.strictEqual(yield* text(tunnel.stream), "all")
      yield* tunnel.write(bytes("more"))
      assert.strictEqual(Buffer.from((yield* far.take("Data")).data).toString(), "more")
      yield* tunnel.end
      assert.isTrue((yield* far.take("Data")).endStream)
      yield* close
      yield* until(() => pool.unsafeStats().idle === 1)
    }))

  it.scoped("is reset when the Scope ends, and the connection goes on", () =>
    Effect.gen(function*() {
      const { close, far, pool, tunnel } = yield* open
      const reading = yield* Effect.fork(Effect.flip(Stream.runDrain(tunnel.stream)))
      yield* turns(2)
      yield* close
      assert.deepInclude(yield* far.take("RstStream"), { code: 8 })
      assert.deepInclude(yield* Fiber.join(reading), { _tag: "BodyAbandoned", reason: "ScopeClosed" })
      yield* until(() => pool.unsafeStats().idle === 1)
    }))

  it.scoped("that the server resets fails, and the connection goes on", () =>
    Effect.gen(function*() {
      const { close, far, pool, streamId, tunnel } = yield* open
      yield* far.send(Frame.rstStream(streamId, 10))
      const error = yield* Effect.flip(Stream.runDrain(tunnel.stream))
      assert.deepInclude(error, { _tag: "StreamReset", code: "CONNECT_ERROR" })
      yield* close
      yield* until(() => pool.unsafeStats().idle === 1)
    }))
})
