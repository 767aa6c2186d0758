import { describe, it } from "@effect/vitest"
import { Deadlines, exclusive, type LeaseTicket, PoolCore, Ticket } from "@sluice/engine/pool"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import { Connector } from "../../src/Connector.js"
import { hostOf } from "../../src/internal/connectionPool.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import { ConnectError } from "../../src/TransportError.js"
import { roomy } from "./support/limits.js"
import { a, b, c } from "./support/origins.js"
import { isEmpty, isSound, open, outcome, send, take } from "./support/pool.js"

// How pools of others have failed: `pool-behaviour`, section 3. Those that are the pool's, by their numbers there.

const refused = (detail: string) => new ConnectError({ origin: a.href, reason: "Refused", detail })

describe("a waiter", () => {
  // 1: aiohttp #9670, a wake-up lost when the chosen waiter is cancelled in the same tick
  it.scoped("that is interrupted in the tick in which it is given a connection passes it on", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 1 } })
      const held = yield* take(world.pool, a)
      const [chosen, next] = yield* Effect.forEach([1, 2], () => Effect.fork(take(world.pool, a)))
      yield* settle
      yield* Effect.sync(() => {
        Effect.runSync(held.release)
        chosen.unsafeInterruptAsFork(FiberId.none)
      })
      yield* settle
      deepStrictEqual([outcome(chosen), outcome(next)], ["interrupted", "done"])
      yield* (yield* Fiber.join(next)).release
      yield* isSound(world)
    }))

  // 2: HC5 #649, vert.x #6169, granted and timed out at once
  it.scoped("whose time is up when a connection comes free gets one or the other", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 1 } })
      for (const timeout of [999, 1_000, 1_001]) {
        const held = yield* take(world.pool, a)
        const waiting = yield* Effect.fork(Effect.scoped(world.pool.acquire(a, { timeout })))
        const releasing = yield* Effect.fork(Effect.zipRight(Effect.sleep(1_000), held.release))
        yield* TestClock.adjust(2_000)
        yield* Fiber.join(releasing)
        if (timeout !== 1_000) strictEqual(outcome(waiting), timeout < 1_000 ? "PoolTimeout" : "done")
        ok(["PoolTimeout", "done"].includes(outcome(waiting)))
        deepStrictEqual([world.pool.unsafeStats().leases, world.pool.unsafeStats().idle], [0, 1])
        yield* isSound(world)
      }
    }))

  // 5: http4s #6058, Effect #1611, a dial or wait that can't be interrupted
  it.scoped("can be interrupted, and so can its dial, wherever the pool was made", () =>
    Effect.gen(function*() {
      const world = yield* Effect.uninterruptible(open({ network: { dial: MemoryNetwork.hold } }))
      const dialing = yield* Effect.fork(send(world.pool, a))
      yield* settle
      yield* Fiber.interrupt(dialing)
      yield* settle
      strictEqual(world.network.dials[0].state, "Interrupted")
      yield* isEmpty(world)
    }))

  // 6: Go #65705, aiohttp #2189, httpcore #1093, cancel during connect leaks a socket or slot
  it.scoped("that is interrupted while it is dialed for leaves no socket and no permit behind", () =>
    Effect.gen(function*() {
      const world = yield* open({
        limits: { maxConnections: 3 },
        network: { dial: () => Effect.sleep("1 second").pipe(Effect.as({})) }
      })
      for (let i = 0; i < 100; i++) {
        const dialing = yield* Effect.forEach([a, b, c], (_) => Effect.fork(send(world.pool, _)))
        yield* settle
        yield* Fiber.interruptAll(dialing)
        yield* settle
      }
      yield* isEmpty(world)
      deepStrictEqual([world.network.dials.length, world.network.maxOpen], [300, 3])
    }))

  // 10: Go #67665, the deadline is re-armed on every retry
  it.scoped("has one deadline, however often a dial for it fails", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { maxConnectionsPerOrigin: 2 },
        timeouts: { pool: "5 seconds" },
        network: { dial: MemoryNetwork.hold }
      })
      const holding = yield* Effect.fork(take(pool, a))
      yield* settle
      network.dials[0].succeed({})
      const held = yield* Fiber.join(holding)
      // Each newcomer makes the pool dial once more, and each dial fails after a second.
      const waiting = yield* Effect.fork(take(pool, a))
      for (let second = 1; second <= 4; second++) {
        yield* settle
        network.dials[second].fail(refused(`dial ${second}`))
        yield* TestClock.adjust("1 second")
        yield* Effect.fork(take(pool, a, { timeout: "1 minute" }))
      }
      yield* TestClock.adjust(999)
      strictEqual(outcome(waiting), "waits")
      yield* settle
      network.dials[5].fail(refused("the last"))
      yield* TestClock.adjust(1)
      strictEqual((yield* Effect.flip(Fiber.join(waiting)))._tag, "PoolTimeout")
      yield* held.release
    }))

  // 12: Go #33850, cancelled waiters are kept
  it("that is abandoned is forgotten at once, wherever it stands", () => {
    const core = new PoolCore<string>({
      limits: { ...roomy, maxConnections: 1 },
      deadlines: new Deadlines(() => {}),
      background: new Deadlines(() => {}),
      wallClock: () => 0,
      whenFull: "dial",
      dialPatience: Infinity,
      random: () => 0
    })
    const origin = core.state.origin("a", exclusive)
    const tickets = Array.from({ length: 10_000 }, () => {
      const ticket = new Ticket<string>(origin, { granted: () => {}, refused: () => {} }, 5_000, 5_000)
      core.acquire(ticket, 0)
      return ticket
    })
    // One of each for the pool; the first has a dial under way for it as well.
    strictEqual(core.state.options.deadlines.size, 10_001)
    for (let i = 0; i < tickets.length; i += 2) core.abandon(tickets[i], 0)
    for (let i = 1; i < tickets.length; i += 2) core.abandon(tickets[tickets.length - i], 0)
    deepStrictEqual([core.state.waiting, origin.waiters.size, core.state.options.deadlines.size], [0, 0, 0])
    deepStrictEqual([origin.waiters.first, origin.waiters.last], [undefined, undefined])
  })

  // 29: httpcore 1.0.9, waiters survive the closing of the pool and dial again
  it.effect("gets PoolClosed when the pool closes, and nothing is dialed any more", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { network, pool } = yield* Scope.extend(
        open({ limits: { maxConnections: 1 }, network: { dial: MemoryNetwork.hold } }),
        scope
      )
      const waiting = yield* Effect.forEach([a, a, b], (_) => Effect.fork(send(pool, _)))
      yield* settle
      yield* Scope.close(scope, Exit.void)
      yield* settle
      deepStrictEqual(waiting.map(outcome), ["PoolClosed", "PoolClosed", "PoolClosed"])
      strictEqual((yield* Effect.flip(send(pool, a)))._tag, "PoolClosed")
      strictEqual((yield* Effect.flip(pool.warm(a, 1)))._tag, "PoolClosed")
      deepStrictEqual(network.dials.map((_) => _.state), ["Interrupted"])
    }))

  // 31: undici #341, #386, #350, abort while queued or connecting does not settle
  it.scoped("can be interrupted while it is in the queue, while it is dialed for, and when its dial has been abandoned", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 1 }, network: { dial: MemoryNetwork.hold } })
      const fibers = yield* Effect.forEach([a, a, b], (_) => Effect.fork(send(world.pool, _)))
      yield* settle
      yield* Fiber.interruptAll(fibers)
      deepStrictEqual(fibers.map(outcome), ["interrupted", "interrupted", "interrupted"])
      yield* settle
      yield* isEmpty(world)
    }))

  // 33: httpcore #1035, Effect 3's Semaphore, each release wakes every waiter
  it.scoped("is the only one that a release resumes", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 1 } })
      const held = yield* take(pool, a)
      const notified: Array<string> = []
      const { driver } = hostOf(pool)
      const owner = {
        caller: yield* Effect.fiberId,
        context: undefined,
        wanted: a,
        describe: () => ({ method: "GET", url: "/", bodyUnread: false }),
        granted: (ticket: LeaseTicket) => {
          notified.push("granted")
          driver.release(ticket)
        },
        refused: () => {
          notified.push("refused")
        }
      }
      for (let i = 0; i < 100; i++) driver.request(a, owner, Infinity, Infinity)
      deepStrictEqual(notified, [])
      yield* held.release
      yield* settle
      deepStrictEqual(notified, Array.from({ length: 100 }, () => "granted"))
    }))
})

