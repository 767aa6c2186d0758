import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as ContentCoding from "@sluice/core/ContentCoding"
import * as Credentials from "@sluice/core/Credentials"
import { Files, NodeCodecs } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { AsyncLocalStorage } from "node:async_hooks"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { createReadStream } from "node:fs"
import { createServer } from "node:http"
import { Readable } from "node:stream"
import { makeClient, turns, until } from "./support.js"

/** Responds with the body that it was sent; `/endless` never ends. */
const echo = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly close: Effect.Effect<void> }>((resume) => {
    const server = createServer((request, response) => {
      if (request.url === "/endless") response.write("first")
      else request.pipe(response)
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number }
      const close = Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close }))
    })
  }),
  ({ close }) => close
)

const post = (url: string, body: unknown) =>
  HttpClientRequest.post(url).pipe(HttpClientRequest.setBody(HttpBody.raw(body)))

const refused = "http://127.0.0.1:1/"

/** What makes another body of the one that was given. */
const through = {
  "when it is coded": (client: HttpClient.HttpClient, request: HttpClientRequest.HttpClientRequest) =>
    Effect.flatMap(
      ContentCoding.encode(client, NodeCodecs.encoders[0]).execute(request),
      (response) => response.text
    ),
  "when its bytes are counted": (client: HttpClient.HttpClient, request: HttpClientRequest.HttpClientRequest) =>
    Stream.runDrain(Files.upload(client, request))
}

describe("A body that is something open", () => {
  it.scoped("a file that is not there is an error of its request", () =>
    Effect.gen(function*() {
      const { url } = yield* echo
      const { client } = yield* makeClient()
      const error = yield* Effect.flip(client.execute(post(url, createReadStream("/absent"))))
      assert.include(error.message, "ENOENT")
    }))

  it.scoped("is closed when its request gets no connection", () =>
    Effect.gen(function*() {
      const { client } = yield* makeClient()
      const stream = createReadStream("/etc/hostname")
      let cancelled = false
      const web = new ReadableStream({
        cancel: () => {
          cancelled = true
        }
      })
      yield* Effect.flip(client.execute(post(refused, stream)))
      yield* Effect.flip(client.execute(post(refused, web)))
      yield* until(() => stream.closed && cancelled)
    }))

  it.scoped("that was read from is refused, not sent empty", () =>
    Effect.gen(function*() {
      const { url } = yield* echo
      const { client } = yield* makeClient()
      const stream = Readable.from([Buffer.from("once")])
      assert.strictEqual(yield* Effect.flatMap(client.execute(post(url, stream)), (_) => _.text), "once")
      const again = yield* Effect.flip(client.execute(post(url, stream)))
      assert.include(again.message, "attempt that has ended")
      const web = new Response("used").body
      yield* Effect.promise(async () => {
        const reader = web?.getReader()
        await reader?.read()
        reader?.releaseLock()
      })
      const used = yield* Effect.flip(client.execute(post(url, web)))
      assert.include(used.message, "read from")
    }))

  it.scoped("an attempt that follows a failed one says why there was another", () =>
    Effect.gen(function*() {
      const { client } = yield* makeClient()
      const request = post(refused, Readable.from(["a"]))
      yield* Effect.flip(client.execute(request))
      const { cause } = yield* Effect.flip(client.execute(request))
      assert.strictEqual((cause as { readonly cause?: { readonly _tag: string } }).cause?._tag, "ConnectError")
    }))
})

