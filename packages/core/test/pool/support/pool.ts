import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import * as ConnectionPool from "../../../src/ConnectionPool.js"
import { Connector } from "../../../src/Connector.js"
import { hostOf } from "../../../src/internal/connectionPool.js"
import type { Origin } from "../../../src/Origin.js"
import * as MemoryNetwork from "../../../src/testing/MemoryNetwork.js"
import { settle } from "../../../src/testing/settle.js"
import { fromFailure, type TransportError } from "../../../src/TransportError.js"
import { get, receiver } from "./exchange.js"

export interface World {
  readonly network: MemoryNetwork.MemoryNetwork
  readonly pool: ConnectionPool.ConnectionPool
}

/** A pool over a network in memory. Afterwards it has nothing left, and nobody has broken a rule of `Connection`. */
export const open = (
  { network: script, ...options }: ConnectionPool.Options & { readonly network?: MemoryNetwork.Options } = {}
) =>
  Effect.gen(function*() {
    const network = yield* MemoryNetwork.make(script)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        deepStrictEqual([network.open, network.faults], [0, []])
      })
    )
    const pool = yield* ConnectionPool.make(options).pipe(Effect.provideService(Connector, network.connector))
    yield* Effect.addFinalizer(() => Effect.zipRight(settle, isSound({ network, pool })))
    return { network, pool } satisfies World
  })

/** What the pool says, what its semaphore says and what the network says are the same. */
export const isSound = ({ network, pool }: World) =>
  Effect.gen(function*() {
    const host = hostOf(pool)
    const stats = pool.unsafeStats()
    strictEqual(network.open, stats.open, "sockets and permits")
    strictEqual(stats.open, stats.active + stats.idle + stats.dialing + stats.closing)
    strictEqual(host.driver.core.state.actions.length, 0)
    if (stats.maxConnections === Infinity) return
    ok(stats.permitsFree >= 0)
    const free = yield* host.permit.withPermitsIfAvailable(stats.permitsFree)(Effect.void)
    const more = yield* host.permit.withPermitsIfAvailable(stats.permitsFree + 1)(Effect.void)
    deepStrictEqual([Option.isSome(free), Option.isSome(more)], [true, false], "permits that are free")
  })

/** Nothing is open, waits or is lent. */
export const isEmpty = (world: World) =>
  Effect.gen(function*() {
    const { active, closing, dialing, idle, leases, open, waiting } = world.pool.unsafeStats()
    deepStrictEqual(
      { active, closing, dialing, idle, leases, open, waiting },
      { active: 0, closing: 0, dialing: 0, idle: 0, leases: 0, open: 0, waiting: 0 }
    )
    yield* isSound(world)
  })

export interface Held {
  readonly lease: ConnectionPool.Lease
  readonly server: MemoryNetwork.Server
  readonly release: Effect.Effect<void>
}

/** Takes a connection and keeps it until `release`. */
export const take = (
  pool: ConnectionPool.ConnectionPool,
  origin: Origin,
  options?: Parameters<ConnectionPool.ConnectionPool["acquire"]>[1]
): Effect.Effect<Held, TransportError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const lease = yield* restore(Scope.extend(pool.acquire(origin, options), scope)).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      return { lease, server: serverOf(lease), release: Scope.close(scope, Exit.void) }
    })
  )

/** One request and its response. Gives the number of the connection that it used. */
export const send = (
  pool: ConnectionPool.ConnectionPool,
  origin: Origin,
  options?: Parameters<ConnectionPool.ConnectionPool["acquire"]>[1]
): Effect.Effect<number, TransportError> =>
  Effect.scoped(
    Effect.flatMap(pool.acquire(origin, options), (lease) => Effect.as(exchange(lease), serverOf(lease).number))
  )

/** An exchange on a connection that one holds. */
export const exchange = ({ connection }: ConnectionPool.Lease): Effect.Effect<void, TransportError> =>
  Effect.async((resume) => {
    const exchange = connection.exchange(get(connection), {
      ...receiver(),
      onComplete: () => resume(Exit.void),
      onError: (failure) => resume(Exit.fail(fromFailure(failure)))
    })
    return Effect.sync(() => exchange.cancel("Unwanted"))
  })

export const serverOf = ({ connection }: ConnectionPool.Lease): MemoryNetwork.Server =>
  connection as unknown as MemoryNetwork.Server

/** How a fiber has ended, in a word: `waits`, `done`, the tag of its error, or `interrupted`. */
export const outcome = <A, E extends { readonly _tag: string }>(fiber: Fiber.RuntimeFiber<A, E>): string => {
  const exit = fiber.unsafePoll()
  if (exit === null) return "waits"
  return Exit.match(exit, {
    onSuccess: () => "done",
    onFailure: (cause) => cause._tag === "Fail" ? cause.error._tag : Exit.isInterrupted(exit) ? "interrupted" : "died"
  })
}
