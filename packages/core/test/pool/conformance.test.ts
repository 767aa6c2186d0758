import { describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import * as Connector from "../../src/Connector.js"
import * as Origin from "../../src/Origin.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import { ProxyError, RemoteProtocolError, TlsError, type TransportError } from "../../src/TransportError.js"
import { a, b, c, origin } from "./support/origins.js"
import { exchange, isEmpty, isSound, open, outcome, send, take } from "./support/pool.js"

// What public tests of httpcore, httpcore2 and httpx say that a pool does; the part that is the pool's.

const h2 = (capacity = 100): MemoryNetwork.Options => ({
  dial: () => Effect.succeed({ protocol: "h2", capacity }),
  protocol: () => "h2"
})

describe("a connection", () => {
  it.scoped("is idle after its response, and is used again for its own origin only", () =>
    Effect.gen(function*() {
      const { pool } = yield* open()
      const first = yield* send(pool, a)
      deepStrictEqual([pool.unsafeStats().idle, pool.unsafeStats().active], [1, 0])
      strictEqual(yield* send(pool, a), first)
      strictEqual(yield* send(pool, b), first + 1)
      deepStrictEqual([...pool.unsafeStats().origins.keys()], [a.key, b.key])
    }))

  it.scoped("is not kept when the server says so", () =>
    Effect.gen(function*() {
      const world = yield* open({ network: { respond: () => Effect.succeed({ headers: { connection: "close" } }) } })
      yield* send(world.pool, a)
      yield* settle
      yield* isEmpty(world)
    }))

  it.scoped("that speaks HTTP/2 is used again, and shared at once", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { ...h2(), respond: MemoryNetwork.hold } })
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.fork(send(pool, a)))
      yield* settle
      const stats = pool.unsafeStats()
      deepStrictEqual([network.dials.length, stats.active, stats.leases, stats.waiting], [1, 1, 3, 0])
      for (const request of network.requests) request.succeed({})
      deepStrictEqual(yield* Fiber.join(Fiber.all(fibers)), [1, 1, 1])
      const again = yield* Effect.fork(send(pool, a))
      yield* settle
      network.requests[3].succeed({})
      strictEqual(yield* Fiber.join(again), 1)
    }))

  it.scoped("that sent GOAWAY finishes what it carries, and the next request uses another", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { ...h2(), respond: MemoryNetwork.hold } })
      const before = yield* Effect.fork(send(pool, a))
      yield* settle
      network.connections[0].goAway()
      const after = yield* Effect.fork(send(pool, a))
      yield* settle
      deepStrictEqual(network.requests.map((_) => _.connection.number), [1, 2])
      for (const request of network.requests) request.succeed({})
      deepStrictEqual([yield* Fiber.join(before), yield* Fiber.join(after)], [1, 2])
      yield* settle
      deepStrictEqual([pool.unsafeStats().open, network.open], [1, 1])
    }))

  it.scoped("is gone after a protocol error", () =>
    Effect.gen(function*() {
      const broken = new RemoteProtocolError({
        origin: a.href,
        phase: "headers",
        written: true,
        safeToRetry: false,
        code: "Status",
        detail: "no status line"
      })
      const world = yield* open({ network: { respond: () => Effect.fail(broken) } })
      strictEqual(yield* Effect.flip(send(world.pool, a)), broken)
      yield* settle
      yield* isEmpty(world)
    }))

  // TLS through a proxy is a dial as any other.
  it.scoped("that could not be made leaves the pool empty", () =>
    Effect.gen(function*() {
      const failures: ReadonlyArray<(dial: MemoryNetwork.Dial) => Effect.Effect<never, TransportError>> = [
        MemoryNetwork.refuse,
        () => Effect.fail(new TlsError({ origin: a.href, reason: "Other", detail: "handshake" })),
        () =>
          Effect.fail(
            new ProxyError({
              origin: a.href,
              proxy: "http://p.test:80",
              reason: "Refused",
              phase: "connect",
              written: false,
              safeToRetry: true,
              detail: "403"
            })
          )
      ]
      for (const dial of failures) {
        const world = yield* open({ network: { dial } })
        const expected = yield* Effect.flip(dial({ origin: a } as MemoryNetwork.Dial))
        deepStrictEqual((yield* Effect.flip(send(world.pool, a)))._tag, expected._tag)
        yield* settle
        yield* isEmpty(world)
      }
    }))

  it.scoped("closed by the server while idle is replaced", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open()
      yield* send(pool, a)
      network.connections[0].close()
      yield* settle
      strictEqual(network.open, 0)
      strictEqual(yield* send(pool, a), 2)
    }))

  it.scoped("that turns out to speak HTTP/1.1 is not shared, and no other of its origin is", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { maxConnections: 2 },
        network: { protocol: () => "h2", respond: MemoryNetwork.hold }
      })
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.fork(send(pool, a)))
      yield* settle
      deepStrictEqual(network.requests.map((_) => _.connection.number), [1, 2])
      network.requests[1].succeed({})
      yield* settle
      network.requests[0].succeed({})
      network.requests[2].succeed({})
      deepStrictEqual(yield* Fiber.join(Fiber.all(fibers)), [1, 2, 2])
      ok(network.connections.every((_) => _.maxActive === 1))
    }))

  it.scoped("given back twice is given back once", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 1 } })
      const held = yield* take(world.pool, a)
      yield* held.release
      const next = yield* take(world.pool, a)
      yield* held.release
      strictEqual(world.pool.unsafeStats().leases, 1)
      yield* isSound(world)
      yield* next.release
    }))

  it.scoped("over another route, or with another server name, is another connection", () =>
    Effect.gen(function*() {
      const { pool } = yield* open()
      const routes = [a, Origin.withRoute(a, "proxy http://p.test"), Origin.withRoute(a, "sni other.test")]
      deepStrictEqual(yield* Effect.forEach(routes, (_) => send(pool, _)), [1, 2, 3])
      deepStrictEqual(yield* Effect.forEach(routes, (_) => send(pool, _)), [1, 2, 3])
    }))

  it.scoped("is found however the host is written", () =>
    Effect.gen(function*() {
      const { pool } = yield* open()
      const same = ["https://Example.COM/x", "https://example.com:443", "https://user:pw@example.com/?q#f"]
      deepStrictEqual(yield* Effect.forEach(same, (_) => send(pool, origin(_))), [1, 1, 1])
      const v6 = ["http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080/"]
      deepStrictEqual(yield* Effect.forEach(v6, (_) => send(pool, origin(_))), [2, 2])
      ok(Either.isLeft(Origin.make("ftp://example.com")))
    }))
})