describe("a dial", () => {
  // 7: Go #76784, detached dials grow without bound
  it.scoped("counts against the limits, and ends when nobody wants it", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 5 }, network: { dial: MemoryNetwork.hold } })
      for (let i = 0; i < 20; i++) {
        const fibers = yield* Effect.forEach(Array.from({ length: 10 }), () => Effect.fork(send(world.pool, a)))
        yield* settle
        strictEqual(world.network.open, 5)
        yield* Fiber.interruptAll(fibers)
        yield* settle
        strictEqual(world.network.open, 0)
      }
      strictEqual(world.network.maxOpen, 5)
      yield* isEmpty(world)
    }))

  // 8: Go #66442, a losing dial thrown away though usable
  it.scoped("that lost to a connection given back is kept", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { dial: MemoryNetwork.hold } })
      const first = yield* Effect.fork(take(pool, a))
      yield* settle
      network.dials[0].succeed({})
      const held = yield* Fiber.join(first)
      const second = yield* Effect.fork(send(pool, a))
      yield* settle
      yield* held.release
      strictEqual(yield* Fiber.join(second), 1)
      network.dials[1].succeed({})
      yield* settle
      strictEqual(pool.unsafeStats().idle, 2)
    }))

  // 9: hyper #3199, Go #24194, a shared dial dies with its first caller
  it.scoped("that several wait for goes on when the first of them is interrupted, and all get its error", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { protocol: () => "unknown", dial: MemoryNetwork.hold } })
      const [first, ...others] = yield* Effect.forEach([1, 2, 3], () => Effect.fork(send(pool, a)))
      yield* settle
      strictEqual(network.dials.length, 1)
      yield* Fiber.interrupt(first)
      strictEqual(network.dials[0].state, "Dialing")
      const error = refused("all of them")
      network.dials[0].fail(error)
      yield* settle
      for (const fiber of others) strictEqual(yield* Effect.flip(Fiber.join(fiber)), error)
    }))

  it.scoped("that failed fails the one who waited longest, and the others wait for the rest", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { dial: MemoryNetwork.hold } })
      const [first, second] = yield* Effect.forEach([1, 2], () => Effect.fork(send(pool, a)))
      yield* settle
      network.dials[1].fail(refused("the second dial"))
      yield* settle
      deepStrictEqual([outcome(first), outcome(second)], ["ConnectError", "waits"])
      network.dials[0].succeed({})
      strictEqual(yield* Fiber.join(second), 1)
    }))

  it.scoped("that failed while another connection serves fails nobody, and is not made again at once", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { dial: MemoryNetwork.hold } })
      const holding = yield* Effect.fork(take(pool, a))
      yield* settle
      network.dials[0].succeed({})
      const held = yield* Fiber.join(holding)
      const waiting = yield* Effect.fork(send(pool, a))
      yield* settle
      network.dials[1].fail(refused("no more than one"))
      yield* settle
      deepStrictEqual([outcome(waiting), network.dials.length], ["waits", 2])
      yield* held.release
      strictEqual(yield* Fiber.join(waiting), 1)
    }))

  it.scoped("takes no longer than timeouts.connect, and what it was for fails with ConnectTimeout", () =>
    Effect.gen(function*() {
      const world = yield* open({ timeouts: { pool: 0, connect: "3 seconds" }, network: { dial: () => Effect.never } })
      const waiting = yield* Effect.fork(send(world.pool, a))
      yield* TestClock.adjust(2_999)
      strictEqual(outcome(waiting), "waits")
      yield* TestClock.adjust(1)
      strictEqual(outcome(waiting), "ConnectTimeout")
      yield* settle
      yield* isEmpty(world)
    }))

  // 26: OkHttp #2573, Go #27753, a storm of dials to an HTTP/2 origin
  it.scoped("is one at a cold start of an origin that negotiates, and as many as needed when it is known", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { keepAliveExpiry: "1 second" },
        network: { protocol: () => "unknown", dial: MemoryNetwork.hold }
      })
      const cold = yield* Effect.forEach([1, 2, 3], () => Effect.fork(take(pool, a)))
      yield* settle
      strictEqual(network.dials.length, 1)
      network.dials[0].succeed({})
      yield* settle
      // It speaks HTTP/1.1: now the others are dialed for.
      strictEqual(network.dials.length, 3)
      network.dials[1].succeed({})
      network.dials[2].succeed({})
      for (const fiber of cold) yield* (yield* Fiber.join(fiber)).release
      yield* TestClock.adjust("1 second")
      strictEqual(network.open, 0)
      const warm = yield* Effect.forEach([1, 2, 3], () => Effect.fork(take(pool, a)))
      yield* settle
      strictEqual(network.dials.length, 6)
      yield* Fiber.interruptAll(warm)
    }))

  it.scoped("of a connector that throws, dies or interrupts itself is a ConnectError", () =>
    Effect.gen(function*() {
      const dials = [
        () => {
          throw new Error("thrown")
        },
        () => Effect.die(new Error("died")),
        () => Effect.interrupt
      ]
      for (const dial of dials) {
        const world = yield* open({ network: { dial } })
        strictEqual((yield* Effect.flip(send(world.pool, a)))._tag, "ConnectError")
        strictEqual((yield* Effect.flip(world.pool.warm(a, 1)))._tag, "ConnectError")
        yield* settle
        yield* isEmpty(world)
      }
      const connector = {
        protocol: () => "http/1.1" as const,
        connect: () => {
          throw new Error("thrown")
        }
      }
      const pool = yield* ConnectionPool.make().pipe(Effect.provideService(Connector, connector))
      strictEqual((yield* Effect.flip(Effect.scoped(pool.acquire(a))))._tag, "ConnectError")
      strictEqual(pool.unsafeStats().open, 0)
    }))
})

