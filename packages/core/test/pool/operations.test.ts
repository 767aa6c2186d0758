import { describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import type { PoolEvent } from "../../src/PoolEvent.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import { ConnectError } from "../../src/TransportError.js"
import { measured, metricsOf } from "./support/metrics.js"
import { a, b } from "./support/origins.js"
import { isEmpty, isSound, open, outcome, send, take } from "./support/pool.js"

const refused = new ConnectError({ origin: a.href, reason: "Refused", detail: "connection refused" })

describe("warm", () => {
  it.scoped("connects until there are so many, and no more than the limits allow", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 4, maxConnectionsPerOrigin: 3 } })
      const { pool } = world
      yield* pool.warm(a, 2)
      yield* pool.warm(a, 2)
      strictEqual(pool.unsafeStats().idle, 2)
      yield* pool.warm(a, 100)
      deepStrictEqual([pool.unsafeStats().idle, world.network.dials.length], [3, 3])
      yield* pool.warm(b, 100)
      deepStrictEqual([pool.unsafeStats().open, pool.unsafeStats().origins.get(b.key)?.idle], [4, 1])
      yield* pool.warm(a, 0)
      yield* isSound(world)
    }))

  it.scoped("fails with the first error of a dial; the others are made", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { dial: MemoryNetwork.hold } })
      const warming = yield* Effect.fork(pool.warm(a, 3))
      yield* settle
      network.dials[1].fail(refused)
      strictEqual(yield* Effect.flip(Fiber.join(warming)), refused)
      network.dials[0].succeed({})
      network.dials[2].succeed({})
      yield* settle
      strictEqual(pool.unsafeStats().idle, 2)
    }))

  it.scoped("interrupted, abandons the dials that nobody waits for", () =>
    Effect.gen(function*() {
      const world = yield* open({ network: { dial: MemoryNetwork.hold } })
      const { network, pool } = world
      const warming = yield* Effect.fork(pool.warm(a, 3))
      yield* settle
      const waiting = yield* Effect.fork(send(pool, a))
      yield* settle
      strictEqual(network.dials.length, 3)
      yield* Fiber.interrupt(warming)
      yield* settle
      deepStrictEqual(network.dials.filter((_) => _.state === "Interrupted").length, 2)
      for (const dial of network.dials) dial.succeed({})
      yield* Fiber.join(waiting)
      strictEqual(network.open, 1)
      yield* isSound(world)
    }))

  it.scoped("is not undone by a request that takes one of its dials and is abandoned", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { dial: MemoryNetwork.hold } })
      const first = yield* Effect.fork(send(pool, a))
      yield* settle
      const warming = yield* Effect.fork(pool.warm(a, 3))
      yield* settle
      yield* Fiber.interrupt(first)
      yield* settle
      deepStrictEqual(network.dials.map((_) => _.state), ["Dialing", "Dialing", "Dialing"])
      for (const dial of network.dials) dial.succeed({})
      yield* Fiber.join(warming)
      strictEqual(pool.unsafeStats().idle, 3)
    }))

  it.scoped("waits for the dials of another one, and for those of requests", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { dial: MemoryNetwork.hold } })
      const first = yield* Effect.fork(pool.warm(a, 2))
      yield* settle
      const second = yield* Effect.fork(pool.warm(a, 2))
      const third = yield* Effect.fork(pool.warm(a, 1))
      yield* settle
      deepStrictEqual([network.dials.length, outcome(second), outcome(third)], [2, "waits", "waits"])
      // The first one's end is not the others': they still want what it began.
      yield* Fiber.interrupt(first)
      yield* settle
      deepStrictEqual(network.dials.map((_) => _.state), ["Dialing", "Dialing"])
      network.dials[0].succeed({})
      yield* settle
      strictEqual(outcome(second), "waits")
      network.dials[1].succeed({})
      yield* settle
      deepStrictEqual([outcome(second), outcome(third), pool.unsafeStats().idle], ["done", "done", 2])
    }))

  it.scoped("fails with the dials of another one", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { dial: MemoryNetwork.hold } })
      const both = yield* Effect.forEach([1, 2], () => Effect.fork(pool.warm(a, 1)))
      yield* settle
      strictEqual(network.dials.length, 1)
      network.dials[0].fail(refused)
      for (const warming of both) strictEqual(yield* Effect.flip(Fiber.join(warming)), refused)
    }))

  it.scoped("ends when a lower limit leaves no room for what it wanted", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.makeLatch()
      const { pool } = yield* open({
        limits: { maxConnections: 2 },
        network: { dial: () => Effect.succeed({ closing: gone.await }) }
      })
      yield* Effect.forEach([a, b], (_) => send(pool, _))
      yield* pool.evictIdle
      const warming = yield* Effect.fork(pool.warm(a, 2))
      yield* settle
      strictEqual(outcome(warming), "waits")
      yield* pool.setLimits({ maxConnections: 1 })
      yield* gone.open
      yield* Fiber.join(warming)
      strictEqual(pool.unsafeStats().open, 1)
    }))
})