describe("what is kept", () => {
  it.scoped("is nothing when keepAliveExpiry is 0", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { keepAliveExpiry: 0 } })
      yield* send(world.pool, a)
      yield* settle
      yield* isEmpty(world)
    }))

  it.scoped("is nothing when maxKeepAliveConnections is 0", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxKeepAliveConnections: 0 } })
      yield* send(world.pool, a)
      yield* settle
      yield* isEmpty(world)
    }))

  it.scoped("expires after keepAliveExpiry, each connection in its own time", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { keepAliveExpiry: "5 seconds" } })
      yield* send(pool, a)
      yield* TestClock.adjust("3 seconds")
      yield* send(pool, b)
      yield* TestClock.adjust(1_999)
      strictEqual(network.open, 2)
      yield* TestClock.adjust(1)
      deepStrictEqual([...pool.unsafeStats().origins.keys()], [b.key])
      yield* TestClock.adjust("3 seconds")
      strictEqual(network.open, 0)
    }))

  it.scoped("is dropped a second before the server would drop it", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { keepAliveExpiry: "1 minute" },
        network: { respond: () => Effect.succeed({ headers: { "keep-alive": "timeout=5" } }) }
      })
      yield* send(pool, a)
      yield* TestClock.adjust(3_999)
      strictEqual(network.open, 1)
      yield* TestClock.adjust(1)
      strictEqual(network.open, 0)
    }))

  it.scoped("counts idle connections only, and the one idle longest goes", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxKeepAliveConnections: 2 } })
      const held = yield* Effect.forEach([a, a, b, c], (_) => take(pool, _))
      for (const { release } of held.slice(1)) {
        yield* release
        yield* settle
      }
      // httpcore #1000: the one in use does not count.
      deepStrictEqual([pool.unsafeStats().idle, pool.unsafeStats().active], [2, 1])
      deepStrictEqual(network.connections.map((_) => _.isOpen), [true, false, true, true])
      yield* held[0].release
    }))

  it.scoped("becomes no older than maxConnectionAge, less a tenth at most; one in use finishes first", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { maxConnectionAge: "100 seconds", keepAliveExpiry: "Infinity" }
      })
      const busy = yield* take(pool, a)
      yield* send(pool, b)
      yield* TestClock.adjust("89 seconds")
      strictEqual(network.open, 2)
      yield* TestClock.adjust("11 seconds")
      deepStrictEqual(network.connections.map((_) => _.isOpen), [true, false])
      yield* busy.release
      yield* settle
      strictEqual(network.open, 0)
    }))

  it.scoped("serves no more than maxRequestsPerConnection", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxRequestsPerConnection: 2 } })
      deepStrictEqual(yield* Effect.forEach([1, 2, 3, 4, 5], () => send(pool, a)), [1, 1, 2, 2, 3])
    }))

  it.scoped("of its origin is taken, the one used last first", () =>
    Effect.gen(function*() {
      const { pool } = yield* open()
      const held = yield* Effect.forEach([1, 2, 3], () => take(pool, a))
      for (const i of [2, 0, 1]) yield* held[i].release
      strictEqual(yield* send(pool, a), 2)
      const next = yield* Effect.forEach([1, 2, 3], () => take(pool, a))
      deepStrictEqual(next.map((_) => _.server.number), [2, 1, 3])
      for (const { release } of next) yield* release
    }))
})

