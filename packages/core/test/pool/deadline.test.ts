import { describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as fc from "fast-check"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import type { ConnectionPool, Lease } from "../../src/ConnectionPool.js"
import { hostOf } from "../../src/internal/connectionPool.js"
import { settle } from "../../src/testing/settle.js"
import { PoolTimeout, type TransportError } from "../../src/TransportError.js"
import { play } from "./support/interleave.js"
import { a } from "./support/origins.js"
import { open, outcome as outcomeOf, send } from "./support/pool.js"
import { randomChoice } from "./support/StepScheduler.js"

// One fiber lets the deadlines of all who wait pass. The law: that is the same as a timeout around each wait.

type Acquire = (pool: ConnectionPool, timeout: number) => Effect.Effect<Lease, TransportError, Scope.Scope>

const byThePool: Acquire = (pool, timeout) => pool.acquire(a, { timeout })

const byEffect: Acquire = (pool, timeout) =>
  Effect.timeoutFail(pool.acquire(a, { timeout: "Infinity" }), {
    duration: timeout,
    onTimeout: () =>
      new PoolTimeout({
        origin: a.href,
        waited: timeout,
        position: 1,
        pool: {
          ...pool.unsafeStats(),
          maxConnectionsPerOrigin: Infinity,
          origin: pool.unsafeStats(),
          longestHeld: [],
          heldByThisFiber: 0
        }
      })
  })

/** In seconds; `interrupted` says whether, and when. */
interface Request {
  readonly arrives: number
  readonly timeout: number
  readonly holds: number
  readonly interrupted: number | undefined
}

const requests: fc.Arbitrary<ReadonlyArray<Request>> = fc.array(
  fc.record({
    arrives: fc.nat(5),
    timeout: fc.nat(6),
    holds: fc.nat(6),
    interrupted: fc.option(fc.nat(8), { nil: undefined, freq: 4 })
  }),
  { minLength: 2, maxLength: 8 }
)

/**
 * How a request ends, and when. No two things happen at one time: connections are given back at multiples of a fifth of
 * a second, deadlines and interrupts fall between them, and each request has its own millisecond.
 */
const outcome = (acquire: Acquire, request: Request, index: number) => (pool: ConnectionPool): Effect.Effect<string> =>
  Effect.gen(function*() {
    yield* Effect.sleep(request.arrives * 1000 + index)
    const use = Effect.scoped(
      Effect.flatMap(acquire(pool, request.timeout * 1000 + 500), () => Effect.sleep(request.holds * 1000 + 200))
    )
    const fiber = yield* Effect.fork(use)
    if (request.interrupted !== undefined) {
      yield* Effect.fork(Effect.zipRight(Effect.sleep(request.interrupted * 1000 + 700), Fiber.interrupt(fiber)))
    }
    const exit = yield* Fiber.await(fiber)
    const at = yield* Clock.currentTimeMillis
    return `${Exit.isSuccess(exit) ? "done" : Exit.isInterrupted(exit) ? "interrupted" : "PoolTimeout"} at ${at}`
  })

const maxConnections = fc.constantFrom(1, 2)
const seed = Date.now() % 2 ** 31

describe(`the pool's own deadline is as a timeout around the wait (seed ${seed})`, () => {
  it("in whatever order the steps are taken", () => {
    let runs = 0
    fc.assert(
      fc.property(maxConnections, requests, fc.nat(), (maxConnections, script, order) => {
        const outcomesOf = (acquire: Acquire) => {
          const outcomes: Array<string> = []
          runs++
          play({
            name: "law",
            options: { limits: { maxConnections } },
            actors: script.map((request, i) => ({ pool }) =>
              Effect.map(outcome(acquire, request, i)(pool), (_) => outcomes[i] = _)
            )
          }, { maxOps: 2 + order % 3, choose: randomChoice(order), interrupts: [] })
          return outcomes
        }
        deepStrictEqual(outcomesOf(byThePool), outcomesOf(byEffect))
      }),
      { numRuns: 150, seed }
    )
    console.log(`the law of the deadline: ${runs} interleavings, seed ${seed}`)
  })

  it.effect("under TestClock", () =>
    Effect.gen(function*() {
      const seen = new Set<string>()
      for (
        const [maxConnections, script] of fc.sample(fc.tuple(fc.constantFrom(1, 2), requests), { numRuns: 10, seed })
      ) {
        const outcomesOf = (acquire: Acquire) =>
          Effect.scoped(Effect.gen(function*() {
            const { pool } = yield* open({ limits: { maxConnections } })
            const fibers = yield* Effect.forEach(
              script,
              (request, i) => Effect.fork(outcome(acquire, request, i)(pool))
            )
            const start = yield* Clock.currentTimeMillis
            yield* TestClock.adjust("1 minute")
            const outcomes = yield* Fiber.join(Fiber.all(fibers))
            for (const outcome of outcomes) seen.add(outcome.split(" ")[0])
            deepStrictEqual(hostOf(pool).driver.time.deadlines.size, 0)
            yield* TestClock.setTime(start)
            return outcomes
          }))
        deepStrictEqual(yield* outcomesOf(byThePool), yield* outcomesOf(byEffect))
      }
      ok(seen.has("done"))
    }))

  it("and when all happens at once, one of the two happens", () => {
    for (let order = 0; order < 100; order++) {
      const outcomes: Array<string> = []
      const holds = Effect.sleep(10)
      play({
        name: "at once",
        options: { limits: { maxConnections: 1 } },
        actors: Array.from(
          { length: 3 },
          () => ({ pool }) =>
            Effect.scoped(Effect.zipRight(pool.acquire(a, { timeout: 10 }), holds)).pipe(
              Effect.match({ onSuccess: () => "done", onFailure: (error) => error._tag }),
              Effect.map((_) => outcomes.push(_))
            )
        )
      }, { maxOps: 2, choose: randomChoice(order), interrupts: [] })
      deepStrictEqual(outcomes.filter((_) => _ !== "done" && _ !== "PoolTimeout"), [])
      ok(outcomes.filter((_) => _ === "done").length <= 2, "the third cannot be served in time")
    }
  })
})

describe("the clock", () => {
  it.scoped("may tell fractions of a millisecond: deadlines pass all the same, and once", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { keepAliveExpiry: Duration.nanos(1_234_567_891n) } })
      yield* TestClock.adjust(Duration.nanos(333_333n))
      yield* send(pool, a)
      yield* TestClock.adjust(1_234)
      strictEqual(network.open, 1)
      yield* TestClock.adjust(2)
      strictEqual(network.open, 0)
    }))

  it.scoped("may be set back: who waits waits on, and nobody is forgotten", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: 1 } })
      yield* TestClock.setTime(1_000_000)
      const held = yield* Effect.fork(Effect.scoped(Effect.zipRight(pool.acquire(a), Effect.never)))
      yield* settle
      const first = yield* Effect.fork(send(pool, a, { timeout: "1 second" }))
      yield* settle
      yield* TestClock.setTime(0)
      const second = yield* Effect.fork(send(pool, a, { timeout: "1 second" }))
      yield* settle
      yield* TestClock.setTime(1_001_000)
      deepStrictEqual([outcomeOf(first), outcomeOf(second)], ["PoolTimeout", "PoolTimeout"])
      yield* Fiber.interrupt(held)
    }))

  it.scoped("may be asked for more than a timer can: a year is a year", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { keepAliveExpiry: "365 days" } })
      yield* send(pool, a)
      yield* TestClock.adjust("364 days")
      strictEqual(network.open, 1)
      yield* TestClock.adjust("1 day")
      strictEqual(network.open, 0)
    }))
})
