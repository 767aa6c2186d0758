import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import { Connector } from "../../src/Connector.js"
import * as PooledHttpClient from "../../src/PooledHttpClient.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import * as TransportError from "../../src/TransportError.js"
import { StepScheduler, StillClock } from "../pool/support/StepScheduler.js"

// Requests of every kind, cancels and timeouts on one side; GOAWAY, SETTINGS, ends and resets on the other, at any moment,
// over wires of any speed. The server judges each frame. Whatever happens, each request ends, no POST is carried out twice,
// what is said of it is true, and nothing is left.
//
// More of them:  RACES=5000 npx vitest run --project core test/client/http2Races.test.ts

const runs = Number(process.env.RACES ?? 40)
const seed = Number(process.env.SEED ?? 17)

interface Asked {
  readonly at: number
  readonly method: "GET" | "POST"
  /** Of the request, in chunks of 1,000 bytes; 0 is none. */
  readonly chunks: number
  readonly isStream: boolean
  /** When its caller leaves. */
  readonly patience: number | undefined
  /** Of the response, in bytes. */
  readonly size: number
  readonly delay: number
  /** What the server does with the request's body. */
  readonly reads: "all" | "nothing"
  readonly ends: "well" | "never" | "error"
}

interface Happening {
  readonly at: number
  readonly what: "goAway" | "close" | "reset" | { readonly capacity: number }
}

const moments = fc.integer({ min: 0, max: 400 })

const asked: fc.Arbitrary<Asked> = fc.record({
  at: moments,
  method: fc.constantFrom("GET", "POST"),
  chunks: fc.constantFrom(0, 1, 1, 3, 20),
  isStream: fc.boolean(),
  patience: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined, freq: 3 }),
  size: fc.constantFrom(0, 1, 1000, 20_000),
  delay: fc.constantFrom(0, 0, 10, 100),
  reads: fc.constantFrom("all", "all", "nothing"),
  ends: fc.constantFrom("well", "well", "well", "well", "never", "error")
})

const happening: fc.Arbitrary<Happening> = fc.record({
  at: moments,
  what: fc.oneof(
    fc.constantFrom("goAway" as const, "close" as const, "reset" as const),
    fc.record({ capacity: fc.constantFrom(0, 1, 2, 100) })
  )
})

const script = fc.record({
  asked: fc.array(asked, { minLength: 1, maxLength: 25 }),
  happenings: fc.array(happening, { maxLength: 6 }),
  capacity: fc.constantFrom(1, 3, 100),
  latency: fc.constantFrom(0, 1, 20),
  bandwidth: fc.constantFrom(Infinity, Infinity, 1_000_000),
  buffer: fc.constantFrom(2000, 65_536),
  window: fc.constantFrom(1000, 65_536),
  maxConnections: fc.constantFrom(1, 3)
})

type Script = typeof script extends fc.Arbitrary<infer A> ? A : never

const chunk = new Uint8Array(1000).fill(97)

const bodyOf = ({ chunks, isStream }: Asked): HttpBody.HttpBody =>
  isStream
    ? HttpBody.stream(Stream.fromIterable(Array.from({ length: chunks }, () => chunk)))
    : HttpBody.uint8Array(new Uint8Array(1000 * chunks).fill(97))

/** Runs it by itself: no turn of the event loop passes, and time goes on when nothing else can. */
const simulate = <A, E>(effect: Effect.Effect<A, E>): A => {
  const [clock, scheduler] = [new StillClock(), new StepScheduler()]
  const fiber = Effect.runFork(Effect.withClock(effect, clock), { scheduler })
  for (;;) {
    scheduler.run()
    const exit = fiber.unsafePoll()
    if (exit !== null) return Exit.getOrElse(exit, (cause) => raise(Cause.squash(cause)))
    if (!clock.next()) throw new Error("it waits for ever")
  }
}

const raise = (cause: unknown): never => {
  throw cause
}