describe("the limit", () => {
  it.scoped("of one connection is kept with five origins at once", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnections: 1 } })
      const origins = [1, 2, 3, 4, 5].map((n) => origin(`http://host-${n}.test`))
      const numbers = yield* Effect.forEach(origins, (_) => send(pool, _), { concurrency: "unbounded" })
      deepStrictEqual([...numbers].sort(), [1, 2, 3, 4, 5])
      deepStrictEqual([network.maxOpen, network.open], [1, 1])
    }))

  it.scoped("of one connection: it serves five requests in turn, and is gone after its time", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 1 } })
      const numbers = yield* Effect.forEach([1, 2, 3, 4, 5], () => send(world.pool, a), { concurrency: "unbounded" })
      deepStrictEqual(numbers, [1, 1, 1, 1, 1])
      yield* TestClock.adjust("5 seconds")
      yield* isEmpty(world)
    }))

  it.scoped("of one connection, where HTTP/2 is allowed and the server closes: one request each", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { maxConnections: 1 },
        network: { protocol: () => "unknown", respond: () => Effect.succeed({ headers: { connection: "close" } }) }
      })
      const numbers = yield* Effect.forEach([1, 2, 3], () => send(pool, a), { concurrency: "unbounded" })
      deepStrictEqual(numbers, [1, 2, 3])
      strictEqual(network.maxOpen, 1)
    }))

  it.scoped("of an origin holds for it alone", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnectionsPerOrigin: 1 } })
      const first = yield* take(pool, a)
      const second = yield* Effect.fork(take(pool, a))
      const other = yield* take(pool, b)
      yield* settle
      deepStrictEqual([outcome(second), network.open], ["waits", 2])
      yield* first.release
      yield* (yield* Fiber.join(second)).release
      yield* other.release
    }))

  it.scoped("evicts an idle connection of another origin, the one idle longest", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnections: 2 } })
      yield* send(pool, a)
      yield* send(pool, b)
      yield* send(pool, a)
      yield* send(pool, c)
      deepStrictEqual(network.connections.map((_) => [_.origin.key, _.isOpen]), [
        [a.key, true],
        [b.key, false],
        [c.key, true]
      ])
      strictEqual(network.maxOpen, 2)
    }))

  it.scoped("that is reached ends in a PoolTimeout", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 1 }, timeouts: { pool: "5 seconds" } })
      const held = yield* take(world.pool, a)
      const waiting = yield* Effect.fork(send(world.pool, a))
      yield* TestClock.adjust(4_999)
      strictEqual(outcome(waiting), "waits")
      yield* TestClock.adjust(1)
      const error = yield* Effect.flip(Fiber.join(waiting))
      ok(error._tag === "PoolTimeout")
      deepStrictEqual([error.waited, error.position, error.pool.active], [5_000, 1, 1])
      ok(!("streamLimit" in error.pool), "what there is not is no property")
      yield* isSound(world)
      yield* held.release
    }))

  it.scoped("with a timeout of 0: what needs no queue works, the rest fails at once", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 1 }, timeouts: { pool: 0 } })
      yield* send(pool, a)
      yield* send(pool, a)
      // The idle connection of another origin makes room, and that is no queue.
      const held = yield* take(pool, b)
      strictEqual((yield* Effect.flip(send(pool, b)))._tag, "PoolTimeout")
      strictEqual((yield* Effect.flip(send(pool, a, { timeout: 0 })))._tag, "PoolTimeout")
      yield* held.release
      yield* send(pool, b)
    }))

  it.scoped("of waiting requests fails the next one at once", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 1, maxPendingRequests: 2 } })
      const held = yield* take(pool, a)
      const waiting = yield* Effect.forEach([1, 2], () => Effect.fork(send(pool, a)))
      yield* settle
      const error = yield* Effect.flip(send(pool, b))
      ok(error._tag === "PoolQueueFull")
      strictEqual(error.maxPendingRequests, 2)
      yield* held.release
      yield* Fiber.join(Fiber.all(waiting))
    }))

  it.scoped("of waiting requests does not count those that a dial is made for", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { maxConnections: 2, maxPendingRequests: 0 },
        network: { dial: MemoryNetwork.hold }
      })
      const dialing = yield* Effect.forEach([1, 2], () => Effect.fork(send(pool, a)))
      yield* settle
      strictEqual((yield* Effect.flip(send(pool, a)))._tag, "PoolQueueFull")
      for (const dial of network.dials) dial.succeed({})
      yield* Fiber.join(Fiber.all(dialing))
    }))

  it.effect("that makes no sense is a typed error, and no pool is made", () =>
    Effect.gen(function*() {
      const refused = (options: ConnectionPool.Options) =>
        ConnectionPool.make(options).pipe(
          Effect.provideService(Connector.Connector, { connect: () => Effect.never, protocol: () => "http/1.1" }),
          Effect.scoped,
          Effect.flip,
          Effect.map(({ _tag, problems }) => [_tag, ...problems.map(({ option }) => option)])
        )
      deepStrictEqual(yield* refused({ limits: { maxConnections: -1 } }), ["InvalidOptions", "limits.maxConnections"])
      deepStrictEqual(yield* refused({ limits: { maxConnections: 0 } }), ["InvalidOptions", "limits.maxConnections"])
      deepStrictEqual(yield* refused({ limits: { maxConnectionsPerOrigin: NaN } }), [
        "InvalidOptions",
        "limits.maxConnectionsPerOrigin"
      ])
      deepStrictEqual(yield* refused({ limits: { maxConnections: 5, maxKeepAliveConnections: 6 } }), [
        "InvalidOptions",
        "limits.maxKeepAliveConnections"
      ])
      deepStrictEqual(yield* refused({ limits: { keepAliveExpiry: -1 } }), ["InvalidOptions", "limits.keepAliveExpiry"])
      deepStrictEqual(yield* refused({ timeouts: { pool: NaN } }), ["InvalidOptions", "timeouts.pool"])
    }))

  it.scoped("can be turned off with Infinity, each of them", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({
        limits: {
          maxConnections: Infinity,
          maxConnectionsPerOrigin: Infinity,
          maxKeepAliveConnections: Infinity,
          keepAliveExpiry: "Infinity",
          maxConnectionAge: "Infinity",
          maxRequestsPerConnection: Infinity,
          maxPendingRequests: Infinity
        },
        timeouts: { pool: "Infinity", connect: "Infinity" }
      })
      const held = yield* Effect.forEach(Array.from({ length: 300 }), () => take(pool, a))
      for (const { release } of held) yield* release
      yield* TestClock.adjust("365 days")
      strictEqual(pool.unsafeStats().idle, 300)
      // Idle connections are limited by the limit on all when nothing else limits them.
      const { pool: limited } = yield* open({ limits: { maxConnections: 3, maxKeepAliveConnections: Infinity } })
      yield* send(limited, a)
      strictEqual(limited.unsafeStats().idle, 1)
    }))
})