describe("A body that is open, of a request that has not come to the transport,", () => {
  const mapped = <E>(effect: Effect.Effect<unknown, E>) =>
    HttpClient.mapRequestEffect((request: HttpClientRequest.HttpClientRequest) => Effect.as(effect, request))

  it.scoped("does not end the process, and its error is that of the request", () =>
    Effect.gen(function*() {
      const { url } = yield* echo
      const { client } = yield* makeClient()
      const token = yield* Credentials.tokenSource(Effect.as(turns(50), Redacted.make("token")))
      const slow = [
        mapped(turns(50))(client),
        Credentials.withCredentials(client, { [url]: token }),
        ContentCoding.encode(client, NodeCodecs.encoders[0]).pipe(mapped(turns(50)))
      ]
      for (const client of slow) {
        const error = yield* Effect.flip(client.execute(post(url, createReadStream("/absent"))))
        assert.include(error.message, "failed while it was sent: ENOENT")
      }
    }))

  it.scoped("is closed when a mapper or a credential fails, or is interrupted, and says so to the next attempt", () =>
    Effect.gen(function*() {
      const { url } = yield* echo
      const { client } = yield* makeClient()
      const token = Credentials.tokenSource(Effect.fail("no token" as const))
      const failing = [
        mapped(Effect.fail("guard" as const))(client),
        Credentials.withCredentials(client, { [url]: yield* token })
      ]
      for (const client of failing) {
        const stream = createReadStream("/etc/hostname")
        assert.include(["guard", "no token"], String(yield* Effect.flip(client.execute(post(url, stream)))))
        yield* until(() => stream.closed)
      }
      for (const kind of ["a stream of Node", "a stream of the web", "a generator"]) {
        let hasEnded = false
        const end = () => {
          hasEnded = true
        }
        const bodies: Record<string, () => unknown> = {
          "a stream of Node": () => createReadStream("/etc/hostname").on("close", end),
          "a stream of the web": () => new ReadableStream({ cancel: end }),
          "a generator": () => Object.assign((async function*() {})(), { return: async () => end() })
        }
        const request = post(url, bodies[kind]())
        const fiber = yield* Effect.fork(mapped(Effect.never)(client).execute(request))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(fiber)
        yield* until(() => hasEnded)
        const again = yield* Effect.flip(client.execute(request))
        assert.include(again.message, "attempt that has ended", kind)
      }
    }))

  it.scoped("does not end the process while something around the client waits, and comes from another library", () =>
    Effect.gen(function*() {
      const { url } = yield* echo
      const { client } = yield* makeClient()
      const limited = HttpClient.transformResponse(client, (response) => Effect.zipRight(turns(50), response))
      // As `readable-stream` 3 has them, which much of npm reads files and archives by.
      const old = (stream: Readable) =>
        new Proxy(stream, {
          has: (stream, name) => !["readableDidRead", "errored"].includes(String(name)) && name in stream,
          get: (stream, name) => {
            const value: unknown = Reflect.get(stream, name, stream)
            return typeof value === "function" ? value.bind(stream) : value
          }
        })
      for (const made of [(stream: Readable) => stream, old]) {
        const error = yield* Effect.flip(limited.execute(post(url, made(createReadStream("/absent")))))
        assert.include(error.message, "failed while it was sent: ENOENT")
      }
    }))

  it.scoped("stays with the first that runs, whatever becomes of a second one", () =>
    Effect.gen(function*() {
      const { url } = yield* echo
      const { client } = yield* makeClient({ timeouts: { total: "1 minute" } })
      for (const second of [Effect.fail("guard" as const), Effect.never]) {
        let asked = 0
        const guarded = mapped(Effect.suspend(() => asked++ === 0 ? turns(50) : second))(client)
        const request = post(url, Readable.from(["first"]))
        const first = yield* Effect.fork(Effect.flatMap(guarded.execute(request), ({ text }) => text))
        yield* until(() => asked === 1)
        const other = yield* Effect.fork(guarded.execute(request))
        yield* until(() => asked === 2)
        yield* Fiber.interrupt(other)
        assert.strictEqual(yield* Fiber.join(first), "first")
      }
    }))

  it.scoped("is left alone by requests that a mapper makes", () =>
    Effect.gen(function*() {
      const { url } = yield* echo
      const { client } = yield* makeClient()
      const inner = mapped(Effect.fail("inner" as const))(client)
      const asking = mapped(
        Effect.all([
          Effect.flatMap(client.execute(post(url, Readable.from(["inner"]))), (response) => response.text),
          Effect.flip(inner.execute(post(url, Readable.from(["inner"])))),
          Effect.flip(inner.get(url))
        ])
      )(client)
      const response = yield* asking.execute(post(url, Readable.from(["outer"])))
      assert.strictEqual(yield* response.text, "outer")
    }))

  for (const [how, send] of Object.entries(through)) {
    it.scoped(`is closed, and not sent a second time, ${how}`, () =>
      Effect.gen(function*() {
        const { url } = yield* echo
        const { client } = yield* makeClient()
        const stream = createReadStream("/etc/hostname")
        yield* Effect.flip(send(client, post(refused, stream)))
        yield* until(() => stream.closed)
        const once = post(url, Readable.from([Buffer.from("once")]))
        yield* send(client, once)
        const again = yield* Effect.flip(send(client, once))
        assert.include(again.message, "attempt that has ended")
      }))
  }
})

describe("A response that never ends", () => {
  it.scoped("is let go at once where nothing may be thrown away", () =>
    Effect.gen(function*() {
      const { url } = yield* echo
      const { client, pool } = yield* makeClient({ maxDiscardedBody: 0 })
      const response = yield* client.get(`${url}/endless`)
      yield* Stream.runDrain(Stream.take(response.stream, 1))
      assert.strictEqual(pool.unsafeStats().leases, 0)
    }))
})

describe("The context of a request", () => {
  const store = new AsyncLocalStorage<string>()

  it.scoped("is its own on a connection that another request has made", () =>
    Effect.gen(function*() {
      const { url } = yield* echo
      const { client } = yield* makeClient({ limits: { maxConnections: 1 } })
      const seen: Array<string> = []
      const run = (name: string) =>
        store.run(name, () =>
          Effect.runFork(Effect.gen(function*() {
            const note = Effect.sync(() => seen.push(`${name} ${store.getStore()}`))
            const body = Stream.tap(Stream.make("a", "b").pipe(Stream.encodeText), () => note)
            const request = HttpClientRequest.post(url).pipe(HttpClientRequest.bodyStream(body))
            const response = yield* client.execute(request)
            yield* note
            yield* response.text
            yield* note
          })))
      const fibers = ["alice", "bob", "carol"].map(run)
      yield* Fiber.joinAll(fibers)
      assert.lengthOf(seen, 12)
      for (const line of seen) assert.match(line, /^(\w+) \1$/)
    }))

  it.scoped("is none of the connection's, which outlives it", () =>
    Effect.gen(function*() {
      const { url } = yield* echo
      const { client } = yield* makeClient()
      const seen: Array<string | undefined> = []
      const onSocket = () => seen.push(store.getStore())
      subscribe("net.client.socket", onSocket)
      yield* Effect.addFinalizer(() => Effect.sync(() => unsubscribe("net.client.socket", onSocket)))
      yield* Fiber.join(store.run("alice", () => Effect.runFork(client.get(url))))
      assert.deepStrictEqual(seen, [undefined])
    }))
})
