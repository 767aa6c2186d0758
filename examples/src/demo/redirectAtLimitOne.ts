import * as HttpClient from "@effect/platform/HttpClient"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as Redirects from "@sluice/core/Redirects"
import { HttpClientLayer } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import { atMost, exactly, type Outcome } from "./Outcome.js"
import { report } from "./Progress.js"

/**
 * httpx #289: HTTP/2 with a single connection allowed, and responses that redirect to another origin. All requests to an
 * origin share one connection; the other origin's can be made only when the first one has gone.
 */
export const redirectAtLimitOne = ({ tasks = 50 } = {}) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({ tls: true, http2: true })
    // One server with two names: two origins for the client, and one count of connections for both.
    const first = `https://localhost:${server.port}`
    const second = `https://127.0.0.1:${server.port}`
    const moved = Reply.empty({
      status: 302,
      headers: { location: `${second}/arrived` },
      delayBeforeHead: "100 millis"
    })
    yield* server.reply("/moved", moved)
    yield* server.reply("/arrived", Reply.text("arrived", { delayBeforeHead: "100 millis" }))

    yield* report(`${tasks} requests at once over one connection, each redirected to another origin`)
    const { pool, texts } = yield* Effect.gen(function*() {
      const client = Redirects.follow(yield* HttpClient.HttpClient)
      const texts = yield* Effect.forEach(
        Array.range(1, tasks),
        // A request that fails is missing in the count.
        () => client.get(`${first}/moved`).pipe(Effect.flatMap((_) => _.text), Effect.orElseSucceed(() => "")),
        { concurrency: "unbounded" }
      )
      return { texts, pool: yield* ConnectionPool.ConnectionPool }
    }).pipe(
      Effect.provide(HttpClientLayer.layer({ limits: { maxConnections: 1 }, tls: { ca: server.ca } }))
    )

    const stats = yield* server.stats
    return {
      elsewhere: "The idle HTTP/2 connection of the first origin held the only permit, and nothing evicted it. " +
        "The redirect to the second origin waited for ever.",
      here: "Requests to one origin share one connection. When another origin waits and the limit is reached, the " +
        "connection takes no new requests, finishes what it carries, and makes room.",
      figures: [
        exactly("caller", "responses of the other origin", texts.filter((text) => text === "arrived").length, tasks),
        exactly("server", "requests", stats.requests, 2 * tasks),
        exactly("server", "connections opened", stats.connectionsOpened, 2),
        exactly("server", "requests at once over one of them", stats.maxConcurrentStreams, tasks),
        atMost("server", "most open at once", stats.maxOpenConnections, 1),
        exactly("server", "left open", stats.openConnections, 0),
        exactly("pool", "permits free", pool.unsafeStats().permitsFree, 1)
      ]
    } satisfies Outcome
  }).pipe(Effect.scoped)
