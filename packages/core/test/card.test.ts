import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, strictEqual } from "node:assert"
import * as ConnectionPool from "../src/ConnectionPool.js"
import { Connector } from "../src/Connector.js"
import * as MemoryNetwork from "../src/testing/MemoryNetwork.js"
import { settle } from "../src/testing/settle.js"
import { a, b } from "./pool/support/origins.js"
import { open, outcome, take } from "./pool/support/pool.js"

describe("a connection pool that cannot leak", () => {
  it.effect("is a scoped resource: when its Scope ends, every socket is closed and every permit is back", () =>
    Effect.gen(function*() {
      const network = yield* MemoryNetwork.make()
      const scope = yield* Scope.make()
      const pool = yield* ConnectionPool.make({ limits: { maxConnections: 3 } }).pipe(
        Effect.provideService(Connector, network.connector),
        Scope.extend(scope)
      )
      yield* take(pool, a)
      yield* Effect.flatMap(take(pool, b), (_) => _.release)
      deepStrictEqual([network.open, pool.unsafeStats().permitsFree], [2, 1])
      yield* Scope.close(scope, Exit.void)
      deepStrictEqual([network.open, pool.unsafeStats().permitsFree], [0, 3])
    }))

  it.scoped("takes a permit before it opens a socket, and gives it back when the socket is gone", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.makeLatch()
      const { network, pool } = yield* open({
        limits: { maxConnections: 1 },
        network: { dial: (dial) => Effect.as(dial.outcome, { closing: gone.await }) }
      })
      const waiting = yield* Effect.fork(take(pool, a))
      yield* settle
      deepStrictEqual([network.open, pool.unsafeStats().permitsFree], [1, 0])
      network.dials[0].succeed({})
      yield* (yield* Fiber.join(waiting)).release
      yield* pool.evictIdle
      yield* settle
      deepStrictEqual([network.open, pool.unsafeStats().permitsFree], [1, 0])
      yield* gone.open
      yield* settle
      deepStrictEqual([network.open, pool.unsafeStats().permitsFree], [0, 1])
    }))

  it.scoped("waits with a timeout, and fails with a typed PoolTimeout that shows who holds the connections", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 1 } })
      yield* take(pool, a)
      const waiting = yield* Effect.fork(Effect.scoped(pool.acquire(a, { timeout: "3 seconds" })))
      yield* TestClock.adjust(2_999)
      strictEqual(outcome(waiting), "waits")
      yield* TestClock.adjust(1)
      const message = yield* Fiber.join(waiting).pipe(
        Effect.as(""),
        Effect.catchTag("PoolTimeout", (error) => Effect.succeed(error.pool.longestHeld[0].url))
      )
      strictEqual(message, a.href)
    }))

  it.scoped("can be interrupted at any moment, and is then as it was", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnections: 1 }, network: { dial: MemoryNetwork.hold } })
      const dialing = yield* Effect.fork(take(pool, a))
      yield* settle
      const queued = yield* Effect.fork(take(pool, a))
      yield* settle
      yield* Fiber.interruptAll([dialing, queued])
      yield* settle
      deepStrictEqual([network.open, pool.unsafeStats().permitsFree, pool.unsafeStats().waiting], [0, 1, 0])
    }))

  it.scoped("hands a connection that is given back to whoever has waited for longest", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { maxConnections: 1 } })
      const held = yield* take(pool, a)
      const waiting = yield* Effect.forEach([1, 2], () => Effect.tap(Effect.fork(take(pool, a)), () => settle))
      yield* held.release
      yield* settle
      deepStrictEqual(waiting.map(outcome), ["done", "waits"])
      yield* (yield* Fiber.join(waiting[0])).release
      yield* Fiber.join(waiting[1])
      strictEqual(network.connections.length, 1)
    }))
})
