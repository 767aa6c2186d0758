import { describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, strictEqual } from "node:assert"
import type { Connection } from "../../src/Connection.js"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import { Connector } from "../../src/Connector.js"
import type { Origin } from "../../src/Origin.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import { ConnectError } from "../../src/TransportError.js"
import { a, b } from "./support/origins.js"
import { isEmpty, isSound, outcome, take } from "./support/pool.js"

interface Options extends ConnectionPool.Options {
  readonly dial?: MemoryNetwork.Options["dial"]
  /** Which of a's connections serve b, by number. */
  readonly serving?: (number: number) => boolean
  /** Before the connector knows. */
  readonly lookup?: Effect.Effect<void>
}

const server = (connection: Connection) => connection as unknown as MemoryNetwork.Server

/** A pool whose connector says of some connections that they serve b too. */
const open = ({ dial, lookup = Effect.void, serving = () => true, ...options }: Options = {}) =>
  Effect.gen(function*() {
    const asked: Array<string> = []
    const network = yield* MemoryNetwork.make({
      protocol: () => "unknown",
      dial: dial ?? (() => Effect.succeed({ protocol: "h2", capacity: 2 }))
    })
    const coalesce = (origin: Origin, open: ReadonlyArray<Connection>) =>
      Effect.suspend(() => {
        asked.push(`${origin.host}: ${open.map((connection) => server(connection).number).join()}`)
        return Effect.as(lookup, open.filter((connection) => serving(server(connection).number)))
      })
    const pool = yield* ConnectionPool.make(options).pipe(
      Effect.provideService(Connector, { ...network.connector, coalesce })
    )
    const world = { network, pool }
    yield* Effect.addFinalizer(() => Effect.zipRight(settle, isSound(world)))
    return { ...world, asked, world, dialed: () => network.dials.map((dial) => dial.origin.host) }
  })

