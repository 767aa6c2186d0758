import { describe, it } from "@effect/vitest"
import type { LeaseTicket } from "@sluice/engine/pool"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as fc from "fast-check"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import type { ConnectionPool } from "../../src/ConnectionPool.js"
import { hostOf } from "../../src/internal/connectionPool.js"
import { settle } from "../../src/testing/settle.js"
import { fromFailure, type TransportError } from "../../src/TransportError.js"
import { play } from "./support/interleave.js"
import { a, b } from "./support/origins.js"
import { open, outcome as outcomeOf, send, take } from "./support/pool.js"
import { SteppingClock } from "./support/SteppingClock.js"
import { randomChoice } from "./support/StepScheduler.js"

// One sleep lets the deadlines of all waiters pass: the client's own way. The law: that is the same as the plain form,
// which `ConnectionPool.acquire` has: a timeout around each wait.

type Acquire = (pool: ConnectionPool, timeout: number) => Effect.Effect<unknown, TransportError, Scope.Scope>

const inPlainForm: Acquire = (pool, timeout) => pool.acquire(a, { timeout })

/** A request that has its deadline with the pool, as those of the client have. */
const byTheEngine: Acquire = (pool, timeout) =>
  Effect.uninterruptibleMask((restore) => {
    const { driver } = hostOf(pool)
    let ticket: LeaseTicket | undefined = undefined
    const end = Effect.sync(() => {
      if (ticket !== undefined) driver.abandon(ticket)
    })
    const wait = Effect.async<void, TransportError>((resume) => {
      const granted = () => resume(Effect.void)
      ticket = driver.request(
        a,
        {
          wanted: a,
          caller: undefined,
          context: undefined,
          describe: () => ({ method: "GET", url: a.href, bodyUnread: false }),
          granted,
          refused: (_, failure) => resume(Effect.fail(fromFailure(failure)))
        },
        timeout,
        5_000
      )
      if (ticket.state === "Granted") granted()
    })
    return restore(wait).pipe(Effect.onError(() => end), Effect.zipRight(Effect.addFinalizer(() => end)))
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

describe(`the pool's own deadline is as a timeout around the wait (seed ${seed})`, { timeout: 60_000 }, () => {
  it("in whatever order the steps are taken", { timeout: 3_600_000 }, () => {
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
        deepStrictEqual(outcomesOf(byTheEngine), outcomesOf(inPlainForm))
      }),
      { numRuns: 1000, seed }
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
        deepStrictEqual(yield* outcomesOf(byTheEngine), yield* outcomesOf(inPlainForm))
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

describe("the clock", { timeout: 60_000 }, () => {
  it.scoped("may have fractions of a millisecond: deadlines pass all the same, and once", () =>
    Effect.gen(function*() {
      const { network, pool } = yield* open({ limits: { keepAliveExpiry: Duration.nanos(1_234_567_891n) } })
      yield* TestClock.adjust(Duration.nanos(333_333n))
      yield* send(pool, a)
      yield* TestClock.adjust(1_234)
      strictEqual(network.open, 1)
      yield* TestClock.adjust(2)
      strictEqual(network.open, 0)
    }))

  it.scoped("may be set back or forward: a waiter has the time it asked for, to the millisecond", () =>
    Effect.gen(function*() {
      for (const step of [-3_600_000, 3_600_000]) {
        const clock = new SteppingClock(yield* Effect.clock)
        yield* Effect.gen(function*() {
          const { network, pool } = yield* open({ limits: { maxConnections: 1, keepAliveExpiry: 5_000 } }).pipe(
            Effect.withClock(clock)
          )
          const held = yield* take(pool, a)
          const first = yield* Effect.fork(send(pool, a, { timeout: "1 second" }))
          yield* TestClock.adjust(500)
          clock.step(step)
          // One that comes after the step is not held up by those before it, nor the other way round.
          const second = yield* Effect.fork(send(pool, a, { timeout: "1 second" }))
          yield* settle
          deepStrictEqual([outcomeOf(first), outcomeOf(second)], ["waits", "waits"])
          yield* TestClock.adjust(499)
          deepStrictEqual([outcomeOf(first), outcomeOf(second)], ["waits", "waits"])
          yield* TestClock.adjust(1)
          deepStrictEqual([outcomeOf(first), outcomeOf(second)], ["PoolTimeout", "waits"])
          yield* TestClock.adjust(500)
          const error = yield* Effect.flip(Fiber.join(second))
          deepStrictEqual([error._tag, error._tag === "PoolTimeout" && error.waited], ["PoolTimeout", 1_000])
          yield* held.release
          yield* TestClock.adjust(4_999)
          strictEqual(network.open, 1)
          yield* TestClock.adjust(1)
          strictEqual(network.open, 0)
        }).pipe(Effect.scoped)
      }
    }))

  it.scoped("may stand still while the machine is suspended: what was idle then is not lent, and no deadline passes", () =>
    Effect.gen(function*() {
      const clock = new SteppingClock(yield* Effect.clock)
      const { network, pool } = yield* open({ limits: { maxConnections: 2, keepAliveExpiry: 5_000 } }).pipe(
        Effect.withClock(clock)
      )
      yield* send(pool, a)
      const held = yield* take(pool, b)
      const waiting = yield* Effect.forEach([1, 2], () => Effect.fork(send(pool, b, { timeout: "1 minute" })))
      yield* settle
      deepStrictEqual([network.open, waiting.map(outcomeOf)], [2, ["done", "done"]])
      clock.step(3_600_000)
      yield* settle
      // The one that is idle stays until somebody would take it, or its own time has passed.
      strictEqual(network.open, 2)
      const connections = network.connections.length
      strictEqual(yield* send(pool, b), connections + 1)
      yield* held.release
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
