import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import type { TransportError } from "../../src/TransportError.js"
import { ConnectError, PoolTimeout } from "../../src/TransportError.js"
import { a, b } from "./support/origins.js"
import { open, send, take } from "./support/pool.js"

// Issue 15, section 3: an origin whose dials fail takes nothing from others, and says so.

/** `b` cannot be reached. */
const network: MemoryNetwork.Options = {
  dial: (dial) => dial.origin === b ? MemoryNetwork.refuse(dial) : Effect.succeed({})
}

const failureOf = (fiber: Fiber.RuntimeFiber<unknown, TransportError>) => Effect.flip(Fiber.join(fiber))

describe("an origin whose dials fail", () => {
  it.scoped("says to a request that waits behind others what its last dial failed with, and how long ago", () =>
    Effect.gen(function*() {
      const { network: { dials }, pool } = yield* open({ limits: { maxConnections: 1 }, network })
      strictEqual((yield* Effect.flip(send(pool, b)))._tag, "ConnectError")
      const held = yield* take(pool, a)
      yield* TestClock.adjust(30)
      const waiting = yield* Effect.fork(send(pool, b))
      yield* TestClock.adjust(200)
      const error = yield* failureOf(waiting)
      // It waited for as long as the origin backs off, and not for all of its own time.
      ok(error instanceof ConnectError)
      ok(/\(last tried (8|9|10|11|12)\dms ago\)$/.test(error.detail), error.detail)
      ok(error.message.includes(error.detail))
      strictEqual(dials.filter((_) => _.origin === b).length, 1)
      yield* held.release
    }))

  it.scoped("or what it failed with, where its own time for the pool is shorter", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 1 }, network })
      yield* Effect.flip(send(pool, b))
      const held = yield* take(pool, a)
      const waiting = yield* Effect.fork(send(pool, b, { timeout: 20 }))
      yield* TestClock.adjust(20)
      const error = yield* failureOf(waiting)
      ok(error instanceof ConnectError && error.detail.endsWith("(last tried 20ms ago)"))
      yield* held.release
    }))

  it.scoped("is named in PoolTimeout once it may compete again", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 1 }, network })
      const first = yield* Effect.flip(send(pool, b))
      const held = yield* take(pool, a)
      yield* TestClock.adjust(1_000)
      const waiting = yield* Effect.fork(send(pool, b, { timeout: 500 }))
      yield* TestClock.adjust(500)
      const error = yield* failureOf(waiting)
      ok(error instanceof PoolTimeout && first instanceof ConnectError)
      deepStrictEqual(error.pool.lastFailure, { detail: first.detail, ago: 1_500 })
      ok(error.message.includes("The last attempt to connect to this origin failed 1.5s ago"))
      yield* held.release
    }))

  it.scoped("is forgotten with its first success", () =>
    Effect.gen(function*() {
      let refuses = true
      const { pool } = yield* open({
        limits: { maxConnections: 1 },
        network: { dial: (dial) => refuses ? MemoryNetwork.refuse(dial) : Effect.succeed({}) }
      })
      yield* Effect.flip(send(pool, b))
      refuses = false
      const held = yield* take(pool, b)
      const waiting = yield* Effect.fork(send(pool, b, { timeout: 500 }))
      yield* TestClock.adjust(500)
      const error = yield* failureOf(waiting)
      ok(error instanceof PoolTimeout && error.pool.lastFailure === undefined)
      yield* held.release
    }))

  it.scoped("that is alone in a free pool is tried again at once", () =>
    Effect.gen(function*() {
      const { network: { dials }, pool } = yield* open({ network })
      const fiber = yield* Effect.fork(Effect.forEach([1, 2, 3, 4], () => Effect.flip(send(pool, b))))
      yield* settle
      ok(fiber.unsafePoll() !== null)
      deepStrictEqual([dials.length, (yield* Fiber.join(fiber)).map((_) => _.message.includes("last tried"))], [
        4,
        [false, false, false, false]
      ])
    }))
})
