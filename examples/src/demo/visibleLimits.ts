import * as HttpClient from "@effect/platform/HttpClient"
import * as Limits from "@sluice/core/Limits"
import * as Timeouts from "@sluice/core/Timeouts"
import * as TransportError from "@sluice/core/TransportError"
import { HttpClientLayer } from "@sluice/node"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import { exactly, holds, type Outcome } from "./Outcome.js"
import { report } from "./Progress.js"

const tableOf = (rows: Readonly<Record<string, number>>, isDuration: (name: string) => boolean): string =>
  Object.entries(rows)
    .map(([name, value]) => `${name.padEnd(26)}${isDuration(name) ? seconds(value) : String(value)}`)
    .join("\n")

const seconds = (millis: number): string => millis === Infinity ? "never" : `${millis / 1000} seconds`

/**
 * httpx #787: the limits as a tired person finds them, each with a name, and the error that says who holds what.
 */
export const visibleLimits = Effect.gen(function*() {
  const gate = yield* Gate.make
  const server = yield* TestServer.make({
    replies: {
      "/report": Reply.text("at last", { hold: gate }),
      "/export": Reply.size(1024 * 1024),
      "/status": Reply.text("fine")
    }
  })

  const refused = Effect.gen(function*() {
    // One connection waits for a slow response, the other carries a long body that nobody reads.
    const slow = yield* Effect.fork(Effect.flatMap(HttpClient.get(`${server.url}/report`), (response) => response.text))
    yield* gate.awaitHeld(1)
    yield* HttpClient.get(`${server.url}/export`)
    yield* report("both connections are taken, a third request waits")
    const error = yield* Effect.flip(HttpClient.get(`${server.url}/status`))
    const sent = (yield* server.stats).requests

    // Raised while the program runs, a limit helps at once.
    yield* gate.open
    yield* Fiber.join(slow)
    const status = yield* Effect.flatMap(HttpClient.get(`${server.url}/status`), (response) => response.text)
    return { error: TransportError.fromHttpClientError(error), sent, status }
  }).pipe(
    Effect.provide(HttpClientLayer.layer({
      limits: { maxConnections: 2 },
      timeouts: { pool: "300 millis" },
      // Or the unread body would be abandoned for the third request.
      unreadBodyGrace: "Infinity"
    }))
  )
  const { error, sent, status } = yield* refused
  const timeout = error._tag === "Some" && error.value._tag === "PoolTimeout" ? error.value : undefined
  const message = timeout?.message ?? ""
  const invalid = Limits.resolve({ maxConnections: 10, maxKeepAliveConnections: 50 })

  return {
    elsewhere: "There were limits, and nobody found them: two numbers in a row, without names, that no page of the " +
      "documentation explained. What people saw was a timeout without a reason.",
    here: "Each limit has a name, a unit and a default that can be printed. One that makes no sense is an error when " +
      "the layer is built. The error of a request that got no connection says how long it waited, at which position, and who holds the connections.",
    exhibits: [
      {
        title: "limits, when nothing is given",
        text: tableOf({ ...Limits.defaults }, (name) => /Expiry|Age/.test(name))
      },
      {
        title: "timeouts, when nothing is given",
        text: tableOf({ ...Timeouts.defaults }, () => true)
      },
      { title: "limits that make no sense", text: Either.isLeft(invalid) ? invalid.left.message : "" },
      { title: "a third request, two connections, 300 ms", text: message }
    ],
    figures: [
      exactly("caller", "connections allowed, in the error", timeout?.pool.maxConnections ?? 0, 2),
      exactly("caller", "leases named, in the error", timeout?.pool.longestHeld.length ?? 0, 2),
      holds("caller", "the message names the slow request", message.includes(`GET ${server.url}/report`)),
      holds(
        "caller",
        "the message names the unread body",
        /GET \S+\/export for \S+, its body unread/.test(message)
      ),
      holds("caller", "the wrong limit is refused by name", Either.isLeft(invalid)),
      holds("caller", "the next request gets its response", status === "fine"),
      exactly("server", "requests sent when it failed", sent, 2)
    ]
  } satisfies Outcome
}).pipe(Effect.scoped)
