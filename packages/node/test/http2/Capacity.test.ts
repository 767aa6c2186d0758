import { assert, describe, it } from "@effect/vitest"
import * as Origin from "@sluice/core/Origin"
import { Frame, Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import { makeClient, responseTo, startPeer, turns, until } from "./support.js"

const requestsOf = (frames: ReadonlyArray<Frame.ReceivedFrame>) =>
  frames.filter((frame) => frame._tag === "Headers").length

describe("How many requests a connection carries", () => {
  for (const [remote, ours, both] of [[3, 10, 3], [10, 2, 2]] as const) {
    it.scoped(`is the smaller of what the server (${remote}) and we (${ours}) allow`, () =>
      Effect.gen(function*() {
        const { get, peer, pool } = yield* startPeer({
          settings: { maxConcurrentStreams: remote },
          http2: { maxConcurrentStreams: ours },
          client: { limits: { maxConnections: 1 } }
        })
        const all = []
        for (let n = 0; n < 5; n++) all.push(yield* get())
        const connection = yield* peer.accept
        const ids: Array<number> = []
        for (let n = 0; n < both; n++) ids.push((yield* connection.take("Headers")).streamId)
        yield* turns(10)
        assert.strictEqual(requestsOf(yield* connection.frames), both)
        assert.strictEqual(pool.unsafeStats().waiting, 5 - both)
        for (let n = 0; n < 5; n++) {
          yield* connection.send(...responseTo(ids.shift() as number))
          if (ids.length + n + 1 < 5) ids.push((yield* connection.take("Headers")).streamId)
        }
        for (const one of all) assert.strictEqual(yield* Fiber.join(one), "ok")
        assert.strictEqual((yield* peer.stats).connectionsOpened, 1)
      }))
  }

  it.scoped("follows the server: lowered below what is under way, to zero, and raised again", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer({
        settings: { maxConcurrentStreams: 4 },
        client: { limits: { maxConnections: 1 } }
      })
      const all = []
      for (let n = 0; n < 3; n++) all.push(yield* get())
      const connection = yield* peer.accept
      const ids: Array<number> = []
      for (let n = 0; n < 3; n++) ids.push((yield* connection.take("Headers")).streamId)
      yield* connection.take("Settings")
      yield* connection.take("Settings")
      yield* connection.send(Frame.settings({ maxConcurrentStreams: 1 }))
      assert.isTrue((yield* connection.take("Settings")).ack)
      all.push(yield* get())
      // Two of three end: the one that is left is as many as the server allows.
      yield* connection.send(...responseTo(ids[0]), ...responseTo(ids[1]))
      yield* turns(20)
      assert.strictEqual(requestsOf(yield* connection.frames), 3)
      yield* connection.send(Frame.settings({ maxConcurrentStreams: 0 }))
      assert.isTrue((yield* connection.take("Settings")).ack)
      yield* turns(20)
      assert.strictEqual(requestsOf(yield* connection.frames), 3)
      assert.deepInclude(pool.unsafeStats(), { waiting: 1, open: 1 })
      yield* connection.send(Frame.settings({ maxConcurrentStreams: 100 }))
      yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId), ...responseTo(ids[2]))
      for (const one of all) assert.strictEqual(yield* Fiber.join(one), "ok")
      assert.strictEqual((yield* peer.stats).connectionsOpened, 1)
    }))

  it.scoped("an idle connection that takes nothing is evicted for a new one", () =>
    Effect.gen(function*() {
      const { get, peer } = yield* startPeer({ client: { limits: { maxConnections: 1 } } })
      const first = yield* get()
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      yield* connection.send(Frame.settings({ maxConcurrentStreams: 0 }), ...responseTo(streamId))
      yield* Fiber.join(first)
      const second = yield* get()
      const other = yield* peer.accept
      yield* other.send(...responseTo((yield* other.take("Headers")).streamId))
      assert.strictEqual(yield* Fiber.join(second), "ok")
      assert.strictEqual((yield* peer.stats).maxOpenConnections, 1)
    }))

  for (const whenFull of ["dial", "wait"] as const) {
    it.scoped(`when it is full: ${whenFull}`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ http2: { maxConcurrentStreams: 2 } })
        const gate = yield* Gate.make
        yield* server.reply("/", Reply.text("ok", { hold: gate }))
        const { client } = yield* makeClient({ http2: "prior-knowledge", whenFull })
        const all = yield* Effect.fork(Effect.all(
          Array.from({ length: 6 }, () => Effect.flatMap(client.get(server.url), (response) => response.text)),
          { concurrency: "unbounded" }
        ))
        yield* gate.awaitHeld(whenFull === "dial" ? 6 : 2)
        yield* gate.open
        yield* Fiber.join(all)
        assert.strictEqual((yield* server.stats).connectionsOpened, whenFull === "dial" ? 3 : 1)
      }))
  }

  it.scoped("is none when the numbers of its streams are used up", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer()
      const warm = yield* get()
      const connection = yield* peer.accept
      yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
      yield* Fiber.join(warm)
      const lease = yield* Effect.scoped(pool.acquire(Either.getOrThrow(Origin.make(peer.url))))
      const { session } = lease.connection as unknown as {
        readonly session: { readonly table: { nextId: number } }
      }
      session.table.nextId = 2 ** 31 - 1
      const last = yield* get()
      const headers = yield* connection.take("Headers")
      assert.strictEqual(headers.streamId, 2 ** 31 - 1)
      const next = yield* get()
      const other = yield* peer.accept
      yield* other.send(...responseTo((yield* other.take("Headers")).streamId))
      yield* connection.send(...responseTo(headers.streamId))
      assert.strictEqual(yield* Fiber.join(last), "ok")
      assert.strictEqual(yield* Fiber.join(next), "ok")
      yield* connection.awaitClosed
      yield* until(() => pool.unsafeStats().open === 1)
    }))
})