describe("a connection", () => {
  // 13: hyper #2136, httpx #2983, undici #3492; the margin is in `conformance`, sending again is the client's
  // 16: zio-http #2610, invalid connection handed out
  it.scoped("that is closed is never lent again, even before its socket is gone", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.makeLatch()
      const { network, pool } = yield* open({
        network: { dial: () => Effect.succeed({ closing: gone.await }) }
      })
      yield* send(pool, a)
      network.connections[0].close()
      yield* settle
      strictEqual(yield* send(pool, a), 2)
      strictEqual(network.open, 2)
      yield* gone.open
    }))

  // 17: http4s #7216, a discarded connection still holds its permit; 35: httpcore 1.0.9, it gives it back too early
  it.scoped("that is not kept gives its permit back when its socket is gone, and not before", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.makeLatch()
      const world = yield* open({
        limits: { maxConnections: 1 },
        network: {
          dial: () => Effect.succeed({ closing: gone.await }),
          respond: () => Effect.succeed({ headers: { connection: "close" } })
        }
      })
      yield* send(world.pool, a)
      const next = yield* Effect.fork(send(world.pool, a))
      yield* settle
      deepStrictEqual([outcome(next), world.network.open, world.pool.unsafeStats().closing], ["waits", 1, 1])
      yield* isSound(world)
      yield* gone.open
      strictEqual(yield* Fiber.join(next), 2)
      strictEqual(world.network.maxOpen, 1)
    }))

  // 18: http4s #498, httpx #289, idle on host A blocks host B
  it.scoped("that is idle blocks no other host", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { maxConnections: 1, keepAliveExpiry: "Infinity" },
        network: { protocol: () => "h2", dial: () => Effect.succeed({ protocol: "h2" }) }
      })
      for (const target of [a, b, a, c, b]) yield* send(pool, target)
      deepStrictEqual([network.maxOpen, network.dials.length], [1, 5])
    }))

  // 27: Go #1496, close-idle kills one in use
  it.scoped("in use survives evictIdle, lower limits and its expiry", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { keepAliveExpiry: "1 second" } })
      const held = yield* take(pool, a)
      yield* send(pool, b)
      strictEqual(yield* pool.evictIdle, 1)
      strictEqual(yield* pool.evictIdle, 0)
      yield* pool.setLimits({ maxConnections: 1, maxKeepAliveConnections: 0 })
      yield* TestClock.adjust("1 minute")
      deepStrictEqual(network.connections.map((_) => _.isOpen), [true, false])
      yield* held.release
    }))

  // 28: HC5, slow close blocks others
  it.scoped("that closes slowly blocks nobody who can do without its permit", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.makeLatch()
      const { network, pool } = yield* open({
        limits: { maxConnections: 2 },
        timeouts: { pool: "5 seconds" },
        network: { dial: ({ origin }) => Effect.succeed({ closing: origin === a ? gone.await : Effect.void }) }
      })
      yield* send(pool, a)
      yield* pool.evictIdle
      yield* send(pool, b)
      const held = yield* take(pool, b)
      // Whoever needs that permit waits for it as for any other: no longer than for the pool.
      const waiting = yield* Effect.fork(send(pool, c))
      yield* TestClock.adjust("5 seconds")
      strictEqual(outcome(waiting), "PoolTimeout")
      strictEqual(network.maxOpen, 2)
      yield* held.release
      yield* gone.open
    }))

  it.scoped("that closes slowly keeps a request with a timeout of 0 no longer than connecting may", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.makeLatch()
      const { pool } = yield* open({
        limits: { maxConnections: 1 },
        timeouts: { pool: 0, connect: "3 seconds" },
        network: { dial: () => Effect.succeed({ closing: gone.await }) }
      })
      yield* send(pool, a)
      const waiting = yield* Effect.fork(send(pool, b))
      yield* TestClock.adjust(2_999)
      strictEqual(outcome(waiting), "waits")
      yield* TestClock.adjust(1)
      strictEqual(outcome(waiting), "PoolTimeout")
      yield* gone.open
    }))

  // 36: undici #5360, an assertion thrown inside a socket event handler kills the process
  it.scoped("may say anything at any time, and nothing is thrown at it", () =>
    Effect.gen(function*() {
      const world = yield* open({ network: { dial: () => Effect.succeed({ protocol: "h2", capacity: 2 }) } })
      const held = yield* take(world.pool, a)
      const server = held.server
      server.setCapacity(0)
      server.setCapacity(Infinity)
      server.goAway()
      server.setCapacity(5)
      server.goAway()
      server.close()
      server.goAway()
      server.setCapacity(1)
      yield* held.release
      yield* settle
      server.close()
      server.goAway()
      yield* isEmpty(world)
    }))

  it.scoped("made and closed before the pool knew it is a failed dial", () =>
    Effect.gen(function*() {
      const world = yield* open()
      const { connector } = world.network
      const pool = yield* ConnectionPool.make().pipe(Effect.provideService(Connector, {
        ...connector,
        connect: (origin, listener) =>
          Effect.tap(connector.connect(origin, listener), () => {
            world.network.connections[0].close()
            return settle
          })
      }))
      strictEqual((yield* Effect.flip(send(pool, a)))._tag, "ConnectError")
      yield* settle
      deepStrictEqual([pool.unsafeStats().open, world.network.open], [0, 0])
    }))
})

