import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, strictEqual } from "node:assert"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import * as PooledHttpClient from "../../src/PooledHttpClient.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import * as Timeouts from "../../src/Timeouts.js"
import { a, b } from "./support/origins.js"
import { open, outcome } from "./support/pool.js"

// Issue 15, section 4: each waiter for a connection has its own end, which affects no other.

const world = (options: ConnectionPool.Options & { readonly network?: MemoryNetwork.Options } = {}) =>
  Effect.gen(function*() {
    const { network, pool } = yield* open({ network: { dial: MemoryNetwork.hold }, ...options })
    const client = yield* Effect.provideService(
      PooledHttpClient.make({ timeouts: options.timeouts }),
      ConnectionPool.ConnectionPool,
      pool
    )
    const get = (timeouts: Timeouts.Timeouts, origin = a) =>
      Effect.fork(client.execute(HttpClientRequest.get(origin.href)).pipe(Timeouts.locally(timeouts), Effect.asVoid))
    return { network, pool, get }
  })

describe("a request that waits for a connection that is being made", () => {
  it.scoped("fails after its own time to connect, whoever the connection was begun for", () =>
    Effect.gen(function*() {
      for (const protocol of ["http/1.1", "h2", "unknown"] as const) {
        const { get, network } = yield* world({
          limits: { maxConnections: 1 },
          network: { dial: MemoryNetwork.hold, protocol: () => protocol }
        })
        const first = yield* get({ connect: 50, pool: "Infinity" })
        yield* settle
        const others = yield* Effect.forEach(
          [5_000, 5_000, "Infinity"] as const,
          (connect) => get({ connect, pool: "Infinity" })
        )
        yield* TestClock.adjust(49)
        strictEqual(outcome(first), "waits")
        yield* TestClock.adjust(1)
        deepStrictEqual([outcome(first), ...others.map(outcome)], ["ConnectTimeout", "waits", "waits", "waits"])
        // The dial goes on for those who are left.
        strictEqual(network.dials[0].state, "Dialing")
        network.dials[0].succeed(protocol === "h2" ? { protocol } : {})
        yield* Effect.forEach(others, Fiber.join)
      }
    }))

  it.scoped("is not hit by the time of one that was interrupted", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({ limits: { maxConnections: 1 } })
      const first = yield* get({ connect: 50 })
      yield* settle
      const second = yield* get({ connect: 5_000, pool: "Infinity" })
      yield* settle
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust(4_999)
      strictEqual(outcome(second), "waits")
      yield* TestClock.adjust(1)
      strictEqual(outcome(second), "ConnectTimeout")
      strictEqual(network.dials.filter((_) => _.state === "Dialing").length, 0)
    }))

  it.scoped("waits for pool and connect together at most, behind one that waits for ever and behind warm", () =>
    Effect.gen(function*() {
      for (const protocol of ["http/1.1", "unknown"] as const) {
        const { get, network, pool } = yield* world({
          limits: { maxConnections: 1 },
          network: { dial: MemoryNetwork.hold, protocol: () => protocol },
          timeouts: { connect: "1 hour" }
        })
        const before = yield* Effect.fork(Effect.either(pool.warm(a, 1)))
        const first = yield* get({ connect: "Infinity", pool: "Infinity" })
        yield* settle
        const second = yield* get({ connect: 100, pool: 100 })
        yield* TestClock.adjust(200)
        strictEqual(outcome(first), "waits")
        strictEqual(outcome(second), protocol === "unknown" ? "ConnectTimeout" : "PoolTimeout")
        network.dials[0].succeed({})
        yield* Effect.all([Fiber.join(first), Fiber.join(before)])
      }
    }))

  it.scoped("goes on when its time for the pool is up, until its time to connect", () =>
    Effect.gen(function*() {
      const { get } = yield* world({ limits: { maxConnections: 1 } })
      const waiting = yield* get({ pool: 100, connect: 1_000 })
      yield* TestClock.adjust(999)
      strictEqual(outcome(waiting), "waits")
      yield* TestClock.adjust(1)
      strictEqual(outcome(waiting), "ConnectTimeout")
    }))

  it.scoped("leaves its dial to who comes next, for as long as the pool itself would wait", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({ limits: { maxConnections: 2 }, timeouts: { connect: 5_000 } })
      for (let n = 0; n < 4; n++) {
        const impatient = yield* get({ connect: 1_000 })
        yield* TestClock.adjust(1_000)
        strictEqual(outcome(impatient), "ConnectTimeout")
      }
      const patient = yield* get({ connect: 1_000 })
      yield* TestClock.adjust(500)
      network.dials[0].succeed({})
      yield* settle
      deepStrictEqual([outcome(patient), network.dials.length], ["done", 1])
    }))

  it.scoped("and no longer, and not where another origin could have its permit", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({ limits: { maxConnections: 1 }, timeouts: { connect: 5_000 } })
      yield* get({ connect: 1_000 })
      yield* TestClock.adjust(4_999)
      strictEqual(network.dials[0].state, "Dialing")
      yield* TestClock.adjust(1)
      strictEqual(network.dials[0].state, "Interrupted")
      yield* get({ connect: 1_000 })
      yield* TestClock.adjust(1_000)
      const other = yield* get({ connect: "Infinity" }, b)
      yield* settle
      deepStrictEqual(network.dials.map((_) => _.state), ["Interrupted", "Interrupted", "Dialing"])
      yield* Fiber.interrupt(other)
    }))

  it.scoped("that is interrupted takes its dial with it", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({ limits: { maxConnections: 1 } })
      const waiting = yield* get({})
      yield* settle
      yield* Fiber.interrupt(waiting)
      strictEqual(network.dials[0].state, "Interrupted")
    }))

  it.scoped("that is interrupted again and again, sooner than one can connect, gets through at last", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({
        limits: { maxConnections: 1 },
        network: { dial: () => Effect.delay(Effect.succeed({}), 80), protocol: () => "unknown" }
      })
      const impatient = Effect.gen(function*() {
        const waiting = yield* get({})
        yield* TestClock.adjust(50)
        const result = outcome(waiting)
        yield* Fiber.interrupt(waiting)
        yield* TestClock.adjust(1)
        return result
      })
      deepStrictEqual(yield* Effect.replicateEffect(impatient, 4), ["waits", "waits", "done", "done"])
      deepStrictEqual(network.dials.map((_) => _.state), ["Interrupted", "Connected"])
    }))

  it.scoped("leaves a dial that others have the permit of when they need it, and that does not go on for ever", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({ limits: { maxConnections: 1 } })
      const interrupted = Effect.gen(function*() {
        const waiting = yield* get({})
        yield* TestClock.adjust(50)
        yield* Fiber.interrupt(waiting)
        yield* TestClock.adjust(1)
      })
      yield* Effect.replicateEffect(interrupted, 2)
      deepStrictEqual(network.dials.map((_) => _.state), ["Interrupted", "Dialing"])
      const other = yield* get({}, b)
      yield* settle
      deepStrictEqual(network.dials.map((_) => _.state), ["Interrupted", "Interrupted", "Dialing"])
      network.dials[2].succeed({})
      yield* Fiber.join(other)
      yield* interrupted
      yield* TestClock.adjust(5_000)
      strictEqual(network.open, 0)
    }))

  it.scoped("that gets another connection meanwhile leaves a dial that does not go on for ever", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({ limits: { maxConnections: 2 }, timeouts: { connect: 5_000 } })
      const both = [yield* get({ connect: "Infinity" }), yield* get({ connect: "Infinity" })]
      yield* TestClock.adjust("1 minute")
      network.dials[0].succeed({})
      yield* settle
      deepStrictEqual([...both.map(outcome), network.dials[1].state], ["done", "done", "Dialing"])
      yield* TestClock.adjust(5_000)
      strictEqual(network.dials[1].state, "Interrupted")
    }))

  it.scoped("gets the error of the network, and no other gets its timeout", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({ network: { dial: MemoryNetwork.hold, protocol: () => "unknown" } })
      const both = yield* Effect.forEach([50, 1_000], (connect) => get({ connect }))
      yield* TestClock.adjust(50)
      deepStrictEqual(both.map(outcome), ["ConnectTimeout", "waits"])
      network.dials[0].fail(yield* Effect.flip(MemoryNetwork.refuse(network.dials[0])))
      yield* settle
      deepStrictEqual(both.map(outcome), ["ConnectTimeout", "ConnectError"])
    }))

  it.scoped("fails before its turn for the pool comes to an end elsewhere: origins do not share ends", () =>
    Effect.gen(function*() {
      const { get } = yield* world({ limits: { maxConnections: 2 } })
      const fibers = [yield* get({ connect: 100 }, a), yield* get({ connect: 200 }, b)]
      yield* TestClock.adjust(100)
      deepStrictEqual(fibers.map(outcome), ["ConnectTimeout", "waits"])
      yield* TestClock.adjust(100)
      deepStrictEqual(fibers.map(outcome), ["ConnectTimeout", "ConnectTimeout"])
    }))

  it.scoped("warm has the pool's own time to connect", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* world({ timeouts: { connect: 300 } })
      const warming = yield* Effect.fork(pool.warm(a, 2))
      yield* TestClock.adjust(300)
      strictEqual(outcome(warming), "ConnectTimeout")
      deepStrictEqual(network.dials.map((_) => _.state), ["Interrupted", "Interrupted"])
    }))
})
