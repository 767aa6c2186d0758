import { assert, describe, it } from "@effect/vitest"
import { Frame } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { failure, responseTo, startPeer, turns, until } from "./support.js"

const impatient = { timeouts: { read: "5 seconds" } } as const
const silent = { automatic: ["settings"], client: impatient } as const
const pings = (frames: ReadonlyArray<Frame.ReceivedFrame>) => frames.filter((frame) => frame._tag === "Ping").length

describe("After a read timeout", () => {
  it.scoped("the server is asked; until it acknowledges the connection takes nothing, afterwards it does", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer({
        ...silent,
        client: { ...impatient, limits: { maxConnections: 1 } }
      })
      const late = yield* get()
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      const other = yield* get()
      const two = yield* connection.take("Headers")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* failure(late))._tag, "ReadTimeout")
      assert.strictEqual((yield* failure(other))._tag, "ReadTimeout")
      assert.strictEqual((yield* connection.take("RstStream", streamId)).code, 8)
      assert.strictEqual((yield* connection.take("RstStream", two.streamId)).code, 8)
      const ping = yield* connection.take("Ping")
      // An idle connection that takes nothing is evicted, or waited for: here the acknowledgement comes first.
      yield* connection.send(Frame.ping(ping.data, { ack: true }))
      yield* turns(20)
      const next = yield* get()
      yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
      assert.strictEqual(yield* Fiber.join(next), "ok")
      assert.strictEqual(pings(yield* connection.frames), 1)
      assert.strictEqual(pool.unsafeStats().open, 1)
    }))

  it.scoped("new requests go elsewhere while the acknowledgement is awaited", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer(silent)
      const late = yield* get()
      const connection = yield* peer.accept
      yield* connection.take("Headers")
      yield* TestClock.adjust("5 seconds")
      yield* failure(late)
      yield* connection.take("Ping")
      const next = yield* get()
      const other = yield* peer.accept
      yield* other.send(...responseTo((yield* other.take("Headers")).streamId))
      assert.strictEqual(yield* Fiber.join(next), "ok")
      yield* TestClock.adjust("5 seconds")
      yield* connection.awaitClosed
      yield* until(() => pool.unsafeStats().open === 0, "the unresponsive connection and the idle one to be closed")
    }))

  it.scoped("a connection whose server does not acknowledge is closed, and its other requests fail, typed", () =>
    Effect.gen(function*() {
      const { get, peer, pool, post } = yield* startPeer({
        ...silent,
        http2: { pingTimeout: "2 seconds" },
        client: { timeouts: { read: "10 seconds" } }
      })
      const first = yield* get()
      const connection = yield* peer.accept
      const one = yield* connection.take("Headers")
      yield* TestClock.adjust("3 seconds")
      // It begins, so its own timeout starts anew; nothing comes after that.
      yield* connection.send(Frame.headers(one.streamId, [[":status", "200"]]))
      yield* turns(20)
      yield* TestClock.adjust("4 seconds")
      const second = yield* post("not to be sent twice")
      yield* connection.take("Headers")
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* failure(first))._tag, "ReadTimeout")
      yield* connection.take("Ping")
      yield* TestClock.adjust("2 seconds")
      const error = yield* failure(second)
      assert.strictEqual(error._tag, "ReadError")
      assert.include(error.message, "PING")
      yield* connection.awaitClosed
      yield* until(() => pool.unsafeStats().open === 0)
    }))

  it.scoped("nothing is asked of a server that has sent anything meanwhile", () =>
    Effect.gen(function*() {
      const { get, peer } = yield* startPeer(silent)
      const late = yield* get()
      const connection = yield* peer.accept
      yield* connection.take("Headers")
      yield* TestClock.adjust("3 seconds")
      const other = yield* get()
      yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
      yield* Fiber.join(other)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* failure(late))._tag, "ReadTimeout")
      yield* connection.take("RstStream")
      yield* turns(20)
      assert.strictEqual(pings(yield* connection.frames), 0)
    }))
})

describe("pingInterval", () => {
  it.scoped("asks after silence with requests under way, and not when there are none", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer({
        ...silent,
        http2: { pingInterval: "10 seconds", pingTimeout: "3 seconds" },
        client: { timeouts: { read: "Infinity" }, limits: { keepAliveExpiry: "Infinity" } }
      })
      const request = yield* get()
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      yield* TestClock.adjust("10 seconds")
      yield* connection.send(Frame.ping((yield* connection.take("Ping")).data, { ack: true }))
      yield* turns(20)
      yield* connection.send(Frame.headers(streamId, [[":status", "200"]]))
      yield* turns(20)
      yield* TestClock.adjust("9 seconds")
      yield* turns(20)
      assert.strictEqual(pings(yield* connection.frames), 1)
      yield* connection.send(Frame.data(streamId, "ok", { endStream: true }))
      assert.strictEqual(yield* Fiber.join(request), "ok")
      yield* TestClock.adjust("1 minute")
      yield* turns(20)
      assert.strictEqual(pings(yield* connection.frames), 1)
      const dead = yield* get()
      yield* connection.take("Headers")
      yield* TestClock.adjust("10 seconds")
      yield* connection.take("Ping")
      yield* TestClock.adjust("3 seconds")
      // Nothing says whether the server has seen it; it is sent again because that does no harm.
      const again = yield* peer.accept
      yield* again.send(...responseTo((yield* again.take("Headers")).streamId))
      assert.strictEqual(yield* Fiber.join(dead), "ok")
      yield* connection.awaitClosed
      assert.strictEqual(pool.unsafeStats().open, 1)
    }))
})

describe("pingInterval is exact", () => {
  it.scoped("from the last frame on, and from the first request after a time without any", () =>
    Effect.gen(function*() {
      const { get, peer } = yield* startPeer({
        ...silent,
        http2: { pingInterval: "10 seconds", pingTimeout: "3 seconds" },
        client: { timeouts: { read: "Infinity" }, limits: { keepAliveExpiry: "Infinity" } }
      })
      const first = yield* get()
      const connection = yield* peer.accept
      const one = yield* connection.take("Headers")
      const asked = Effect.zipRight(turns(20), Effect.map(connection.frames, pings))
      yield* TestClock.adjust("7 seconds")
      yield* connection.send(Frame.headers(one.streamId, [[":status", "200"]]))
      yield* turns(20)
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual(yield* asked, 0)
      yield* TestClock.adjust("1 millis")
      yield* connection.send(Frame.ping((yield* connection.take("Ping")).data, { ack: true }))
      yield* turns(20)
      // The acknowledgement was the last that came.
      yield* TestClock.adjust("6 seconds")
      yield* connection.send(Frame.data(one.streamId, "ok", { endStream: true }))
      assert.strictEqual(yield* Fiber.join(first), "ok")
      yield* TestClock.adjust("5 seconds")
      const second = yield* get()
      const two = yield* connection.take("Headers")
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual(yield* asked, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* asked, 2)
      yield* connection.send(...responseTo(two.streamId))
      assert.strictEqual(yield* Fiber.join(second), "ok")
    }))
})

describe("An idle connection", () => {
  it.scoped("expires like any other", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer()
      const request = yield* get()
      const connection = yield* peer.accept
      yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
      yield* Fiber.join(request)
      yield* TestClock.adjust("5 seconds")
      yield* connection.awaitClosed
      yield* until(() => pool.unsafeStats().open === 0)
      assert.strictEqual((yield* connection.frames).filter((frame) => frame._tag === "GoAway").length, 1)
    }))
})
