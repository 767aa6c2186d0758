import * as HttpServer from "@effect/platform/HttpServer"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import type { PoolStats } from "@sluice/core/PoolStats"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { StandIns } from "./Downstreams.js"
import { App, limits } from "./Layers.js"
import { emptyTally, load, type LoadOptions, type Tally } from "./Load.js"
import { ProductPage } from "./ProductPage.js"
import { type Check, columns, line } from "./report.js"

export interface Outcome {
  readonly tally: Tally
  readonly checks: ReadonlyArray<Check>
  readonly addsUp: boolean
}

/**
 * Runs the service over its stand-ins, under load, reports on the pool every half second, closes the service, and
 * compares what the users, the pool and the three downstreams counted, each for itself.
 */
export const underLoad = (options: LoadOptions) =>
  Effect.gen(function*() {
    const { catalog, did, prices, reviews } = yield* StandIns
    const tally = emptyTally()

    // The service lives as long as this block: when it is left, its pool and its port are closed.
    const { pages, pool } = yield* Effect.gen(function*() {
      const { address } = yield* HttpServer.HttpServer
      const pool = yield* ConnectionPool.ConnectionPool
      const url = HttpServer.formatAddress(address)
      yield* Console.log(`${url}/products/1  a page of the service\n${url}/pool        its pool, while it runs\n`)
      yield* Console.log(columns(limits.maxConnections))
      yield* Effect.forkScoped(report(pool, tally))
      yield* load(url, tally, options)
      return { pages: (yield* ProductPage).counts, pool: yield* pool.stats }
    }).pipe(Effect.scoped, Effect.provide(App))

    const servers = yield* Effect.all([catalog.stats, prices.stats, reviews.stats])
    const [catalogStats, pricesStats, reviewsStats] = servers
    const mostOpen = Math.max(...servers.map((_) => _.maxOpenConnections))
    const leftOpen = servers.reduce((sum, _) => sum + _.openConnections, 0)
    const askedAgain = pricesStats.requests - pages.found
    const checks = [
      equal("users: pages served or failed, of those asked for", tally.served + tally.failed, tally.asked),
      atLeast("service: pages, those for other visitors included", pages.asked, tally.asked),
      equal("catalog: requests, one for each page", catalogStats.requests, pages.asked),
      equal("catalog: connections, shared by all of them", catalogStats.connectionsOpened, 1),
      equal("reviews: requests, one for each product found", reviewsStats.requests, pages.found),
      equal("reviews: requests abandoned, a gap for each", reviewsStats.abandonedRequests, pages.withoutReviews),
      equal("prices: requests refused, asked again or a gap", did.pricesRefused, askedAgain + pages.withoutPrice),
      atMost("servers: most connections open at once to one", mostOpen, limits.maxConnectionsPerOrigin),
      equal("servers: connections left open after the service", leftOpen, 0),
      equal("pool: requests that still hold a connection", pool.leases, 0),
      equal("pool: requests that still wait", pool.waiting, 0)
    ]
    return { tally, checks, addsUp: checks.every(({ holds }) => holds) } satisfies Outcome
  })

const report = (pool: ConnectionPool.ConnectionPool, tally: Tally) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    let last = { at: start, pages: 0 }
    const one = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const stats: PoolStats = yield* pool.stats
      const perSecond = Math.round((tally.served - last.pages) * 1000 / Math.max(1, now - last.at))
      last = { at: now, pages: tally.served }
      yield* Console.log(line((now - start) / 1000, tally.served, perSecond, stats))
    })
    yield* Effect.schedule(one, Schedule.spaced("500 millis"))
  })

const equal = (name: string, is: number, wanted: number): Check => ({
  name,
  is: String(is),
  wanted: `= ${wanted}`,
  holds: is === wanted
})

const atLeast = (name: string, is: number, wanted: number): Check => ({
  name,
  is: String(is),
  wanted: `>= ${wanted}`,
  holds: is >= wanted
})

const atMost = (name: string, is: number, wanted: number): Check => ({
  name,
  is: String(is),
  wanted: `<= ${wanted}`,
  holds: is <= wanted
})
