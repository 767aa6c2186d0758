import { HttpClient } from "@effect/platform/HttpClient"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import { PooledHttpClient } from "@sluice/core/PooledHttpClient"
import type { PoolEvent } from "@sluice/core/PoolEvent"
import type { PoolStats } from "@sluice/core/PoolStats"
import * as TransportError from "@sluice/core/TransportError"
import { HttpClientLayer } from "@sluice/node"
import type { TestServer } from "@sluice/test-server"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** A client of its own, with its pool, for as long as the test's scope lasts. */
export const makeClient = (options: HttpClientLayer.Options = {}) =>
  Effect.map(Layer.build(HttpClientLayer.layer(options)), (context) => ({
    client: Context.get(context, HttpClient),
    typed: Context.get(context, PooledHttpClient),
    pool: Context.get(context, ConnectionPool.ConnectionPool)
  }))

/** One turn of the event loop: whatever was under way on the loopback gets on. No time passes on any Clock. */
export const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Goes on as soon as the condition holds, looked at in every turn of the event loop. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.zipRight(turn, until(condition)))

export const turns = (count: number): Effect.Effect<void> => Effect.repeatN(turn, count - 1)

/** The pool when nothing is under way in it. */
export const settled = (pool: ConnectionPool.ConnectionPool): Effect.Effect<PoolStats> =>
  Effect.map(
    until(() => {
      const { active, closing, dialing, leases, waiting } = pool.unsafeStats()
      return active + closing + dialing + leases + waiting === 0
    }),
    pool.unsafeStats
  )

/** Waits until pool and server agree that so many connections are open, all of them idle. */
export const idle = (pool: ConnectionPool.ConnectionPool, server: TestServer.TestServer, count: number) =>
  Effect.gen(function*() {
    yield* until(() => {
      const stats = pool.unsafeStats()
      return stats.idle === count && stats.open === count && stats.leases === 0 && stats.waiting === 0
    })
    yield* server.awaitStats((stats) => stats.openConnections === count && stats.activeRequests === 0)
  })

/** The transport's error that the effect fails with. */
export const failure = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<TransportError.TransportError, A, R> =>
  Effect.flatMap(
    Effect.flip(effect),
    (error) =>
      Option.match(TransportError.fromHttpClientError(error), {
        onNone: () => Effect.die(new Error(`not an error of the transport: ${String(error)}`, { cause: error })),
        onSome: (transport) => Effect.succeed(transport)
      })
  )

/** Opens so many connections at once and leaves them idle. */
export const openIdle = (
  client: HttpClient,
  pool: ConnectionPool.ConnectionPool,
  server: TestServer.TestServer,
  gate: { readonly awaitHeld: (count: number) => Effect.Effect<void>; readonly open: Effect.Effect<void> },
  path: string,
  count: number
) =>
  Effect.gen(function*() {
    const all = yield* Effect.fork(
      Effect.all(Effect.replicate(client.get(`${server.url}${path}`), count), { concurrency: "unbounded" })
    )
    yield* gate.awaitHeld(count)
    yield* gate.open
    yield* all
    yield* idle(pool, server, count)
  })

/** Keeps the events of a pool from now on. */
export const recordEvents = (pool: ConnectionPool.ConnectionPool) =>
  Effect.gen(function*() {
    const events: Array<PoolEvent> = []
    yield* Effect.forkScoped(Stream.runForEach(pool.events, (event) => Effect.sync(() => events.push(event))))
    yield* turn
    return (tag: PoolEvent["_tag"]) => Effect.as(turns(2), events.filter((event) => event._tag === tag))
  })

/** Bytes that can be distinguished: the one at offset `n` is `n % 251`, as the server's `Reply.size` makes them. */
export const pattern = (size: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(size)
  for (let n = 0; n < size; n++) bytes[n] = n % 251
  return bytes
}
