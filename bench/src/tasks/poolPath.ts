import { make, type Options } from "@sluice/core/ConnectionPool"
import { Connector } from "@sluice/core/Connector"
import * as Origin from "@sluice/core/Origin"
import { type LeaseOwner, type PoolDriver, Ticket } from "@sluice/engine/pool"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { setTimeout as sleep } from "node:timers/promises"
import type { Measurement } from "../Suite.js"
import * as memoryConnector from "./memoryConnector.js"

// What the pool keeps to itself: no user gets at it, and no type of it is public.
interface Inner {
  readonly host: { readonly driver: PoolDriver }
}

const ownerOf = (wanted: Origin.Origin): LeaseOwner => ({
  wanted,
  caller: undefined,
  context: undefined,
  describe: () => ({ method: "GET", url: "", bodyUnread: false }),
  granted: () => {},
  refused: () => {}
})

const times = 200_000
const waiters = 10_000
const collect = (globalThis as { readonly gc?: () => void }).gc

const nanoseconds = (step: () => void): number => {
  for (let i = 0; i < times; i++) step()
  const begun = performance.now()
  for (let i = 0; i < times; i++) step()
  return ((performance.now() - begun) * 1e6) / times
}

const heap = async () => {
  for (let i = 0; i < 4; i++) {
    collect?.()
    await sleep(10)
  }
  return process.memoryUsage().heapUsed
}

/**
 * What a request costs the pool, in nanoseconds: the core's decisions alone, and the whole path that the client takes.
 * And what one that waits holds on the heap, in bytes.
 */
export const measurePath = (): Promise<Measurement> => {
  const options: Options = { limits: { maxConnections: 1 } }
  const program = Effect.gen(function*() {
    const pool = yield* make(options)
    const { driver } = (pool as unknown as Inner).host
    const origin = Either.getOrThrow(Origin.make("http://origin.test/"))
    yield* pool.warm(origin, 1)

    const state = driver.originState(origin)
    const owner = ownerOf(origin)
    const now = driver.time.now()
    const core = nanoseconds(() => {
      const ticket = new Ticket(state, owner, 5000, 5000)
      driver.core.acquire(ticket, now)
      driver.core.release(ticket, true, Infinity, now)
    })
    const path = nanoseconds(() => driver.release(driver.request(origin, owner, 5000, 5000)))

    const held = driver.request(origin, owner, 600_000, 5000)
    const before = yield* Effect.promise(heap)
    const waiting = Array.from({ length: waiters }, () => driver.request(origin, owner, 600_000, 5000))
    const after = yield* Effect.promise(heap)
    for (const ticket of waiting) driver.abandon(ticket)
    waiting.length = 0
    const left = yield* Effect.promise(heap)
    driver.release(held)
    return { core, path, waiter: (after - before) / waiters, left: (left - before) / waiters }
  })
  return Effect.runPromise(
    Effect.scoped(program).pipe(Effect.provideService(Connector, memoryConnector.make()))
  )
}
