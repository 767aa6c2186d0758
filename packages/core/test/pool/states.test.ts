import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import { a, b } from "./support/origins.js"
import { isEmpty, open, outcome, send, take } from "./support/pool.js"
import { SteppingClock } from "./support/SteppingClock.js"

const h2: MemoryNetwork.Options = {
  protocol: () => "h2",
  dial: () => Effect.succeed({ protocol: "h2", capacity: 5 })
}

describe("setLimits", () => {
  it.scoped("raised, serves the waiters at once", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnections: 1 } })
      const held = yield* take(pool, a)
      const waiting = yield* Effect.forEach([a, b, b], (origin) => Effect.fork(take(pool, origin)))
      yield* settle
      deepStrictEqual(waiting.map(outcome), ["waits", "waits", "waits"])
      yield* pool.setLimits({ maxConnections: 4 })
      yield* settle
      deepStrictEqual([waiting.map(outcome), network.open], [["done", "done", "done"], 4])
      yield* pool.setLimits({ maxConnections: 1 })
      deepStrictEqual([network.open, pool.unsafeStats().permitsFree], [4, -3])
      yield* held.release
      for (const fiber of waiting) yield* (yield* Fiber.join(fiber)).release
      yield* settle
      ok(network.open <= 1)
    }))

  it.scoped("lowered below what is being made, drops what has no permit, and the waiters go on waiting", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnections: 3 }, network: { dial: MemoryNetwork.hold } })
      const waiting = yield* Effect.forEach(
        [a, a, a],
        (origin) => Effect.fork(send(pool, origin, { timeout: "Infinity" }))
      )
      yield* settle
      strictEqual(network.dials.length, 3)
      yield* pool.setLimits({ maxConnections: 1 })
      yield* settle
      for (const dial of network.dials.slice()) dial.succeed({})
      yield* settle
      for (const dial of network.dials.slice(3)) dial.succeed({})
      yield* TestClock.adjust(100)
      deepStrictEqual(waiting.map(outcome), ["done", "done", "done"])
      ok(network.open <= 1, `${network.open}`)
    }))
})

describe("warm", () => {
  it.scoped("of nothing, of more than fits, and twice at once", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnections: 3 } })
      yield* pool.warm(a, 0)
      strictEqual(network.open, 0)
      yield* Effect.all([pool.warm(a, 10), pool.warm(a, 2), pool.warm(b, 2)], { concurrency: "unbounded" })
      strictEqual(network.open, 3)
      for (const wrong of [-1, 1.5, NaN, "2", null]) {
        const exit = yield* Effect.exit(pool.warm(a, wrong as never))
        ok(exit._tag === "Failure", `warm of ${String(wrong)}`)
      }
    }))

  it.scoped("takes no connection from who uses it, and ends when another origin needs its permit", () =>
    Effect.gen(function*() {
      const { pool, network } = yield* open({
        limits: { maxConnections: 1 },
        network: { dial: (dial) => dial.origin === a ? MemoryNetwork.hold(dial) : Effect.succeed({}) }
      })
      const warming = yield* Effect.fork(pool.warm(a, 1))
      yield* settle
      const other = yield* Effect.fork(send(pool, b, { timeout: "10 seconds" }))
      yield* TestClock.adjust("5 seconds")
      yield* settle
      deepStrictEqual([outcome(warming), outcome(other), network.open], ["ConnectTimeout", "done", 1])
    }))
})

describe("stats", () => {
  it.scoped("add up in every state of a connection", () =>
    Effect.gen(function*() {
      const world = yield* open({
        limits: { maxConnections: 2 },
        network: {
          dial: () => Effect.as(Effect.sleep(100), { closing: Effect.sleep(100) })
        }
      })
      const { pool } = world
      const sums: Array<number> = []
      const look = Effect.sync(() => {
        const { active, closing, dialing, idle, open, permitsFree } = pool.unsafeStats()
        sums.push(active + closing + dialing + idle - open, open + permitsFree - 2)
        const origins = [...pool.unsafeStats().origins.values()]
        sums.push(origins.reduce((sum, origin) => sum + origin.open, 0) - open)
      })
      const load = yield* Effect.fork(Effect.forEach([a, b, a, b, b], (origin) =>
        Effect.zipRight(send(pool, origin, { timeout: "1 minute" }), pool.evictIdle), { concurrency: "unbounded" }))
      for (let n = 0; n < 200; n++) {
        yield* look
        yield* TestClock.adjust(10)
      }
      yield* Fiber.join(load)
      deepStrictEqual(
        sums.filter((_) =>
          _ !== 0
        ),
        []
      )
      yield* pool.evictIdle
      yield* TestClock.adjust("1 second")
      yield* isEmpty(world)
    }))
})

describe("bad clocks", () => {
  it.scoped("that jump at every step disturb neither quanta nor back-off nor ages", () =>
    Effect.gen(function*() {
      const clock = new SteppingClock(yield* Effect.clock)
      const { network, pool } = yield* Effect.withClock(
        open({
          limits: { maxConnections: 1, keepAliveExpiry: "Infinity" },
          network: { ...h2, respond: () => Effect.delay(Effect.succeed({}), 20) }
        }),
        clock
      )
      const done = yield* Effect.fork(Effect.forEach(
        Array.from({ length: 60 }, (_, i) => i % 2 === 0 ? a : b),
        (origin) => send(pool, origin, { timeout: "1 minute" }),
        { concurrency: "unbounded" }
      ))
      for (let n = 0; n < 50; n++) {
        clock.step(n % 3 === 0 ? -7_200_000 : 3_600_000)
        yield* TestClock.adjust(10)
      }
      yield* Fiber.join(done)
      // 12 rounds of 20 ms: a connection stays for a quantum of 50 ms.
      ok(network.connections.length <= 6, `${network.connections.length} connections`)
    }))
})
