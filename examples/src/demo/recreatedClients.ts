import * as HttpClient from "@effect/platform/HttpClient"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import { HttpClientLayer } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import { atMost, count, exactly, type Outcome } from "./Outcome.js"
import { report } from "./Progress.js"

/**
 * httpx #720: a client that is closed and made again, over and over, with more requests than it may have connections.
 */
export const recreatedClients = (
  { batches = 25, connections = 10, requestsPerBatch = 100 } = {}
) =>
  Effect.gen(function*() {
    const total = batches * requestsPerBatch
    const server = yield* TestServer.make({ replies: { "/": Reply.text("hello") } })
    let succeeded = 0
    let leastFree = connections

    const request = HttpClient.get(`${server.url}/`).pipe(
      Effect.flatMap((response) => response.text),
      Effect.map((text) => {
        if (text === "hello") succeeded++
      }),
      // A request that fails is missing in the count.
      Effect.ignore
    )

    for (let batch = 1; batch <= batches; batch++) {
      // The layer is built here, and closed when the effect that it is provided to has ended.
      const pool = yield* Effect.forEach(Array.range(1, requestsPerBatch), () => request, {
        concurrency: connections * 4,
        discard: true
      }).pipe(
        Effect.zipRight(ConnectionPool.ConnectionPool),
        Effect.provide(HttpClientLayer.layer({ limits: { maxConnections: connections } }))
      )
      leastFree = Math.min(leastFree, pool.unsafeStats().permitsFree)
      yield* report(`${count(batch * requestsPerBatch)} of ${count(total)} requests, ${batch} of ${batches} clients`)
    }

    const stats = yield* server.stats
    return {
      elsewhere:
        "Closing the pool closed the idle connections, but their permits did not come back: socket and permit " +
        "were released by two functions. After as many requests as the limit allowed, each one failed with PoolTimeout.",
      here: "The permit is part of the connection's own scope, and its last finalizer: it comes back when the socket " +
        "is closed, and in no other way.",
      figures: [
        exactly("caller", "responses", succeeded, total),
        exactly("server", "requests", stats.requests, total),
        atMost("server", "connections opened", stats.connectionsOpened, batches * connections),
        atMost("server", "most open at once", stats.maxOpenConnections, connections),
        exactly("server", "left open", stats.openConnections, 0),
        exactly("pool", "permits free after each close", leastFree, connections)
      ]
    } satisfies Outcome
  }).pipe(Effect.scoped)
