import { assert, describe, it } from "@effect/vitest"
import * as Origin from "@sluice/core/Origin"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import { makeClient, turns } from "./support.js"

const replies = {
  "/": Reply.text("hello"),
  "/big": Reply.size(3_000_000),
  "/echo": Reply.echo(),
  "/chunks": Reply.chunks(["ab", "cd"], { trailers: { "x-sum": "4" } })
}

interface Handle {
  readonly hasRef: () => boolean
  /** Under TLS, that of the TCP socket. */
  readonly _parent?: Handle
}

const handleOf = ({ socket: { _handle: handle } }: { readonly socket: { readonly _handle: Handle } }): Handle =>
  handle._parent ?? handle

/** Whether the process would not end before it is closed. */
const isHeld = (connection: unknown): boolean =>
  handleOf(connection as { readonly socket: { readonly _handle: Handle } }).hasRef()

for (const tls of [true, false]) {
  describe(tls ? "HTTP/2 over TLS" : "HTTP/2 over clear text", () => {
    const start = (options: TestServer.Options = {}) =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies, http2: true, tls, ...options })
        const made = yield* makeClient(tls ? { tls: { ca: server.ca } } : { http2: "prior-knowledge" })
        return { server, ...made }
      })

    it.scoped("shares one connection from a cold start on", () =>
      Effect.gen(function*() {
        const { client, pool, server } = yield* start()
        const gate = yield* Gate.make
        yield* server.reply("/held", Reply.text("held", { hold: gate }))
        const all = yield* Effect.fork(
          Effect.all(
            Array.from({ length: 50 }, () =>
              Effect.flatMap(client.get(`${server.url}/held`), (response) => response.text)),
            { concurrency: "unbounded" }
          )
        )
        yield* gate.awaitHeld(50)
        yield* gate.open
        assert.deepStrictEqual(
          yield* all,
          Array.from({ length: 50 }, () =>
            "held")
        )
        const stats = yield* server.stats
        assert.deepStrictEqual(stats.requestsPerConnection, [50])
        assert.strictEqual(stats.maxConcurrentStreams, 50)
        assert.strictEqual(pool.unsafeStats().open, 1)
      }))

    it.scoped("keeps the process alive while something is under way, and no longer", () =>
      Effect.gen(function*() {
        const { client, pool, server } = yield* start()
        const origin = Either.getOrThrow(Origin.make(server.url))
        yield* (yield* client.get(server.url)).text
        const { connection } = yield* Effect.scoped(pool.acquire(origin))
        for (let n = 0; n < 2; n++) {
          yield* turns(2)
          assert.isFalse(isHeld(connection))
          const gate = yield* Gate.make
          yield* server.reply("/held", Reply.text("held", { hold: gate }))
          const request = yield* Effect.fork(client.get(`${server.url}/held`))
          yield* gate.awaitHeld(1)
          assert.isTrue(isHeld(connection))
          yield* gate.open
          yield* (yield* Fiber.join(request)).text
        }
      }))

    it.scoped("reads bodies, large ones too", () =>
      Effect.gen(function*() {
        const { client, server } = yield* start()
        const body = new Uint8Array(yield* (yield* client.get(`${server.url}/big`)).arrayBuffer)
        assert.strictEqual(body.length, 3_000_000)
        assert.isTrue(body.every((byte, n) => byte === n % 251))
        assert.strictEqual(yield* (yield* client.get(`${server.url}/chunks`)).text, "abcd")
        assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
      }))
  })
}
