import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import * as Body from "../../src/Body.js"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import * as PooledHttpClient from "../../src/PooledHttpClient.js"
import type * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import * as Timeouts from "../../src/Timeouts.js"
import { BodyAbandoned, PoolTimeout } from "../../src/TransportError.js"
import { a, b, c } from "./support/origins.js"
import { open, outcome } from "./support/pool.js"

// Issue 15, section 5: an unread body is abandoned only for whom it helps, and always then.

const trickle = Stream.repeat(Stream.make("x"), Schedule.spaced(300))
const silent = Stream.concat(Stream.make("x".repeat(1_000)), Stream.never)

const world = (options: ConnectionPool.Options & { readonly network: MemoryNetwork.Options }) =>
  Effect.gen(function*() {
    const { network, pool } = yield* open(options)
    const client = yield* Effect.provideService(
      PooledHttpClient.make({ timeouts: options.timeouts }),
      ConnectionPool.ConnectionPool,
      pool
    )
    const get = (origin = a, path = "/") => client.execute(HttpClientRequest.get(`${origin.href}${path}`))
    return { network, pool, get }
  })

/** Bodies that never end at `/open`, and empty ones elsewhere. */
const respond = (body: Stream.Stream<string>): MemoryNetwork.Options["respond"] => (request) =>
  Effect.succeed(request.target === "/open" ? { body } : {})

