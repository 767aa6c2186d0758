import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import { HttpClientLayer } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { atMost, exactly, type Outcome } from "./Outcome.js"
import { report } from "./Progress.js"

/** More than the client buffers for a reader that does not come, 256 KiB. */
const largeBody = 1024 * 1024

/**
 * A service with one client for all of its requests. Two of its routes make the classic mistake: they look at the
 * status of the response and never read its body.
 */
const service = (downstream: string) => {
  const careless = (path: string) =>
    Effect.map(HttpClient.get(downstream + path), (response) => HttpServerResponse.text(`${response.status}`))
  return HttpRouter.empty.pipe(
    HttpRouter.get("/careless-small", careless("/small")),
    HttpRouter.get("/careless-large", careless("/large")),
    HttpRouter.get(
      "/careful",
      HttpClient.get(`${downstream}/large`).pipe(
        Effect.flatMap((response) => response.arrayBuffer),
        Effect.map((bytes) => HttpServerResponse.text(`${bytes.byteLength}`))
      )
    )
  )
}

/**
 * Pool exhaustion in a service: few connections, much load, and bodies that nobody reads.
 */
export const sharedClient = ({ calls = 60, connections = 4, users = 20 } = {}) =>
  Effect.gen(function*() {
    const downstream = yield* TestServer.make({
      replies: { "/small": Reply.text("a short text"), "/large": Reply.size(largeBody) }
    })

    const { careful, large, pool, small } = yield* Effect.gen(function*() {
      const shared = yield* Layer.build(HttpClientLayer.layer({
        limits: { maxConnections: connections },
        unreadBodyGrace: "50 millis"
      }))
      yield* Effect.provide(HttpServer.serveEffect(service(downstream.url)), shared)
      const { address } = yield* HttpServer.HttpServer

      const load = (path: string, title: string) =>
        Effect.gen(function*() {
          const before = (yield* downstream.stats).connectionsOpened
          const texts = yield* callRepeatedly(HttpServer.formatAddress(address) + path, calls, users, title)
          return { texts, opened: (yield* downstream.stats).connectionsOpened - before }
        })

      return {
        small: yield* load("/careless-small", "short bodies never read"),
        large: yield* load("/careless-large", "bodies of 1 MiB never read"),
        careful: yield* load("/careful", "bodies of 1 MiB read"),
        pool: Context.get(shared, ConnectionPool.ConnectionPool)
      }
    }).pipe(
      Effect.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 })),
      Effect.scoped
    )

    const stats = yield* downstream.stats
    const received = (texts: ReadonlyArray<string>, text: string) => texts.filter((_) => _ === text).length
    return {
      elsewhere:
        "A response holds its connection until its body is read. With undici, and with the platform's layer over " +
        "it, a request behind an unread body waits for ever. Code that looks at the status only, or retries on a 503, " +
        "uses up all connections; then the service stands still, and nothing says why.",
      here: "A short body is taken off the wire whether anybody reads it or not, so its connection is free again. A " +
        "long one that nobody has begun to read is abandoned when another request waits: its connection is closed, and reading " +
        "it later fails with BodyAbandoned. Bodies that are read keep their connections in use.",
      figures: [
        exactly("caller", "responses, short bodies unread", received(small.texts, "200"), calls),
        exactly("caller", "responses, long bodies unread", received(large.texts, "200"), calls),
        exactly("caller", "responses, long bodies read", received(careful.texts, `${largeBody}`), calls),
        exactly("server", "requests", stats.requests, 3 * calls),
        atMost("server", "connections opened, short bodies unread", small.opened, connections),
        atMost("server", "connections opened, long bodies unread", large.opened, calls),
        atMost("server", "connections opened, long bodies read", careful.opened, connections),
        atMost("server", "most open at once", stats.maxOpenConnections, connections),
        exactly("server", "left open", stats.openConnections, 0),
        exactly("pool", "permits free", pool.unsafeStats().permitsFree, connections)
      ]
    } satisfies Outcome
  }).pipe(Effect.scoped)

/** Those who call the service have a client of their own. */
const callRepeatedly = (url: string, calls: number, users: number, title: string) =>
  Effect.forEach(
    Array.range(1, calls),
    (call) =>
      HttpClient.get(url).pipe(
        Effect.flatMap((response) => response.text),
        Effect.tap(() => report(`${call} of ${calls} calls, ${title}`)),
        // A call that fails is missing in the count.
        Effect.orElseSucceed(() => "")
      ),
    { concurrency: users }
  ).pipe(Effect.provide(HttpClientLayer.default))