const play = ({ asked, bandwidth, buffer, capacity, happenings, latency, maxConnections, window }: Script) =>
  Effect.scoped(Effect.gen(function*() {
    const network = yield* MemoryNetwork.make({
      protocol: () => "h2",
      dial: () => Effect.succeed({ protocol: "h2", capacity, latency, bandwidth, buffer, window }),
      respond: (request) =>
        Effect.gen(function*() {
          const { delay, ends, reads, size } = asked[Number(request.target.slice(1))]
          if (reads === "all") yield* Stream.runDrain(request.body)
          yield* Effect.sleep(delay)
          if (ends === "never") return yield* Effect.never
          if (ends === "error") return yield* Effect.dieMessage("the server's own")
          return { body: size === 1000 ? Stream.make("x".repeat(500), "x".repeat(500)) : "x".repeat(size) }
        })
    })
    const pool = yield* ConnectionPool.make({ limits: { maxConnections } }).pipe(
      Effect.provideService(Connector, network.connector)
    )
    const client = yield* PooledHttpClient.make({
      timeouts: { pool: "2 seconds", headers: "3 seconds", read: "3 seconds", write: "3 seconds" }
    }).pipe(Effect.provideService(ConnectionPool.ConnectionPool, pool))

    const run = (one: Asked, n: number) => {
      const request = HttpClientRequest.make(one.method)(`http://a.test/${n}`).pipe(
        one.method === "POST" && one.chunks > 0 ? HttpClientRequest.setBody(bodyOf(one)) : (request) => request
      )
      const sent = client.execute(request).pipe(
        Effect.flatMap((response) => response.text),
        Effect.mapError((error) => Option.getOrThrow(TransportError.fromHttpClientError(error))),
        Effect.either
      )
      const left = one.patience === undefined
        ? Effect.map(sent, Option.some)
        : Effect.timeoutOption(sent, one.patience)
      return Effect.fork(Effect.delay(left, one.at))
    }
    const fibers = yield* Effect.forEach(asked, run)
    yield* Effect.forEach(happenings, ({ at, what }) =>
      Effect.fork(Effect.delay(
        Effect.sync(() => {
          const server = network.connections.findLast(({ isOpen }) => isOpen)
          if (server === undefined) return
          if (typeof what === "string") server[what]()
          else server.setCapacity(what.capacity)
        }),
        at
      )))
    yield* Effect.sleep("1 minute")
    const outcomes = yield* Effect.forEach(fibers, (fiber) => Fiber.poll(fiber))
    deepStrictEqual(network.faults, [])
    outcomes.forEach((outcome, n) => {
      const one = asked[n]
      ok(Option.isSome(outcome), `request ${n} has not ended: ${JSON.stringify(one)}`)
      const served = network.requests.filter(({ target }) => target === `/${n}`)
      if (one.method === "POST") ok(served.length <= 1, `POST ${n} came ${served.length} times`)
      strictEqual(outcome.value._tag, "Success")
      if (outcome.value._tag !== "Success" || Option.isNone(outcome.value.value)) return
      const result = outcome.value.value.value
      if (Either.isRight(result)) {
        strictEqual(result.right.length, one.size)
        ok(served.length >= 1)
        if (one.method === "POST" && one.reads === "all") {
          strictEqual(served[0].parts.reduce((sum, { length }) => sum + length, 0), one.chunks * 1000)
        }
      } else if (!result.left.written && one.method === "POST") {
        // A GET may have been sent before, and what is reported is its last attempt.
        strictEqual(served.length, 0, `request ${n} is said not to be written: ${result.left.message}`)
      } else if (one.method === "POST" && served.length === 1) {
        strictEqual(result.left.safeToRetry, false, `POST ${n} was seen: ${result.left.message}`)
      }
    })
    const { dialing, leases, waiting } = pool.unsafeStats()
    deepStrictEqual({ dialing, leases, waiting }, { dialing: 0, leases: 0, waiting: 0 })
    yield* pool.evictIdle
    yield* Effect.sleep("1 second")
    deepStrictEqual([pool.unsafeStats().open, network.open], [0, 0])
  }))

describe("HTTP/2, whatever happens when", () => {
  it("each request ends, no POST is carried out twice, and nothing is left", () => {
    fc.sample(script, { seed, numRuns: runs }).forEach((script, n) => {
      try {
        simulate(play(script))
      } catch (cause) {
        throw new Error(`script ${n} of seed ${seed}: ${JSON.stringify(script)}`, { cause })
      }
    })
  }, 600_000)

  it("a GET and a POST under way, and the server ends the connection at each moment", () => {
    const wire = { capacity: 100, latency: 3, bandwidth: Infinity, buffer: 2000, window: 1000, maxConnections: 1 }
    const base = { isStream: true, size: 1000, reads: "all", patience: undefined, ends: "well", delay: 10 } as const
    const asked: ReadonlyArray<Asked> = [
      { ...base, at: 0, method: "GET", chunks: 0 },
      { ...base, at: 30, method: "POST", chunks: 3 },
      { ...base, at: 33, method: "GET", chunks: 0 },
      { ...base, at: 90, method: "POST", chunks: 0 }
    ]
    for (const what of ["goAway", "close", "reset"] as const) {
      for (let at = 0; at < 120; at += 2) simulate(play({ asked: [...asked], happenings: [{ at, what }], ...wire }))
    }
  }, 60_000)
})