describe("setLimits", () => {
  it.scoped("to more starts what waits", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 1 } })
      const held = yield* take(world.pool, a)
      const waiting = yield* Effect.forEach([a, b], (_) => Effect.fork(take(world.pool, _)))
      yield* settle
      yield* world.pool.setLimits({ maxConnections: 3 })
      for (const fiber of waiting) yield* (yield* Fiber.join(fiber)).release
      yield* isSound(world)
      yield* held.release
    }))

  it.scoped("to less closes what is idle first, and what is busy when it is given back", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnections: 4 } })
      const held = yield* Effect.forEach([a, a, a], (_) => take(pool, _))
      yield* send(pool, b)
      yield* pool.setLimits({ maxConnections: 1 })
      yield* settle
      deepStrictEqual(network.connections.map((_) => _.isOpen), [true, true, true, false])
      const waiting = yield* Effect.fork(send(pool, b))
      yield* held[0].release
      yield* held[1].release
      yield* settle
      deepStrictEqual([network.open, outcome(waiting)], [1, "waits"])
      yield* held[2].release
      yield* Fiber.join(waiting)
      strictEqual(network.open, 1)
      strictEqual((yield* pool.limits).maxConnections, 1)
    }))

  it.scoped("reaches the limit of an origin, and its waiters", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnectionsPerOrigin: 1 } })
      const first = yield* take(world.pool, a)
      const second = yield* Effect.fork(take(world.pool, a))
      yield* settle
      yield* world.pool.setLimits({ maxConnectionsPerOrigin: 2 })
      const held = yield* Fiber.join(second)
      yield* world.pool.setLimits({ maxConnectionsPerOrigin: 1 })
      yield* held.release
      yield* settle
      strictEqual(world.network.open, 1)
      yield* first.release
      strictEqual(world.pool.unsafeStats().idle, 1)
    }))

  it.scoped("reaches a connection that is being made: it is kept only if there is room", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnections: 2 }, network: { dial: MemoryNetwork.hold } })
      const warming = yield* Effect.fork(pool.warm(a, 2))
      yield* settle
      yield* pool.setLimits({ maxConnections: 1 })
      for (const dial of network.dials) dial.succeed({})
      yield* settle
      yield* Fiber.join(warming)
      deepStrictEqual([network.open, pool.unsafeStats().idle], [1, 1])
    }))

  it.scoped("holds what is idle already to the new expiry, counted from when it became idle", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { keepAliveExpiry: "1 minute" } })
      yield* send(pool, a)
      yield* TestClock.adjust("2 seconds")
      yield* pool.setLimits({ keepAliveExpiry: "3 seconds" })
      yield* TestClock.adjust(999)
      strictEqual(network.open, 1)
      yield* TestClock.adjust(1)
      strictEqual(network.open, 0)
      yield* send(pool, a)
      yield* TestClock.adjust("2 seconds")
      yield* pool.setLimits({ keepAliveExpiry: "1 second" })
      yield* settle
      strictEqual(network.open, 0)
      yield* pool.setLimits({ keepAliveExpiry: "1 second" })
      yield* send(pool, a)
      yield* pool.setLimits({ keepAliveExpiry: "Infinity" })
      yield* TestClock.adjust("1 day")
      strictEqual(network.open, 1)
    }))

  it.scoped("holds what was made already to the new age and the new number of requests", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { keepAliveExpiry: "Infinity" } })
      yield* send(pool, a)
      const held = yield* take(pool, b)
      yield* TestClock.adjust("10 seconds")
      yield* pool.setLimits({ keepAliveExpiry: "Infinity", maxConnectionAge: "5 seconds" })
      yield* settle
      // The one in use finishes first.
      strictEqual(network.open, 1)
      yield* held.release
      yield* settle
      strictEqual(network.open, 0)
      yield* pool.setLimits({ maxConnectionAge: "Infinity" })
      yield* send(pool, a)
      yield* send(pool, a)
      yield* pool.setLimits({ keepAliveExpiry: "Infinity", maxRequestsPerConnection: 2 })
      yield* settle
      strictEqual(network.open, 0)
      yield* send(pool, a)
      yield* pool.setLimits({ maxConnectionAge: "1 minute", maxRequestsPerConnection: Infinity })
      yield* TestClock.adjust("50 seconds")
      strictEqual(network.open, 1)
      yield* pool.setLimits({ maxConnectionAge: "Infinity" })
      yield* TestClock.adjust("1 hour")
      strictEqual(network.open, 1)
    }))

  it.scoped("that make no sense changes nothing", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 7 } })
      const error = yield* Effect.flip(pool.setLimits({ maxConnections: 1.5 }))
      deepStrictEqual([error.message, (yield* pool.limits).maxConnections], [
        "limits.maxConnections is 1.5: expected a whole number of at least 1, or Infinity",
        7
      ])
      const misspelt = yield* Effect.flip(pool.setLimits({ maxConections: 5 } as never))
      deepStrictEqual([misspelt.message, (yield* pool.limits).maxConnections], [
        "limits.maxConections is not an option: did you mean limits.maxConnections?",
        7
      ])
    }))

  it.scoped("leave as it is what they do not name", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({
        limits: { maxConnections: 7, maxPendingRequests: 3, keepAliveExpiry: "1 minute" }
      })
      const before = yield* pool.limits
      yield* pool.setLimits({ maxConnections: 9 })
      deepStrictEqual({ ...(yield* pool.limits) }, { ...before, maxConnections: 9 })
      yield* pool.setLimits({ maxConnections: undefined, maxPendingRequests: Infinity })
      deepStrictEqual({ ...(yield* pool.limits) }, { ...before, maxConnections: 9, maxPendingRequests: Infinity })
    }))

  it.scoped("may let fewer connections be open than are kept, unless both are said at once", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({})
      yield* pool.setLimits({ maxConnections: 5 })
      strictEqual((yield* pool.limits).maxKeepAliveConnections, 20)
      const error = yield* Effect.flip(pool.setLimits({ maxKeepAliveConnections: 6 }))
      deepStrictEqual(
        error.message,
        "limits.maxKeepAliveConnections is 6: expected no more than maxConnections (5), for no more can be kept"
      )
    }))
})