describe("An origin that shares the connections of another one", { timeout: 60_000 }, () => {
  it.scoped("takes no permit, waits in the queue of the other one, and counts there", () =>
    Effect.gen(function*() {
      const { asked, dialed, pool, world } = yield* open({ limits: { maxConnections: 1 } })
      const first = yield* take(pool, a)
      const second = yield* take(pool, b)
      strictEqual(second.server.number, 1)
      const third = yield* Effect.fork(take(pool, b))
      const fourth = yield* Effect.fork(take(pool, a))
      yield* settle
      deepStrictEqual([pool.unsafeStats().waiting, pool.unsafeStats().open], [2, 1])
      deepStrictEqual([...pool.unsafeStats().origins.keys()], [a.key])
      yield* first.release
      yield* settle
      // First come, first served, whoever's it is.
      deepStrictEqual([outcome(third), outcome(fourth)], ["done", "waits"])
      yield* second.release
      for (const held of [yield* Fiber.join(third), yield* Fiber.join(fourth)]) yield* held.release
      deepStrictEqual([asked, dialed()], [["b.test: 1"], ["a.test"]])
      yield* pool.evictIdle
      yield* settle
      yield* isEmpty(world)
    }))

  it.scoped("is in nobody's way while it is found out, and what waits keeps its time", () =>
    Effect.gen(function*() {
      const known = yield* Deferred.make<void>()
      const { dialed, pool } = yield* open({
        limits: { maxConnections: 1 },
        timeouts: { pool: "3 seconds" },
        lookup: Deferred.await(known)
      })
      const held = [yield* take(pool, a), yield* take(pool, a)]
      const waiting = yield* Effect.fork(take(pool, b))
      const brief = yield* Effect.fork(take(pool, b, { timeout: 0 }))
      yield* settle
      deepStrictEqual([pool.unsafeStats().open, pool.unsafeStats().waiting], [1, 2])
      // A look-up is under way for them, as a dial would be.
      yield* TestClock.adjust("2 seconds")
      deepStrictEqual([outcome(waiting), outcome(brief)], ["waits", "waits"])
      yield* Deferred.succeed(known, undefined)
      yield* settle
      // Now they are in a queue, where the one stays for the rest of its time and the other one not at all.
      deepStrictEqual([outcome(waiting), outcome(brief)], ["waits", "PoolTimeout"])
      yield* TestClock.adjust("1 seconds")
      strictEqual(outcome(waiting), "PoolTimeout")
      for (const { release } of held) yield* release
      deepStrictEqual(dialed(), ["a.test"])
    }))

  it.scoped("dials when the connector does not come to an end of it in the time that connecting has", () =>
    Effect.gen(function*() {
      const { dialed, pool } = yield* open({ lookup: Effect.never, timeouts: { connect: "2 seconds" } })
      const held = yield* take(pool, a)
      const waiting = yield* Effect.fork(take(pool, b))
      yield* TestClock.adjust("2 seconds")
      const own = yield* Fiber.join(waiting)
      strictEqual(own.server.number, 2)
      for (const { release } of [held, own]) yield* release
      deepStrictEqual(dialed(), ["a.test", "b.test"])
    }))

  it.scoped("dials when the connection that was found has gone meanwhile", () =>
    Effect.gen(function*() {
      const known = yield* Deferred.make<void>()
      const { dialed, network, pool } = yield* open({ lookup: Deferred.await(known) })
      yield* (yield* take(pool, a)).release
      const waiting = yield* Effect.fork(take(pool, b))
      yield* settle
      network.connections[0].close()
      yield* Deferred.succeed(known, undefined)
      yield* (yield* Fiber.join(waiting)).release
      deepStrictEqual(dialed(), ["a.test", "b.test"])
    }))

  it.scoped("goes back to its own when the other one gets a connection that does not serve it", () =>
    Effect.gen(function*() {
      const { dialed, network, pool } = yield* open({ serving: (number) => number === 1 })
      const full = [yield* take(pool, a), yield* take(pool, b)]
      // There is no stream slot left, so another one is dialed, for a, by a request of b.
      const third = yield* take(pool, b)
      deepStrictEqual(dialed(), ["a.test", "a.test", "b.test"])
      deepStrictEqual([third.server.number, third.server.origin.host], [3, "b.test"])
      // It has one of its own now.
      const fourth = yield* take(pool, b)
      strictEqual(fourth.server.number, 3)
      for (const { release } of [...full, third, fourth]) yield* release
      deepStrictEqual(network.connections.map(({ active }) => active), [0, 0, 0])
      strictEqual(pool.unsafeStats().leases, 0)
    }))

  it.scoped("goes back to its own when the other one cannot be dialed", () =>
    Effect.gen(function*() {
      let dials = 0
      const { dialed, pool } = yield* open({
        dial: ({ origin }) =>
          dials++ > 0 && origin.host === "a.test"
            ? Effect.fail(new ConnectError({ origin: origin.href, reason: "Refused", detail: "gone" }))
            : Effect.succeed({ protocol: "h2", capacity: 1 }),
        whenFull: "wait"
      })
      const first = yield* take(pool, a)
      const second = yield* Effect.fork(take(pool, b))
      yield* settle
      strictEqual(outcome(second), "waits")
      first.server.close()
      yield* settle
      yield* first.release
      const own = yield* Fiber.join(second)
      strictEqual(own.server.origin.host, "b.test")
      deepStrictEqual(dialed(), ["a.test", "a.test", "b.test"])
      yield* own.release
    }))

  it.scoped("does not share where only some connections of the other one serve it", () =>
    Effect.gen(function*() {
      const { asked, dialed, pool } = yield* open({ serving: (number) => number === 1 })
      const held = [yield* take(pool, a), yield* take(pool, a), yield* take(pool, a)]
      const own = yield* take(pool, b)
      strictEqual(own.server.origin.host, "b.test")
      for (const { release } of [...held, own]) yield* release
      deepStrictEqual([asked, dialed()], [["b.test: 1,2"], ["a.test", "a.test", "b.test"]])
    }))

  it.scoped("leaves nothing when it is interrupted, at any moment", () =>
    Effect.gen(function*() {
      const { pool, world } = yield* open({
        lookup: Effect.sleep("1 second"),
        dial: () => Effect.delay(Effect.succeed({ protocol: "h2", capacity: 2 }), "1 second"),
        serving: (number) => number % 3 === 1,
        limits: { maxConnections: 2 }
      })
      for (let moment = 0; moment < 50; moment++) {
        const fibers = yield* Effect.forEach(
          [a, b, b, a, b],
          (origin) => Effect.fork(Effect.scoped(Effect.zipRight(pool.acquire(origin), Effect.sleep("2 seconds"))))
        )
        yield* TestClock.adjust((moment % 10) * 250)
        yield* Fiber.interrupt(fibers[moment % 5])
        yield* TestClock.adjust((moment % 7) * 300)
        yield* isSound(world)
        yield* Fiber.interruptAll(fibers)
        yield* settle
        deepStrictEqual([pool.unsafeStats().leases, pool.unsafeStats().waiting], [0, 0])
        if (moment % 4 === 0) yield* pool.evictIdle
        yield* TestClock.adjust("1 second")
      }
      yield* pool.evictIdle
      yield* settle
      yield* isEmpty(world)
    }))
})