describe("a waiter", () => {
  it.scoped("is given the connection that is given back, one for one, first come first served", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 1 } })
      const order: Array<number> = []
      const held = yield* take(pool, a)
      const waiting = yield* Effect.forEach(
        [1, 2, 3],
        (n) => Effect.fork(Effect.tap(take(pool, a), () => Effect.sync(() => order.push(n))))
      )
      yield* settle
      yield* held.release
      yield* settle
      deepStrictEqual(order, [1])
      for (const fiber of waiting) yield* (yield* Fiber.join(fiber)).release
      deepStrictEqual(order, [1, 2, 3])
    }))

  it.scoped("does not wait when an idle HTTP/2 connection can take the whole burst", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { maxConnections: 1, maxPendingRequests: 0 },
        timeouts: { pool: 0 },
        network: h2(100)
      })
      yield* send(pool, a)
      const held = yield* Effect.forEach(Array.from({ length: 100 }), () => take(pool, a))
      deepStrictEqual([network.dials.length, pool.unsafeStats().leases], [1, 100])
      strictEqual((yield* Effect.flip(send(pool, a)))._tag, "PoolQueueFull")
      for (const { release } of held) yield* release
    }))

  it.scoped("and is interrupted leaves the pool as it was", () =>
    Effect.gen(function*() {
      const world = yield* open({ limits: { maxConnections: 1 } })
      const held = yield* take(world.pool, a)
      const before = world.pool.unsafeStats()
      for (const target of [a, b]) {
        const waiting = yield* Effect.fork(send(world.pool, target))
        yield* settle
        strictEqual(world.pool.unsafeStats().waiting, 1)
        yield* Fiber.interrupt(waiting)
        deepStrictEqual(world.pool.unsafeStats(), before)
        yield* isSound(world)
      }
      yield* held.release
      strictEqual(world.network.dials.length, 1)
    }))

  it.scoped("gets the permit of an HTTP/2 connection that is closed while it is held, at once", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnections: 1 }, network: h2(1) })
      const held = yield* take(pool, a)
      const waiting = yield* Effect.fork(take(pool, b))
      yield* settle
      strictEqual(outcome(waiting), "waits")
      network.connections[0].close()
      const next = yield* Fiber.join(waiting)
      strictEqual(network.maxOpen, 1)
      yield* next.release
      yield* held.release
    }))

  it.scoped("waits while streams are fewer than requests, and goes on when there are more again", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({
        limits: { maxConnections: 1 },
        network: { ...h2(4), respond: MemoryNetwork.hold }
      })
      const fibers = yield* Effect.forEach([1, 2, 3, 4], () => Effect.fork(send(pool, a)))
      yield* settle
      // Below what is in flight: nothing is cut, and nothing new begins until there is room.
      network.connections[0].setCapacity(2)
      const late = yield* Effect.fork(send(pool, a))
      yield* settle
      network.requests[0].succeed({})
      network.requests[1].succeed({})
      yield* settle
      deepStrictEqual([outcome(late), pool.unsafeStats().leases], ["waits", 2])
      network.connections[0].setCapacity(0)
      network.requests[2].succeed({})
      yield* settle
      strictEqual(outcome(late), "waits")
      network.connections[0].setCapacity(4)
      yield* settle
      network.requests[3].succeed({})
      network.requests[4].succeed({})
      deepStrictEqual(yield* Fiber.join(Fiber.all([...fibers, late])), [1, 1, 1, 1, 1])
    }))

  it.scoped("gets another HTTP/2 connection when all streams are taken, or none with whenFull: wait", () =>
    Effect.gen(function*() {
      const dialing = yield* open({ network: h2(2) })
      const held = yield* Effect.forEach([1, 2, 3], () => take(dialing.pool, a))
      deepStrictEqual(held.map((_) => _.server.number), [1, 1, 2])
      for (const { release } of held) yield* release

      const waiting = yield* open({ network: h2(2), whenFull: "wait" })
      const full = yield* Effect.forEach([1, 2], () => take(waiting.pool, a))
      const third = yield* Effect.fork(take(waiting.pool, a))
      yield* settle
      deepStrictEqual([outcome(third), waiting.network.dials.length], ["waits", 1])
      yield* full[0].release
      yield* (yield* Fiber.join(third)).release
      yield* full[1].release
    }))
})

