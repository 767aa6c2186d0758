import { assert, describe, it } from "@effect/vitest"
import type { Frame } from "@sluice/test-server"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { makeClient, responseTo, startPeer, turns, until } from "./support.js"

describe("An interrupt", () => {
  it.scoped("resets the stream, and the connection goes on", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer()
      const request = yield* get()
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      yield* Fiber.interrupt(request)
      assert.strictEqual((yield* connection.take("RstStream", streamId)).code, 8)
      // What the server had sent before it knew goes nowhere, and does no harm.
      yield* connection.send(...responseTo(streamId, "late"))
      const next = yield* get()
      yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
      assert.strictEqual(yield* Fiber.join(next), "ok")
      assert.strictEqual(pool.unsafeStats().open, 1)
      assert.isFalse((yield* connection.frames).some((frame: Frame.ReceivedFrame) => frame._tag === "GoAway"))
    }))

  it.scoped("during the handshake closes the connection, if nobody else waits for it", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer({ automatic: [] })
      const request = yield* get()
      const connection = yield* peer.accept
      yield* connection.take("Settings")
      yield* Fiber.interrupt(request)
      yield* connection.awaitClosed
      yield* until(() => pool.unsafeStats().open === 0)
    }))

  for (const tls of [true, false]) {
    it.scoped(`at any moment leaves no stream and no lease (${tls ? "TLS" : "clear text"})`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({
          http2: true,
          tls,
          replies: { "/": Reply.text("hello"), "/big": Reply.size(300_000), "/echo": Reply.echo() }
        })
        const { client, pool } = yield* makeClient(tls ? { tls: { ca: server.ca } } : { http2: "prior-knowledge" })
        for (let moment = 0; moment < 60; moment++) {
          const path = ["/", "/big", "/echo"][moment % 3]
          const request = yield* Effect.fork(
            Effect.flatMap(client.get(`${server.url}${path}`), (response) => response.arrayBuffer).pipe(
              Effect.withMaxOpsBeforeYield(10 + moment)
            )
          )
          // Microtasks first, then turns of the event loop: from before the dial to after the response.
          if (moment < 30) { for (let n = 0; n < moment; n++) yield* Effect.yieldNow() }
          else yield* turns(moment - 30)
          yield* Fiber.interrupt(request)
          if (moment % 10 === 9) {
            assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "hello")
          }
        }
        yield* until(() => server.unsafeStats().activeRequests === 0, "every stream to end")
        const stats = pool.unsafeStats()
        assert.deepInclude(stats, { active: 0, waiting: 0, dialing: 0 })
        yield* until(() => pool.unsafeStats().open <= 1)
        assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "hello")
      }))
  }

  it.scoped("of many among many takes nobody's bytes", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ http2: true, replies: { "/": Reply.size(100_000) } })
      const { client, pool } = yield* makeClient({ http2: "prior-knowledge" })
      for (let round = 0; round < 5; round++) {
        const all = []
        for (let n = 0; n < 40; n++) {
          all.push(yield* Effect.fork(Effect.flatMap(client.get(server.url), (response) => response.arrayBuffer)))
        }
        yield* turns(round)
        for (let n = 0; n < 40; n += 2) yield* Fiber.interruptFork(all[n])
        for (let n = 1; n < 40; n += 2) {
          const bytes = new Uint8Array(yield* Fiber.join(all[n]))
          assert.strictEqual(bytes.length, 100_000)
          assert.isTrue(bytes.every((byte, at) => byte === at % 251))
        }
      }
      yield* until(() => server.unsafeStats().activeRequests === 0)
      assert.deepInclude(pool.unsafeStats(), { active: 0, waiting: 0, open: 1 })
    }))
})
