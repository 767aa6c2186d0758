import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, match, strictEqual } from "node:assert"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import { Connector } from "../../src/Connector.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import { a, b, c } from "./support/origins.js"
import { isEmpty, open, outcome, take } from "./support/pool.js"

describe("connections that are reserved for an origin", () => {
  it.scoped("are there when all others are taken, and nobody else gets them", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { maxConnections: 3 },
        reserved: { origins: ["http://C.test:80"], connections: 1 }
      })
      const held = yield* Effect.all([take(pool, a), take(pool, b)])
      const waiting = yield* Effect.fork(take(pool, a, { timeout: "1 second" }))
      yield* settle
      strictEqual(network.open, 2)
      const reserved = yield* take(pool, c)
      deepStrictEqual([network.open, pool.unsafeStats().open, pool.unsafeStats().permitsFree], [3, 3, 0])
      deepStrictEqual([...pool.unsafeStats().origins.keys()], [a.key, b.key, c.key])
      strictEqual((yield* pool.inFlight).length, 4)
      // And they get no more than that.
      const second = yield* Effect.fork(take(pool, c, { timeout: "1 second" }))
      yield* TestClock.adjust("1 second")
      deepStrictEqual([outcome(waiting), outcome(second)], ["PoolTimeout", "PoolTimeout"])
      yield* reserved.release
      for (const { release } of held) yield* release
    }))

  it.scoped("have their own numbers and their own snapshot, which says what it is of", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({
        limits: { maxConnections: 3 },
        reserved: { origins: [c.href], connections: 1 },
        timeouts: { pool: "1 second" }
      })
      const dialed: Array<number> = []
      yield* Effect.forkScoped(
        Stream.runForEach(
          pool.events,
          (event) => Effect.sync(() => void (event._tag === "DialStarted" && dialed.push(event.connection)))
        )
      )
      yield* settle
      for (const origin of [a, c, b]) yield* take(pool, origin)
      deepStrictEqual(dialed, [1, 2, 3])
      const refused = yield* Effect.fork(
        Effect.forEach([a, c], (origin) => Effect.flip(take(pool, origin)), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("1 second")
      const [other, own] = yield* Fiber.join(refused)
      match(
        other.message,
        /^2 of 2 connections open \(limits\.maxConnections is 3, of which 1 is reserved for other origins\): 2 active/m
      )
      match(other.message, /raise limits\.maxConnections\.$/)
      match(own.message, /^1 of 1 connection open \(reserved\.connections\): 1 active/m)
      match(own.message, /raise reserved\.connections\.$/)
    }))

  it.scoped("are part of the limits, of evictIdle, and end with the pool", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 4 }, reserved: { origins: [c.href], connections: 2 } })
      const { network, pool } = world
      strictEqual((yield* pool.limits).maxConnections, 4)
      yield* pool.warm(a, 5)
      yield* pool.warm(c, 5)
      deepStrictEqual([network.open, pool.unsafeStats().idle], [4, 4])
      strictEqual(yield* pool.evictIdle, 4)
      yield* settle
      yield* isEmpty(world)
      yield* pool.setLimits({ maxConnections: 6 })
      yield* pool.warm(a, 9)
      strictEqual(network.open, 4)
      strictEqual((yield* pool.limits).maxConnections, 6)
      // Closing the pool waits for both: the support for these tests looks.
      yield* pool.warm(c, 1)
    }))

  it.effect("must be of origins, and leave some for the others", () =>
    Effect.gen(function*() {
      const network = yield* MemoryNetwork.make()
      const made = (options: ConnectionPool.Options) =>
        Effect.flip(Effect.scoped(ConnectionPool.make(options))).pipe(
          Effect.provideService(Connector, network.connector)
        )
      const { problems } = yield* made({
        limits: { maxConnections: 0 },
        reserved: { origins: ["collector", c.href, "user:secret@collector", 5 as never] }
      })
      deepStrictEqual(problems.map(({ option }) => option), [
        "limits.maxConnections",
        "reserved.origins[0]",
        "reserved.origins[2]",
        "reserved.origins[3]"
      ])
      strictEqual(JSON.stringify(problems).includes("secret"), false)
      match(
        (yield* made({ limits: { maxConnections: 2 }, reserved: { origins: [c.href] } })).message,
        /fewer connections than limits\.maxConnections \(2\)/
      )
    }))

  it.scoped("an interrupt while one waits for them leaves nothing behind", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 2 }, reserved: { origins: [c.href], connections: 1 } })
      const held = yield* take(world.pool, c)
      const waiting = yield* Effect.fork(take(world.pool, c))
      yield* settle
      yield* Fiber.interrupt(waiting)
      yield* held.release
      yield* settle
      strictEqual(world.pool.unsafeStats().idle, 1)
    }))
})