describe("stats", () => {
  it.scoped("count each connection in one state, in all and by origin", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.makeLatch()
      const { network, pool } = yield* open({
        limits: { maxConnections: 4 },
        network: {
          dial: (dial) => dial.origin === b ? dial.outcome : Effect.succeed({ closing: gone.await })
        }
      })
      yield* Effect.addFinalizer(() => gone.open)
      const [busy, closing] = [yield* take(pool, a), yield* take(pool, a)]
      const idle = yield* take(pool, a)
      yield* idle.release
      network.connections[1].close()
      const dialing = yield* Effect.fork(send(pool, b))
      yield* settle
      // It is to have the permit of the one that closes, so the idle one stays.
      const waiting = yield* Effect.fork(send(pool, b))
      yield* settle
      const stats = yield* pool.stats
      deepStrictEqual(
        { ...stats, origins: Object.fromEntries(stats.origins) },
        {
          open: 4,
          active: 1,
          idle: 1,
          dialing: 1,
          closing: 1,
          waiting: 2,
          maxConnections: 4,
          permitsFree: 0,
          leases: 2,
          origins: {
            [a.key]: { open: 3, active: 1, idle: 1, dialing: 0, closing: 1, waiting: 0 },
            [b.key]: { open: 1, active: 0, idle: 0, dialing: 1, closing: 0, waiting: 2 }
          }
        }
      )
      yield* gone.open
      yield* Fiber.interruptAll([dialing, waiting])
      yield* busy.release
      yield* closing.release
      yield* settle
      const after = yield* pool.stats
      deepStrictEqual(Object.fromEntries(after.origins), {
        [a.key]: { open: 2, active: 0, idle: 2, dialing: 0, closing: 0, waiting: 0 }
      })
    }))
})

describe("events", () => {
  it.effect("report what happened, in order, with reasons and times, and end with the pool", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { pool } = yield* Scope.extend(
        open({
          limits: { maxConnections: 1 },
          network: { dial: () => Effect.delay(Effect.succeed({}), 100) }
        }),
        scope
      )
      const listening = yield* Effect.fork(Stream.runCollect(pool.events))
      yield* settle
      const first = yield* Effect.fork(take(pool, a))
      yield* TestClock.adjust(100)
      const held = yield* Fiber.join(first)
      const second = yield* Effect.fork(take(pool, a))
      const third = yield* Effect.fork(take(pool, b, { timeout: 50 }))
      yield* TestClock.adjust(50)
      yield* held.release
      yield* settle
      yield* (yield* Fiber.join(second)).release
      yield* TestClock.adjust(200)
      yield* (yield* take(pool, a)).release
      const last = yield* Effect.fork(take(pool, b))
      yield* TestClock.adjust(100)
      yield* (yield* Fiber.join(last)).release
      yield* Scope.close(scope, Exit.void)
      strictEqual(outcome(third), "PoolTimeout")
      const events = Chunk.toReadonlyArray(yield* Fiber.join(listening))
      deepStrictEqual(events.map(inWords), [
        "DialStarted 1",
        "Waiting 1",
        "DialSucceeded 1 after 100",
        "Granted 1 new, waited 100",
        "Waiting 1",
        "Waiting 2",
        "Refused PoolTimeout after 50",
        "Released 1",
        "Granted 1 reused, waited 50",
        "Released 1",
        "Granted 1 reused, idle 200",
        "Released 1",
        "Evicted 1",
        "Waiting 1",
        "Closed 1 Evicted after 350, 3 requests",
        "DialStarted 2",
        "DialSucceeded 2 after 100",
        "Granted 2 new, waited 100",
        "Released 2",
        "Closed 2 PoolClosed after 100, 1 requests",
        "PoolClosed"
      ])
      // Who listens too late is not kept waiting.
      deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(pool.events)), [])
    }))
})