describe("an unread body", () => {
  it.scoped("that is smaller than the buffer is abandoned as well: a trickle, silence", () =>
    Effect.gen(function*() {
      for (const body of [trickle, silent]) {
        for (const protocol of ["http/1.1", "h2"] as const) {
          const { get } = yield* world({
            limits: { maxConnections: 1 },
            network: {
              respond: respond(body),
              protocol: () => protocol,
              dial: () => Effect.succeed({ protocol, capacity: 1 })
            }
          })
          const unread = yield* get(a, "/open")
          const waiting = yield* Effect.fork(get())
          yield* TestClock.adjust(999)
          strictEqual(outcome(waiting), "waits")
          yield* TestClock.adjust(1)
          yield* settle
          strictEqual(outcome(waiting), "done")
          ok((yield* Effect.flip(unread.text)).cause instanceof BodyAbandoned)
        }
      }
    }))

  it.scoped("is abandoned in time for a request that may not wait for long", () =>
    Effect.gen(function*() {
      const { get } = yield* world({
        limits: { maxConnections: 1 },
        timeouts: { pool: 400 },
        network: { respond: respond(silent) }
      })
      yield* get(a, "/open")
      const waiting = yield* Effect.fork(get(b))
      yield* TestClock.adjust(300)
      strictEqual(outcome(waiting), "done")
    }))

  it.scoped("is abandoned in time for each request that waits, however long those before it may wait", () =>
    Effect.gen(function*() {
      for (const patient of [a, b, c]) {
        const { get } = yield* world({
          limits: { maxConnections: 2 },
          timeouts: { read: "Infinity" },
          network: { respond: respond(silent) }
        })
        yield* get(a, "/open")
        yield* get(b, "/open")
        const waits = yield* Effect.fork(get(patient).pipe(Timeouts.locally({ pool: "Infinity" })))
        yield* settle
        const waiting = yield* Effect.fork(get(b).pipe(Timeouts.locally({ pool: 400 })))
        yield* TestClock.adjust(399)
        deepStrictEqual([outcome(waits), outcome(waiting)], ["done", "done"])
      }
    }))

  it.scoped("over HTTP/2 is left where the server allows fewer streams than would be left", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({
        limits: { maxConnections: 1 },
        network: {
          respond: respond(silent),
          protocol: () => "h2",
          dial: () => Effect.succeed({ protocol: "h2", capacity: 3 })
        }
      })
      const bodies = yield* Effect.forEach([1, 2, 3], () => get(a, "/open"))
      network.connections[0].setCapacity(2)
      const reading = yield* Effect.fork(bodies[0].text)
      yield* settle
      const waiting = yield* Effect.fork(get(a))
      yield* TestClock.adjust("1 second")
      yield* settle
      // One alone would have helped nobody.
      strictEqual(outcome(waiting), "done")
      deepStrictEqual(network.requests.map((_) => _.state), ["Running", "Cancelled", "Cancelled", "Responded"])
      yield* get(a, "/open")
      network.connections[0].setCapacity(0)
      const inVain = yield* Effect.fork(get(a))
      yield* TestClock.adjust("4 seconds")
      deepStrictEqual([outcome(inVain), network.requests[4].state], ["waits", "Running"])
      yield* Fiber.interruptAll([reading, inVain])
    }))

  it.scoped("of another origin is left to one that its own limit keeps waiting", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({
        limits: { maxConnections: 10, maxConnectionsPerOrigin: 1 },
        timeouts: { read: "Infinity" },
        network: { respond: respond(silent) }
      })
      const mine = yield* get(a, "/open")
      const reading = yield* Effect.fork(mine.text)
      yield* get(b, "/open")
      const waiting = yield* Effect.fork(get(a))
      yield* TestClock.adjust("10 seconds")
      // Nor is one that somebody reads.
      deepStrictEqual([outcome(waiting), network.open], ["PoolTimeout", 2])
      yield* Fiber.interrupt(reading)
    }))

  it.scoped("of one's own origin goes first, and only one for one request", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({
        limits: { maxConnections: 3 },
        network: { respond: respond(silent) }
      })
      yield* get(b, "/open")
      yield* get(a, "/open")
      yield* get(b, "/open")
      const waiting = yield* Effect.fork(get(a))
      yield* TestClock.adjust("2 seconds")
      strictEqual(outcome(waiting), "done")
      deepStrictEqual(network.requests.map((_) => _.state), ["Running", "Cancelled", "Running", "Responded"])
    }))

  it.scoped("over HTTP/2 goes with all that its connection carries, for a request of another origin", () =>
    Effect.gen(function*() {
      for (const isRead of [false, true]) {
        const { get, network } = yield* world({
          limits: { maxConnections: 1 },
          timeouts: { read: "Infinity" },
          network: {
            respond: respond(silent),
            protocol: () => "h2",
            dial: () => Effect.succeed({ protocol: "h2", capacity: 10 })
          }
        })
        const bodies = yield* Effect.forEach([1, 2, 3], () => get(a, "/open"))
        const reading = isRead ? yield* Effect.fork(bodies[1].text) : undefined
        const waiting = yield* Effect.fork(get(b))
        yield* TestClock.adjust(999)
        deepStrictEqual(network.requests.map((_) => _.state), ["Running", "Running", "Running"])
        yield* TestClock.adjust(1)
        yield* settle
        strictEqual(outcome(waiting), isRead ? "waits" : "done")
        // One that is read keeps the connection, so to abandon the others would help nobody.
        const state = isRead ? "Running" : "Cancelled"
        deepStrictEqual(network.requests.slice(0, 3).map((_) => _.state), [state, state, state])
        if (reading !== undefined) yield* Fiber.interrupt(reading)
      }
    }))

  it.scoped("over HTTP/2 goes alone for a request of its own origin", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({
        limits: { maxConnections: 1 },
        network: {
          respond: respond(silent),
          protocol: () => "h2",
          dial: () => Effect.succeed({ protocol: "h2", capacity: 2 })
        }
      })
      yield* Effect.forEach([1, 2], () => get(a, "/open"))
      const waiting = yield* Effect.fork(get(a))
      yield* TestClock.adjust("1 second")
      strictEqual(outcome(waiting), "done")
      deepStrictEqual(network.requests.map((_) => _.state), ["Cancelled", "Running", "Responded"])
    }))

  it.scoped("that is held on purpose is never abandoned, and PoolTimeout names it", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({
        limits: { maxConnections: 1 },
        timeouts: { read: "Infinity" },
        network: { respond: respond(silent) }
      })
      const response = yield* get(a, "/open")
      yield* Body.hold(response)
      const waiting = yield* Effect.fork(Effect.flip(get(b)))
      yield* TestClock.adjust("10 seconds")
      const error = yield* Fiber.join(waiting)
      ok(error instanceof PoolTimeout && error.pool.longestHeld.some((_) => _.url.endsWith("/open") && _.bodyUnread))
      strictEqual(network.requests[0].state, "Running")
      yield* PooledHttpClient.discard(response)
      const next = yield* Effect.fork(get(b))
      yield* TestClock.adjust("1 second")
      strictEqual(outcome(next), "done")
    }))

  it.scoped("that nobody waits behind is kept for as long as one likes", () =>
    Effect.gen(function*() {
      const { get, network } = yield* world({ network: { respond: respond(silent) }, timeouts: { read: "Infinity" } })
      yield* get(a, "/open")
      yield* TestClock.adjust("1 hour")
      strictEqual(network.requests[0].state, "Running")
    }))
})
