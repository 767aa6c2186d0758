import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import { Connector } from "../../src/Connector.js"
import { hostOf } from "../../src/internal/connectionPool.js"
import * as PooledHttpClient from "../../src/PooledHttpClient.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import { a, b } from "./support/origins.js"
import { outcome, send, take } from "./support/pool.js"

const closable = (
  { network: script, ...options }: ConnectionPool.Options & { readonly network?: MemoryNetwork.Options }
) =>
  Effect.gen(function*() {
    const network = yield* MemoryNetwork.make(script)
    const scope = yield* Scope.make()
    const pool = yield* ConnectionPool.make(options).pipe(
      Effect.provideService(Connector, network.connector),
      Scope.extend(scope)
    )
    return { network, pool, close: Scope.close(scope, Exit.void) }
  })

/** How many fibers run that nobody waits for, as those of a pool. */
const roots = Effect.sync(() => Fiber.unsafeRoots().length)

/** An async generator that never yields again, and never ends when it is asked to. */
const neverReturns: AsyncIterator<Uint8Array> = {
  next: () => new Promise(() => {}),
  return: () => new Promise(() => {})
}

const slow: MemoryNetwork.Options = { respond: () => Effect.delay(Effect.succeed({}), "10 seconds") }

describe("closing a pool", () => {
  it.effect("refuses waiters at once, and interrupts busy requests when nothing else is said", () =>
    Effect.gen(function*() {
      const { close, network, pool } = yield* closable({ limits: { maxConnections: 2 }, network: slow })
      const idle = yield* Effect.fork(send(pool, a))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(idle)
      const fibers = yield* Effect.forEach([a, b, a, b], (_) => Effect.fork(send(pool, _)))
      yield* settle
      yield* close
      yield* settle
      deepStrictEqual(fibers.map(outcome), ["ReadError", "ReadError", "PoolClosed", "PoolClosed"])
      strictEqual(network.open, 0)
    }))

  it.effect("gives busy requests drainTimeout; waiters and idle connections get none of it", () =>
    Effect.gen(function*() {
      const { close, network, pool } = yield* closable({
        limits: { maxConnections: 3 },
        drainTimeout: "15 seconds",
        network: {
          respond: ({ connection }) =>
            Effect.delay(Effect.succeed({}), connection.number === 2 ? "10 seconds" : "20 seconds")
        }
      })
      yield* (yield* take(pool, a)).release
      const fibers = yield* Effect.forEach([b, b, b], (_) => Effect.fork(send(pool, _)))
      yield* settle
      strictEqual(network.open, 3)
      const waiting = yield* Effect.fork(send(pool, a))
      yield* settle
      const closing = yield* Effect.fork(close)
      yield* settle
      deepStrictEqual([outcome(waiting), outcome(closing)], ["PoolClosed", "waits"])
      // Nothing new begins, not even on a connection that has become free.
      yield* TestClock.adjust("10 seconds")
      deepStrictEqual(fibers.map(outcome), ["done", "waits", "waits"])
      deepStrictEqual([network.open, (yield* Effect.flip(send(pool, b)))._tag], [2, "PoolClosed"])
      yield* TestClock.adjust(4_999)
      strictEqual(outcome(closing), "waits")
      yield* TestClock.adjust(1)
      deepStrictEqual(fibers.map(outcome), ["done", "ReadError", "ReadError"])
      deepStrictEqual([outcome(closing), network.open], ["done", 0])
    }))

  it.effect("waits no longer than for the last busy connection", () =>
    Effect.gen(function*() {
      const { close, pool } = yield* closable({ drainTimeout: "Infinity", network: slow })
      const busy = yield* Effect.fork(send(pool, a))
      yield* settle
      const closing = yield* Effect.fork(close)
      yield* TestClock.adjust("10 seconds")
      deepStrictEqual([outcome(busy), outcome(closing)], ["done", "done"])
    }))

  it.effect("goes on at once when it is interrupted while others drain", () =>
    Effect.gen(function*() {
      const { close, network, pool } = yield* closable({ drainTimeout: "1 minute", network: slow })
      const busy = yield* Effect.fork(send(pool, a))
      yield* settle
      const closing = yield* Effect.fork(Effect.uninterruptible(close))
      yield* settle
      yield* Fiber.interruptFork(closing)
      yield* settle
      deepStrictEqual([outcome(busy), network.open], ["ReadError", 0])
      ok(closing.unsafePoll() !== null)
    }))

  it.effect("returns when the last socket is gone, all of them closing at the same time", () =>
    Effect.gen(function*() {
      const { close, network, pool } = yield* closable({
        network: { dial: () => Effect.succeed({ closing: Effect.sleep("3 seconds") }) }
      })
      yield* Effect.forEach([a, a, b], (_) => take(pool, _))
      const closing = yield* Effect.fork(close)
      yield* TestClock.adjust(2_999)
      deepStrictEqual([outcome(closing), network.open], ["waits", 3])
      yield* TestClock.adjust(1)
      deepStrictEqual([outcome(closing), network.open], ["done", 0])
    }))

  it.effect("leaves no socket, no permit, no timer and no fiber, whatever the pool was doing", () =>
    Effect.gen(function*() {
      const { close, network, pool } = yield* closable({
        limits: { maxConnections: 4 },
        network: { ...slow, dial: (dial) => dial.origin === b ? Effect.never : Effect.succeed({}) }
      })
      yield* (yield* take(pool, a)).release
      yield* Effect.fork(send(pool, a))
      yield* Effect.fork(send(pool, b))
      yield* Effect.fork(pool.warm(b, 2))
      yield* settle
      yield* Effect.fork(send(pool, a))
      yield* Effect.fork(send(pool, a))
      yield* settle
      const { driver: { core, time }, permit, ...rest } = hostOf(pool)
      ok(time.deadlines.size > 0 && core.state.open === 4)
      yield* close
      deepStrictEqual(
        [network.open, core.state.open, (permit as any).taken, time.deadlines.size, (rest as any).fibers.size],
        [0, 0, 0, 0, 0]
      )
    }))

  it.effect("ends although what a caller wrote does not: a body, or the finalizer of one, that no interrupt ends", () =>
    Effect.gen(function*() {
      const { close, network, pool } = yield* closable({
        network: { dial: () => Effect.succeed({ window: 1 }), respond: () => Effect.never }
      })
      const client = yield* Effect.provideService(PooledHttpClient.make(), ConnectionPool.ConnectionPool, pool)
      const bodies: ReadonlyArray<Stream.Stream<Uint8Array>> = [
        Stream.fromEffect(Effect.uninterruptible(Effect.never)),
        Stream.ensuring(Stream.never, Effect.never),
        Stream.fromAsyncIterable({ [Symbol.asyncIterator]: () => neverReturns }, (error) => error).pipe(Stream.orDie)
      ]
      const released = yield* Effect.makeLatch()
      const good = Stream.ensuring(Stream.never, Effect.zipRight(Effect.yieldNow(), released.open))
      yield* Effect.forEach([...bodies, good], (body) =>
        Effect.fork(client.execute(
          HttpClientRequest.post(a.href, { body: HttpBody.stream(body) })
        )))
      yield* settle
      // On real time: the pool's clock is a test's and stands still.
      yield* close
      strictEqual(network.open, 0)
      yield* released.await
    }))

  it.scoped("is not waited for: what never ends is let go of while the pool is open, and nothing piles up in it", () =>
    Effect.gen(function*() {
      const wakes: Array<() => void> = []
      const warnings: Array<string> = []
      const atOnce = (run: () => void) => run()
      const network = yield* MemoryNetwork.make({
        dial: () => Effect.succeed({ window: 1 }),
        respond: () => Effect.never
      })
      const runtime = {
        elapsed: () => 0,
        afterPoll: atOnce,
        captureContext: () => ({ run: atOnce }),
        backgroundSleep: (_: number, wake: () => void) => {
          wakes.push(wake)
          return () => void wakes.splice(wakes.indexOf(wake), 1)
        }
      }
      const pool = yield* ConnectionPool.make().pipe(
        Effect.provideService(Connector, { ...network.connector, runtime }),
        Effect.provide(Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ logLevel, message }) => void warnings.push(`${logLevel._tag}: ${message}`))
        ))
      )
      const client = yield* Effect.provideService(PooledHttpClient.make(), ConnectionPool.ConnectionPool, pool)
      const { callers } = hostOf(pool)
      const interrupted = (body: Stream.Stream<Uint8Array>) =>
        Effect.gen(function*() {
          const post = HttpClientRequest.post(a.href, { body: HttpBody.stream(body) })
          const fiber = yield* Effect.fork(client.execute(post))
          yield* settle
          yield* Fiber.interrupt(fiber)
        })
      const tick = Effect.zipRight(Effect.sync(() => wakes.shift()?.()), settle)
      yield* interrupted(Stream.ensuring(Stream.never, Effect.yieldNow()))
      yield* settle
      // One that ends leaves no timer.
      deepStrictEqual([callers.size, wakes.length], [0, 0])
      yield* Effect.replicateEffect(interrupted(Stream.fromEffect(Effect.uninterruptible(Effect.never))), 20)
      deepStrictEqual([callers.size, wakes.length], [20, 1])
      // Whenever it was interrupted, each has its whole time.
      yield* tick
      deepStrictEqual([callers.size, wakes.length, warnings], [20, 1, []])
      yield* interrupted(Stream.ensuring(Stream.never, Effect.never))
      yield* tick
      deepStrictEqual([callers.size, wakes.length], [1, 1])
      yield* tick
      deepStrictEqual([callers.size, wakes.length], [0, 0])
      deepStrictEqual(warnings, [
        "Warning: 20 requests have ended, and 20 of the bodies that were being sent did not end when they were " +
        "interrupted: POST http://a.test"
      ])
    }))

  it.effect("can be done for ever: a client opened and closed again and again leaves nothing to grow", () =>
    Effect.gen(function*() {
      const before = yield* roots
      for (let round = 0; round < 300; round++) {
        const { close, network, pool } = yield* closable({ limits: { maxConnections: 2 } })
        yield* Effect.forEach([a, b, a], (_) => send(pool, _), { concurrency: "unbounded" })
        yield* close
        strictEqual(network.open, 0)
        // Fewer: a test before this one may have left fibers that end meanwhile.
        ok((yield* roots) <= before)
      }
    }))

  it.effect("gives back what is held when its owner lets go after the end", () =>
    Effect.gen(function*() {
      const { close, network, pool } = yield* closable({})
      const held = yield* take(pool, a)
      yield* close
      strictEqual(network.open, 0)
      yield* held.release
      yield* held.release
      deepStrictEqual([pool.unsafeStats().leases, pool.unsafeStats().open], [0, 0])
    }))
})