const inWords = (event: PoolEvent): string => {
  switch (event._tag) {
    case "Waiting":
      return `Waiting ${event.waiting}`
    case "Granted":
      return `Granted ${event.connection} ${event.reused ? "reused" : "new"}` +
        (event.waitTime > 0 ? `, waited ${event.waitTime}` : "") +
        (event.idleTime > 0 ? `, idle ${event.idleTime}` : "")
    case "Refused":
      return `Refused ${event.reason} after ${event.waitTime}`
    case "DialSucceeded":
      return `DialSucceeded ${event.connection} after ${event.duration}`
    case "Closed":
      return `Closed ${event.connection} ${event.reason} after ${event.duration}, ${event.requests} requests`
    case "PoolClosed":
      return event._tag
    default:
      return `${event._tag} ${event.connection}`
  }
}

describe("metrics", () => {
  const name = "operations"
  const count = (metric: string, attributes = {}) => measured(name, metric, attributes)
  const histogram = (metric: string) => {
    const all = metricsOf(name).filter((_) => _.name === metric)
    return { count: all.reduce((sum, _) => sum + _.value, 0), sum: all.reduce((sum, _) => sum + _.sum, 0) }
  }
  const state = (value: string) => ({ "http.connection.state": value })

  const current = Effect.sync(() => ({
    active: count("http.client.open_connections", state("active")),
    idle: count("http.client.open_connections", state("idle")),
    requests: count("http.client.active_requests"),
    pending: count("sluice.client.pending_requests"),
    refused: count("sluice.client.refused_requests", { "error.type": "PoolTimeout.nested" })
  }))

  it.effect("follow the pool, and are back where they were when it is closed", () =>
    Effect.gen(function*() {
      const before = yield* current
      const waits = histogram("sluice.client.connection.wait_time")
      const lives = histogram("http.client.connection.duration")
      const since = Effect.map(current, (now) => {
        const keys = Object.keys(now) as Array<keyof typeof now>
        return Object.fromEntries(keys.map((key) => [key, now[key] - before[key]]))
      })
      yield* Effect.scoped(Effect.gen(function*() {
        const { network, pool } = yield* open({
          name,
          limits: { maxConnections: 1 },
          network: { dial: MemoryNetwork.hold, protocol: () => "h2" }
        })
        const holding = yield* Effect.fork(take(pool, a))
        yield* TestClock.adjust("1 second")
        network.dials[0].succeed({ protocol: "h2", capacity: 1 })
        const held = yield* Fiber.join(holding)
        const waiting = yield* Effect.forEach([10_000, 500], (timeout) => Effect.fork(take(pool, a, { timeout })))
        yield* settle
        deepStrictEqual(yield* since, { active: 1, idle: 0, requests: 1, pending: 2, refused: 0 })
        yield* TestClock.adjust("1 second")
        yield* held.release
        yield* (yield* Fiber.join(waiting[0])).release
        deepStrictEqual(yield* since, { active: 0, idle: 1, requests: 0, pending: 0, refused: 1 })
        const failing = yield* Effect.fork(send(pool, b))
        yield* settle
        network.dials[1].fail(refused)
        yield* Fiber.await(failing)
      }))
      deepStrictEqual(yield* since, { active: 0, idle: 0, requests: 0, pending: 0, refused: 1 })
      const waited = histogram("sluice.client.connection.wait_time")
      const lived = histogram("http.client.connection.duration")
      deepStrictEqual([waited.count - waits.count, waited.sum - waits.sum], [2, 2])
      // One connection, for a second; a dial that failed is none.
      deepStrictEqual([lived.count - lives.count, lived.sum - lives.sum], [1, 1])
      ok(waits.count >= 0)
    }))
})

describe("evictIdle", () => {
  it.scoped("closes what is idle and says how many", () =>
    Effect.gen(function*() {
      const world = yield* open()
      yield* Effect.forEach([a, b], (_) => send(world.pool, _))
      strictEqual(yield* world.pool.evictIdle, 2)
      yield* settle
      yield* isEmpty(world)
    }))
})
