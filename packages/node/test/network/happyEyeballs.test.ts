import { assert, describe, it } from "@effect/vitest"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { failure, makeClient, turns, until } from "../client/support.js"
import { blackHoles, lookupOf } from "./support.js"

const holes = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"]

describe("A host with several addresses", () => {
  for (const scheme of ["http", "https"] as const) {
    const tls = scheme === "https"
    const serve = TestServer.make({ tls, host: "127.0.0.1", replies: { "/": Reply.text("ok") } })
    const options = (server: TestServer.TestServer, addresses: ReadonlyArray<string>) => ({
      lookup: lookupOf(addresses),
      tls: tls ? { ca: server.ca!, servername: "localhost" } : undefined
    })

    it.scoped(`is reached after as many delays as there are black holes before it, and no sooner (${scheme})`, () =>
      Effect.gen(function*() {
        const server = yield* serve
        yield* blackHoles(server.port, holes)
        for (const count of [1, 4]) {
          const { client, pool } = yield* makeClient(options(server, [...holes.slice(0, count), "127.0.0.1"]))
          const before = (yield* server.stats).connectionsOpened
          const fiber = yield* Effect.fork(client.get(`${scheme}://a.test:${server.port}/`))
          yield* until(() => pool.unsafeStats().dialing === 1)
          yield* turns(5)
          yield* TestClock.adjust("249 millis")
          for (let n = 1; n < count; n++) yield* Effect.zipRight(turns(5), TestClock.adjust("250 millis"))
          yield* turns(20)
          assert.strictEqual((yield* server.stats).connectionsOpened, before)
          yield* TestClock.adjust("1 millis")
          assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
        }
      }))

    it.scoped(`is asked at its next address at once when one refuses (${scheme})`, () =>
      Effect.gen(function*() {
        const server = yield* serve
        const { client } = yield* makeClient(options(server, ["127.0.0.2", "127.0.0.3", "127.0.0.1"]))
        assert.strictEqual((yield* client.get(`${scheme}://a.test:${server.port}/`)).status, 200)
      }))

    it.scoped(`that refuses at all of them is an error that names each (${scheme})`, () =>
      Effect.gen(function*() {
        const port = yield* TestServer.unusedPort
        const { client } = yield* makeClient({ lookup: lookupOf(["127.0.0.2", "::1", "127.0.0.3"]) })
        const error = yield* failure(client.get(`${scheme}://a.test:${port}/`))
        if (error._tag !== "ConnectError") return assert.fail(error._tag)
        assert.strictEqual(error.reason, "Refused")
        assert.deepStrictEqual(error.addresses?.map(({ address }) => address), ["127.0.0.2", "::1", "127.0.0.3"])
        for (const { address, outcome } of error.addresses ?? []) {
          assert.include(error.message, `${address} (${outcome})`)
        }
      }))

    it.scoped(`that never lets us in is a ConnectTimeout that names each (${scheme})`, () =>
      Effect.gen(function*() {
        const port = yield* TestServer.unusedPort
        yield* blackHoles(port, ["127.0.0.2", "127.0.0.3"])
        const { client, pool } = yield* makeClient({ lookup: lookupOf(["127.0.0.2", "127.0.0.3"]) })
        const fiber = yield* Effect.fork(failure(client.get(`${scheme}://a.test:${port}/`)))
        yield* until(() => pool.unsafeStats().dialing === 1)
        yield* turns(5)
        yield* TestClock.adjust("250 millis")
        yield* turns(5)
        yield* TestClock.adjust("4750 millis")
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error._tag, "ConnectTimeout")
        assert.include(error.message, "connecting to 127.0.0.2 (no response), 127.0.0.3 (no response)")
        yield* until(() => pool.unsafeStats().open === 0)
      }))
  }

  it.scoped("whose name is still looked up when the time is over: the error says so", () =>
    Effect.gen(function*() {
      const { client } = yield* makeClient({ lookup: () => {} })
      const fiber = yield* Effect.fork(failure(client.get("http://a.test/")))
      yield* turns(3)
      yield* TestClock.adjust("5 seconds")
      assert.include((yield* Fiber.join(fiber)).message, "looking up a.test")
    }))
})