describe("an owner", () => {
  // 20: OkHttp #7084, a nested request dead-locks at limit 1
  it.scoped("that asks again with all connections in its own hands is refused with that", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 1 } })
      const nested = Effect.scoped(Effect.zipRight(pool.acquire(a), pool.acquire(b, { timeout: 0 })))
      const error = yield* Effect.flip(nested)
      ok(error._tag === "PoolTimeout")
      strictEqual(error.pool.heldByThisFiber, 1)
      deepStrictEqual(error.pool.longestHeld.map((_) => _.url), [a.href])
      // And a fiber that holds none is not.
      const held = yield* take(pool, a)
      const other = yield* Effect.fork(Effect.flip(send(pool, b, { timeout: 0 })))
      const innocent = yield* Fiber.join(other)
      ok(innocent._tag === "PoolTimeout")
      strictEqual(innocent.pool.heldByThisFiber, 0)
      yield* held.release
    }))

  it.scoped("of a connection to another origin is no reason to wait for this one, whose limit is reached", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 10, maxConnectionsPerOrigin: 2 } })
      yield* pool.acquire(b)
      const held = [yield* take(pool, a), yield* take(pool, a)]
      const others = yield* Effect.fork(Effect.either(send(pool, a)))
      yield* settle
      const error = yield* Effect.flip(Effect.scoped(pool.acquire(a, { timeout: 0 })))
      ok(error._tag === "PoolTimeout")
      const counts = { idle: 0, dialing: 0, closing: 0, waiting: 1 }
      deepStrictEqual(error.pool.origin, { ...counts, open: 2, active: 2 })
      deepStrictEqual([error.pool.open, error.pool.active], [3, 3])
      deepStrictEqual(error.pool.longestHeld.map((_) => _.url), [a.href, a.href])
      strictEqual(error.pool.heldByThisFiber, 2)
      ok(error.message.includes("2 of 2 connections open to this origin (limits.maxConnectionsPerOrigin): 2 active"))
      for (const lease of held) yield* lease.release
      yield* Fiber.join(others)
    }))

  // A failing hook leaks nothing.
  it.scoped("that throws when it is notified harms nobody else", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 1 } })
      const { driver } = hostOf(world.pool)
      const held = yield* take(world.pool, a)
      const tickets: Array<LeaseTicket> = []
      const bad = {
        caller: yield* Effect.fiberId,
        context: undefined,
        wanted: a,
        describe: () => ({ method: "GET", url: "/", bodyUnread: false }),
        granted: () => {
          throw new Error("an owner's own mistake")
        },
        refused: () => {}
      }
      tickets.push(driver.request(a, bad, Infinity, Infinity))
      const waiting = yield* Effect.fork(send(world.pool, a))
      yield* settle
      yield* Effect.exit(held.release)
      strictEqual(outcome(waiting), "waits")
      driver.release(tickets[0])
      strictEqual(yield* Fiber.join(waiting), 1)
      yield* isSound(world)
    }))

  it.scoped("whose scope is closed already has nothing", () =>
    Effect.gen(function*() {
      const world = yield* open()
      const scope = yield* Scope.make()
      yield* Scope.close(scope, Exit.void)
      const exit = yield* Effect.exit(Scope.extend(world.pool.acquire(a), scope))
      ok(Exit.isInterrupted(exit))
      strictEqual(world.pool.unsafeStats().leases, 0)
    }))
})

