import { assert, describe, it } from "@effect/vitest"
import type { HttpClientLayer } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { LookupFunction } from "node:net"
import { makeClient } from "./support.js"

// Issue 15, section 3, over real sockets: the servers' own counts of connections are the judge. How long the requests take
// depends on the machine, and so does how many quanta they take; what a quantum costs does not.

const quantum = 50

interface Contenders {
  readonly origins: number
  readonly maxConnections: number
  readonly requests: number
  readonly options?: HttpClientLayer.Options
  /** Origins that nobody can use, asked again and again meanwhile. */
  readonly dead?: ReadonlyArray<string>
}

/** All requests at once. How many connections the servers counted, and how many they may at most. */
const run = ({ dead = [], maxConnections, options, origins, requests }: Contenders) =>
  Effect.gen(function*() {
    const servers = yield* Effect.replicateEffect(
      TestServer.make({ replies: { "/": Reply.text("ok") }, ...(options?.http2 === undefined ? {} : { http2: true }) }),
      origins
    )
    const { client, pool } = yield* makeClient({
      ...options,
      limits: { maxConnections },
      timeouts: { pool: "1 minute", connect: "1 minute" }
    })
    const urls = servers.map((server) => `${server.url}/`)
    const start = performance.now()
    const neighbours = yield* Effect.forkScoped(
      Effect.forEach(dead, (url) => Effect.forever(Effect.ignore(client.get(url))), { concurrency: "unbounded" })
    )
    yield* Effect.forEach(
      Array.from({ length: requests }, (_, i) => urls[i % urls.length]),
      (url) => Effect.flatMap(client.get(url), (response) => response.text),
      { concurrency: requests }
    )
    const elapsed = performance.now() - start
    yield* Fiber.interruptFork(neighbours)
    const stats = yield* Effect.forEach(servers, (server) => server.stats)
    assert.isAtMost(pool.unsafeStats().open, maxConnections)
    return {
      opened: stats.reduce((sum, { connectionsOpened }) => sum + connectionsOpened, 0),
      bound: maxConnections * (Math.ceil(elapsed / quantum) + 1) + origins
    }
  })

describe("More origins than connections", { timeout: 60_000 }, () => {
  for (const [origins, maxConnections, requests] of [[2, 1, 200], [20, 10, 400], [5, 2, 200]]) {
    it.scopedLive(`${origins} over ${maxConnections}`, () =>
      Effect.gen(function*() {
        const { bound, opened } = yield* run({ origins, maxConnections, requests })
        assert.isAtMost(opened, Math.min(bound, requests / 2))
      }))
  }

  it.scopedLive("3 over 2 that speak HTTP/2, with 5 streams each", () =>
    Effect.gen(function*() {
      const options = { http2: { priorKnowledge: true, maxConcurrentStreams: 5 } }
      const { bound, opened } = yield* run({ origins: 3, maxConnections: 2, requests: 150, options })
      assert.isAtMost(opened, Math.min(bound, 75))
    }))

  it.scopedLive("one beside those that cannot be reached", () =>
    Effect.gen(function*() {
      const lookup: LookupFunction = (_host, _options, callback) =>
        setImmediate(() => callback(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }), []))
      const { opened } = yield* run({
        origins: 1,
        maxConnections: 1,
        requests: 300,
        options: { lookup },
        dead: ["http://127.0.0.1:1/", "https://127.0.0.1:1/", "http://nowhere.test/"]
      })
      // Each of them may have taken it once, before its first failure.
      assert.isAtMost(opened, 10)
    }))

  it.scopedLive("one beside one that ends each connection after one response", () =>
    Effect.gen(function*() {
      const closing = yield* TestServer.make({
        replies: { "/": Reply.text("bye", { headers: { connection: "close" } }) }
      })
      const { bound, opened } = yield* run({ origins: 1, maxConnections: 1, requests: 300, dead: [`${closing.url}/`] })
      assert.isAtMost(opened, Math.min(bound, 150))
    }))
})