describe("closing", () => {
  it.effect("the pool during a body is a read error for who reads it", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { network, pool } = yield* Scope.extend(
        open({ network: { respond: () => Effect.succeed({ body: Stream.concat(Stream.make("a"), Stream.never) }) } }),
        scope
      )
      const reading = yield* Effect.fork(send(pool, a))
      yield* settle
      yield* Scope.close(scope, Exit.void)
      const exit = yield* Fiber.await(reading)
      ok(Exit.isFailure(exit) && Cause.isFailType(exit.cause))
      strictEqual(exit.cause.error._tag, "ReadError")
      strictEqual(network.open, 0)
    }))

  it.scoped("a connection under an exchange that is interrupted frees its stream slot", () =>
    Effect.gen(function*() {
      const world = yield* open({
        limits: { maxConnections: 1 },
        network: { respond: ({ connection }) => connection.number === 1 ? Effect.never : Effect.succeed({}) }
      })
      const hanging = yield* Effect.fork(send(world.pool, a))
      yield* settle
      const next = yield* Effect.fork(send(world.pool, a))
      yield* settle
      yield* Fiber.interrupt(hanging)
      strictEqual(yield* Fiber.join(next), 2)
      yield* isSound(world)
    }))

  it.scoped("nothing: an HTTP/2 connection under an exchange that is interrupted stays", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ network: { ...h2(), respond: MemoryNetwork.hold } })
      const held = yield* take(pool, a)
      const hanging = yield* Effect.fork(exchange(held.lease))
      yield* settle
      yield* Fiber.interrupt(hanging)
      yield* held.release
      yield* settle
      deepStrictEqual([network.requests[0].state, pool.unsafeStats().idle], ["Cancelled", 1])
    }))
})