describe("many at once", () => {
  // httpx #720: the client closed and made anew, for ever
  it.effect("through a pool that is closed and made again: no permit is lost", () =>
    Effect.gen(function*() {
      let dials = 0
      for (let round = 0; round < 100; round++) {
        yield* Effect.scoped(Effect.gen(function*() {
          const { network, pool } = yield* open({ limits: { maxConnections: 10 } })
          yield* Effect.forEach(Array.from({ length: 25 }), () => send(pool, a), { concurrency: "unbounded" })
          ok(network.maxOpen <= 10)
          dials += network.dials.length
        }))
      }
      strictEqual(dials, 1_000)
    }), 60_000)

  // httpx #1171: 1,000 tasks, 10 connections and a server that takes 10 s
  it.scoped(
    "some get a response, some time out, some are interrupted, and the pool is as at the start",
    () =>
      Effect.gen(function*() {
        const world = yield* open({
          limits: { maxConnections: 10 },
          timeouts: { pool: "25 seconds" },
          network: { respond: () => Effect.delay(Effect.succeed({}), "10 seconds") }
        })
        const fibers = yield* Effect.forEach(Array.from({ length: 1_000 }), () => Effect.fork(send(world.pool, a)))
        yield* settle
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.interruptAll(fibers.slice(500))
        yield* TestClock.adjust("1 minute")
        const outcomes = fibers.map(outcome)
        const count = (what: string) => outcomes.filter((_) => _ === what).length
        deepStrictEqual([count("done"), count("PoolTimeout"), count("interrupted")], [30, 470, 500])
        ok(world.network.maxOpen <= 10)
        yield* TestClock.adjust("5 seconds")
        yield* isEmpty(world)
        const again = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.fork(send(world.pool, a)))
        yield* TestClock.adjust("20 seconds")
        yield* Fiber.join(Fiber.all(again))
      }),
    60_000
  )

  // 19: okhttp via palantir #867; see also `fairness`
  it.scoped("a host that does not respond leaves room for the others under its own limit", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({
        limits: { maxConnections: 10, maxConnectionsPerOrigin: 8 },
        network: { respond: ({ connection }) => connection.origin === a ? Effect.never : Effect.succeed({}) }
      })
      const stuck = yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.fork(send(pool, a)))
      yield* settle
      yield* Effect.forEach(Array.from({ length: 50 }), () => send(pool, b), { concurrency: "unbounded" })
      yield* Fiber.interruptAll(stuck)
    }))

  it.scoped("events arrive, and a listener that fails or stops listening disturbs nobody", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 1 } })
      const failing = yield* Effect.fork(Stream.runForEach(world.pool.events, () => Effect.fail("listener" as const)))
      const first = yield* Effect.fork(Stream.runHead(world.pool.events))
      yield* settle
      yield* Effect.forEach([1, 2, 3], () => send(world.pool, a), { concurrency: "unbounded" })
      yield* settle
      strictEqual((yield* Fiber.join(first))._tag, "Some")
      strictEqual(yield* Effect.flip(Fiber.join(failing) as Effect.Effect<void, string>), "listener")
      strictEqual(hostOf(world.pool).driver.core.state.observed, false)
      yield* isSound(world)
    }))
})
