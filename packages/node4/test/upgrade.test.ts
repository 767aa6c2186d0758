import * as PooledHttpClient from "@sluice/core4/PooledHttpClient"
import * as TransportError from "@sluice/core4/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import * as http from "node:http"
import * as http2 from "node:http2"
import type * as net from "node:net"
import type { Duplex } from "node:stream"
import { assert, describe } from "vitest"
import { effect, live, until } from "./support/it.js"
import { atRest, build, listening, text } from "./support/world.js"

const switching = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"

/** A server that switches, and what it does then. What does not ask to switch gets its path back. */
const switchingServer = (use: (socket: Duplex, request: http.IncomingMessage) => void) =>
  listening(() => {
    const server = http.createServer((request, response) => {
      response.end(request.url)
    })
    const sockets = new Set<Duplex>()
    server.on("upgrade", (request, socket, head) => {
      sockets.add(socket)
      socket.on("error", () => {})
      // Node reads no body of such a request: it comes with what follows it.
      if (head.length > 0) socket.unshift(head)
      if (request.url === "/refused") {
        socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 7\r\nconnection: close\r\n\r\nnot you")
      } else {
        socket.write(switching)
        use(socket, request)
      }
    })
    server.on("close", () => sockets.forEach((socket) => socket.destroy()))
    const close = server.close.bind(server)
    return Object.assign(server, {
      close: () => {
        sockets.forEach((socket) => socket.destroy())
        return close()
      }
    })
  })

const reset = (socket: Duplex | undefined) => (socket as net.Socket).resetAndDestroy()

const echo = (socket: Duplex) => void socket.pipe(socket)

const asking = (url: string) => HttpClientRequest.get(url).pipe(HttpClientRequest.upgrade("echo"))

const reasonOf = (error: Socket.SocketError) =>
  Socket.isSocketError(error) && error.reason._tag === "SocketCloseError"
    ? `closed ${error.reason.code}`
    : error.reason._tag

/** Reads until so many bytes are there. */
const read = (pull: Socket.Reader["pull"], length: number) =>
  Effect.gen(function*() {
    let got = ""
    while (got.length < length) {
      for (const chunk of yield* pull) got += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()
    }
    return got
  })