describe("Which protocol", () => {
  it.scoped("the first dial decides for all waiters: one, where it is HTTP/2", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ tls: true, http2: true, replies: { "/": Reply.text("ok") } })
      const { client } = yield* makeClient({ tls: { ca: server.ca } })
      yield* Effect.all(Array.from({ length: 20 }, () => client.get(server.url)), { concurrency: "unbounded" })
      assert.strictEqual((yield* server.stats).connectionsOpened, 1)
    }))

  it.scoped("the first dial decides for all waiters: one each, where it is HTTP/1.1", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ tls: true, http2: false })
      const gate = yield* Gate.make
      yield* server.reply("/", Reply.text("ok", { hold: gate }))
      const { client } = yield* makeClient({ tls: { ca: server.ca } })
      const all = yield* Effect.fork(
        Effect.all(Array.from({ length: 5 }, () => client.get(server.url)), { concurrency: "unbounded" })
      )
      yield* gate.awaitHeld(5)
      yield* gate.open
      yield* Fiber.join(all)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1, 1, 1, 1, 1])
    }))

  it.scoped("HTTP/1.1 where HTTP/2 is off, or was not asked for over clear text", () =>
    Effect.gen(function*() {
      const secure = yield* TestServer.make({ tls: true, http2: true, replies: { "/": Reply.text("ok") } })
      const off = yield* makeClient({ http2: false, tls: { ca: secure.ca } })
      yield* off.client.get(secure.url)
      assert.strictEqual((yield* secure.requests)[0].protocol, "HTTP/1.1")
      const plain = yield* TestServer.make({ http2: true, replies: { "/": Reply.text("ok") } })
      const on = yield* makeClient({ http2: true })
      yield* on.client.get(plain.url)
      assert.strictEqual((yield* plain.requests)[0].protocol, "HTTP/1.1")
    }))

  it.scoped("a dial goes on for those who still want it", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ tls: true, http2: true, replies: { "/": Reply.text("ok") } })
      yield* server.pauseReading
      const { client, pool } = yield* makeClient({ tls: { ca: server.ca } })
      const first = yield* Effect.fork(client.get(server.url))
      const second = yield* Effect.fork(client.get(server.url))
      yield* until(() => pool.unsafeStats().waiting === 2)
      yield* Fiber.interrupt(first)
      yield* server.resumeReading
      assert.strictEqual((yield* Fiber.join(second)).status, 200)
      assert.strictEqual((yield* server.stats).connectionsOpened, 1)
    }))
})

describe("One connection allowed", () => {
  it.scoped("and a request to another origin before the body is read does not dead-lock (httpx #289)", () =>
    Effect.gen(function*() {
      const options = { tls: true, http2: true } as const
      const [one, two] = [yield* TestServer.make(options), yield* TestServer.make(options)]
      yield* two.reply("/", Reply.text("arrived"))
      yield* one.reply("/", Reply.empty({ status: 302, headers: { location: `${two.url}/` } }))
      const { client, pool } = yield* makeClient({
        limits: { maxConnections: 1 },
        tls: { ca: [one.ca as string, two.ca as string] }
      })
      for (let n = 0; n < 3; n++) {
        const redirect = yield* client.get(one.url)
        assert.strictEqual(redirect.status, 302)
        const target = yield* client.get(redirect.headers.location)
        assert.strictEqual(yield* target.text, "arrived")
      }
      assert.strictEqual(pool.unsafeStats().open, 1)
      assert.strictEqual((yield* one.stats).maxOpenConnections, 1)
    }))
})

describe("The options", () => {
  for (const http2 of [{ maxConcurrentStreams: 0 }, { connectionWindowSize: 1 }, { pingTimeout: "soon" as never }]) {
    it.effect(`are checked when the layer is built: ${JSON.stringify(http2)}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Effect.scoped(makeClient({ http2 })))
        assert.strictEqual(error._tag, "InvalidOptions")
        assert.include(error.message, `http2.${Object.keys(http2)[0]} is`)
      }))
  }
})