describe("response.upgrade", () => {
  live(
    "hands over the connection: the bytes that came with the response first, then both ways",
    () =>
      Effect.gen(function*() {
        const url = yield* switchingServer((socket, request) => {
          socket.write(`hello ${request.url};`)
          echo(socket)
        })
        const { client, pool } = yield* build()
        const response = yield* client.execute(asking(`${url}/a`))
        assert.strictEqual(response.status, 101)
        assert.strictEqual(yield* response.text, "")
        const socket = yield* response.upgrade
        yield* Effect.scoped(Effect.gen(function*() {
          const { pull, upgrade } = yield* socket.reader
          const { write, writeAll } = yield* socket.writer
          assert.strictEqual(yield* read(pull, 9), "hello /a;")
          yield* write("one ")
          yield* writeAll([new TextEncoder().encode("two "), "three"])
          assert.strictEqual(yield* read(pull, 13), "one two three")
          assert.strictEqual((yield* Effect.flip(upgrade())).reason._tag, "SocketUpgradeError")
          assert.strictEqual(pool.unsafeStats().leases, 1)
        }))
        yield* until(() => pool.unsafeStats().open === 0)
      })
  )

  live(
    "each side ends by itself: the writer's Scope ours, and the other's is a close with code 1000",
    () =>
      Effect.gen(function*() {
        const url = yield* switchingServer((socket) => {
          let said = ""
          socket.on("data", (chunk) => said += chunk)
          socket.on("end", () => socket.end(`you said ${said}`))
        })
        const { client, pool } = yield* build()
        yield* Effect.scoped(Effect.gen(function*() {
          const socket = yield* Effect.flatMap(client.execute(asking(url)), (response) => response.upgrade)
          const { pull } = yield* socket.reader
          yield* Effect.scoped(Effect.flatMap(socket.writer, ({ write }) => write("this")))
          assert.strictEqual(yield* read(pull, 13), "you said this")
          assert.strictEqual(reasonOf(yield* Effect.flip(pull)), "closed 1000")
          const late = yield* Effect.scoped(Effect.flatMap(socket.writer, ({ write }) => Effect.flip(write("more"))))
          assert.strictEqual(reasonOf(late), "SocketWriteError")
        }))
        yield* atRest(pool)
      })
  )

  live(
    "the end of the reader's Scope fails a pull that waits, and loses nothing that was written",
    () =>
      Effect.gen(function*() {
        const size = 4 * 1024 * 1024
        let received = 0
        let ended = false
        const url = yield* switchingServer((socket) => {
          socket.on("data", (chunk) => received += chunk.length)
          socket.on("end", () => ended = true)
        })
        const { client, pool } = yield* build()
        const socket = yield* Effect.flatMap(client.execute(asking(url)), (response) => response.upgrade)
        const scope = yield* Scope.make()
        const { pull } = yield* Scope.provide(socket.reader, scope)
        const reading = yield* Effect.forkChild(Effect.flip(pull))
        const writer = yield* Scope.provide(socket.writer, scope)
        yield* writer.write(new Uint8Array(size))
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(reasonOf(yield* Fiber.join(reading)), "closed 1006")
        yield* until(() => ended)
        assert.strictEqual(received, size)
        yield* atRest(pool)
        assert.strictEqual(reasonOf(yield* Effect.flip(Effect.scoped(socket.reader))), "closed 1006")
      })
  )

  live("is what Effect's own channels and readers take", () =>
    Effect.gen(function*() {
      const url = yield* switchingServer((socket) => {
        socket.on("data", (chunk) => socket.write(`${chunk}`.toUpperCase()))
        socket.on("end", () => socket.end())
      })
      const { client } = yield* build()
      const open = Effect.flatMap(client.execute(asking(url)), (response) => response.upgrade)
      const piped = yield* Stream.make("grüße").pipe(
        Stream.encodeText,
        Stream.pipeThroughChannel(Socket.toChannel(yield* open)),
        Stream.decodeText,
        Stream.mkString,
        Effect.catchTag("SocketError", (error) => Effect.succeed(reasonOf(error)))
      )
      assert.include(["GRÜSSE", "closed 1000"], piped)
      const line = yield* Effect.scoped(Effect.gen(function*() {
        const socket = yield* open
        const pull = yield* Socket.readerString(socket)
        yield* (yield* socket.writer).write("quiet")
        return (yield* pull).join("")
      }))
      assert.strictEqual(line, "QUIET")
    }))

  live("a CloseEvent closes with its code", () =>
    Effect.gen(function*() {
      const url = yield* switchingServer(echo)
      const { client, pool } = yield* build()
      yield* Effect.scoped(Effect.gen(function*() {
        const socket = yield* Effect.flatMap(client.execute(asking(url)), (response) => response.upgrade)
        const { pull } = yield* socket.reader
        const { write } = yield* socket.writer
        yield* write(new Socket.CloseEvent(4001, "enough"))
        assert.strictEqual(reasonOf(yield* Effect.flip(pull)), "closed 4001")
      }))
      yield* atRest(pool)
    }))

  live(
    "that breaks off fails the reader with the transport's error, and one that broke before cannot be opened",
    () =>
      Effect.gen(function*() {
        let other: Duplex | undefined
        const url = yield* switchingServer((socket) => other = socket)
        const { client, pool } = yield* build()
        yield* Effect.scoped(Effect.gen(function*() {
          const socket = yield* Effect.flatMap(client.execute(asking(url)), (response) => response.upgrade)
          const { pull } = yield* socket.reader
          const reading = yield* Effect.forkChild(Effect.flip(pull))
          yield* until(() => other !== undefined)
          reset(other)
          const { reason } = yield* Fiber.join(reading)
          assert.isTrue(reason._tag === "SocketReadError" && TransportError.isTransportError(reason.cause))
        }))
        yield* atRest(pool)
        other = undefined
        const socket = yield* Effect.flatMap(client.execute(asking(url)), (response) => response.upgrade)
        yield* until(() => other !== undefined)
        reset(other)
        yield* atRest(pool)
        assert.strictEqual(reasonOf(yield* Effect.flip(Effect.scoped(socket.reader))), "SocketOpenError")
      })
  )

  live("refused it is a response as any other", () =>
    Effect.gen(function*() {
      const url = yield* switchingServer(echo)
      const { client, pool } = yield* build()
      const response = yield* client.execute(asking(`${url}/refused`))
      assert.strictEqual(response.status, 403)
      const error = yield* Effect.flip(response.upgrade)
      assert.strictEqual(error.reason._tag, "StatusCodeError")
      assert.strictEqual(yield* response.text, "not you")
      const plain = yield* client.get(`${url}/plain`)
      assert.strictEqual((yield* Effect.flip(plain.upgrade)).reason._tag, "StatusCodeError")
      assert.strictEqual(yield* plain.text, "/plain")
      yield* atRest(pool)
    }))

  live("comes through mappers, wrappers and decoding, with a body in the request", () =>
    Effect.gen(function*() {
      let body = ""
      const url = yield* switchingServer((socket, request) => {
        assert.strictEqual(request.headers["x-mapped"], "yes")
        let rest = Number(request.headers["content-length"] ?? 0)
        socket.on("data", (chunk: Buffer) => {
          body += chunk.subarray(0, rest).toString()
          if (rest < chunk.length) socket.write(chunk.subarray(rest))
          rest = Math.max(0, rest - chunk.length)
        })
      })
      const { client, pool } = yield* build({ decompress: true, redirects: true, retry: true })
      const mapped = client.pipe(
        HttpClient.mapRequest(HttpClientRequest.setHeader("x-mapped", "yes")),
        HttpClient.mapRequest(HttpClientRequest.prependUrl(url))
      )
      const request = HttpClientRequest.post("/attach").pipe(
        HttpClientRequest.upgrade("tcp"),
        HttpClientRequest.bodyText("given")
      )
      yield* Effect.scoped(Effect.gen(function*() {
        const socket = yield* Effect.flatMap(mapped.execute(request), (response) => response.upgrade)
        const { pull } = yield* socket.reader
        yield* (yield* socket.writer).write("after")
        assert.strictEqual(yield* read(pull, 5), "after")
        assert.strictEqual(body, "given")
      }))
      yield* atRest(pool)
    }))

  live("before the body of the request has been sent is against the protocol", () =>
    Effect.gen(function*() {
      const url = yield* switchingServer(echo)
      const { client, pool } = yield* build()
      const body = Stream.make(new Uint8Array(8)).pipe(Stream.concat(Stream.never))
      const request = HttpClientRequest.post(url).pipe(
        HttpClientRequest.upgrade("tcp"),
        HttpClientRequest.bodyStream(body)
      )
      const error = yield* Effect.flip(client.execute(request))
      const cause = Option.getOrUndefined(TransportError.fromHttpClientError(error))
      assert.strictEqual(cause?._tag, "RemoteProtocolError")
      assert.include(cause?.message, "before the body of the request had been sent")
      yield* atRest(pool)
    }))

  live("that nobody takes is let go for a request that waits, and by discard", () =>
    Effect.gen(function*() {
      const url = yield* switchingServer(echo)
      const { client, pool } = yield* build({ limits: { maxConnections: 1 }, unreadBodyGrace: 0 })
      const forgotten = yield* client.execute(asking(url))
      assert.strictEqual(yield* text(client, `${url}/next`), "/next")
      const late = yield* Effect.flip(Effect.scoped(Effect.flatMap(forgotten.upgrade, ({ reader }) => reader)))
      assert.isTrue(
        late._tag === "SocketError" && late.reason._tag === "SocketOpenError" &&
          String((late.reason.cause as Error).message).includes("nobody began")
      )
      yield* PooledHttpClient.discard(yield* client.execute(asking(url)))
      yield* atRest(pool)
      // One that is used is nobody else's, however long it is silent.
      const scope = yield* Scope.make()
      const used = yield* Effect.flatMap(client.execute(asking(url)), (response) => response.upgrade)
      const { pull } = yield* Scope.provide(used.reader, scope)
      const waiting = yield* Effect.forkChild(text(client, `${url}/waits`))
      yield* until(() => pool.unsafeStats().waiting === 1)
      yield* Effect.scoped(Effect.flatMap(used.writer, ({ write }) => write("still here")))
      assert.strictEqual(yield* read(pull, 10), "still here")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(waiting), "/waits")
    }))

  live("ends with the Scope of the request", () =>
    Effect.gen(function*() {
      const url = yield* switchingServer(echo)
      const { client, pool } = yield* build()
      const scope = yield* Scope.make()
      const response = yield* Scope.provide(PooledHttpClient.withScope(client).execute(asking(url)), scope)
      const socket = yield* response.upgrade
      const { pull } = yield* socket.reader
      const reading = yield* Effect.forkChild(Effect.flip(pull))
      yield* Effect.yieldNow
      yield* Scope.close(scope, Exit.void)
      const { reason } = yield* Fiber.join(reading)
      assert.isTrue(
        reason._tag === "SocketReadError" && TransportError.isTransportError(reason.cause) &&
          reason.cause._tag === "BodyAbandoned"
      )
      yield* atRest(pool)
    }))

  effect("over HTTP/2 is an error that says what to do", () =>
    Effect.gen(function*() {
      const url = yield* listening(() => http2.createServer((_, response) => response.end()))
      const { client } = yield* build({ http2: "prior-knowledge" })
      const error = yield* Effect.flip(client.execute(asking(url)))
      const cause = Option.getOrUndefined(TransportError.fromHttpClientError(error))
      assert.strictEqual(cause?._tag, "LocalProtocolError")
      assert.include(cause?.message, "http2: false")
    }))

  live("interrupted at any of its first turns leaves nothing", () =>
    Effect.gen(function*() {
      const url = yield* switchingServer(echo)
      const { client, pool } = yield* build({ limits: { maxConnections: 1 } })
      for (let turns = 0; turns < 40; turns++) {
        const fiber = yield* Effect.forkChild(Effect.scoped(
          Effect.gen(function*() {
            const socket = yield* Effect.flatMap(client.execute(asking(url)), (response) => response.upgrade)
            const { pull } = yield* socket.reader
            yield* pull
          })
        ))
        for (let turn = 0; turn < turns; turn++) {
          yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        }
        yield* Fiber.interrupt(fiber)
        yield* atRest(pool)
      }
      assert.strictEqual(yield* text(client, `${url}/after`), "/after")
    }))
})
