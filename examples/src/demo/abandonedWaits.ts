import * as HttpClient from "@effect/platform/HttpClient"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as TransportError from "@sluice/core/TransportError"
import { HttpClientLayer } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { atLeast, atMost, exactly, type Outcome } from "./Outcome.js"
import { report } from "./Progress.js"

type End = "succeeded" | "PoolTimeout" | "interrupted" | "other"

const endOf = (exit: Exit.Exit<unknown, unknown>): End => {
  if (Exit.isSuccess(exit)) return "succeeded"
  if (Cause.isInterruptedOnly(exit.cause)) return "interrupted"
  const error = Option.flatMap(Cause.failureOption(exit.cause), TransportError.fromHttpClientError)
  return Option.isSome(error) && error.value._tag === "PoolTimeout" ? "PoolTimeout" : "other"
}

/**
 * httpx #1171: many more tasks than connections, a server slower than the pool timeout, and tasks that are interrupted
 * while they wait and while they hold a connection. Afterwards the pool is as good as new.
 */
export const abandonedWaits = (
  { connections = 10, poolTimeout = Duration.millis(400), serverTime = Duration.millis(900), tasks = 200 } = {}
) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({
      replies: {
        "/slow": Reply.text("at last", { delayBeforeHead: serverTime }),
        "/fast": Reply.text("at once")
      }
    })
    const pool = yield* ConnectionPool.ConnectionPool
    const get = (path: string) => Effect.flatMap(HttpClient.get(server.url + path), (response) => response.text)

    // All at once; after a fraction of the pool timeout every fifth task is interrupted, whatever it is doing.
    yield* report(`${tasks} tasks at once over ${connections} connections, the server slower than the pool timeout`)
    const fibers = yield* Effect.forEach(Array.range(1, tasks), () => Effect.fork(get("/slow")))
    yield* Effect.sleep(Duration.times(poolTimeout, 0.4))
    const unwanted = fibers.filter((_, index) => index % 5 === 0)
    yield* Fiber.interruptAll(unwanted)
    yield* report(`${unwanted.length} tasks interrupted, the others wait`)
    const ends = (yield* Effect.forEach(fibers, Fiber.await)).map(endOf)
    const ended = (end: End) => ends.filter((_) => _ === end).length
    const sent = (yield* server.stats).requests

    yield* report(`${tasks} more tasks over the same pool`)
    const after = yield* Effect.forEach(Array.range(1, tasks), () => Effect.exit(get("/fast")), {
      concurrency: "unbounded"
    })
    const { waiting } = yield* pool.stats
    yield* pool.evictIdle
    const { permitsFree } = yield* pool.stats.pipe(
      Effect.repeat({ until: ({ open }) => open === 0, schedule: Schedule.spaced("5 millis"), times: 400 }),
      Effect.zipRight(pool.stats)
    )
    const stats = yield* server.stats

    return {
      elsewhere: "A waiter that had timed out or been cancelled stayed assigned to a connection. Each of them took " +
        "one connection out of service, and once all of them were lost every request failed with PoolTimeout, for ever.",
      here: `${ended("succeeded")} tasks got their response, ${ended("PoolTimeout")} a PoolTimeout and ` +
        `${ended("interrupted")} were interrupted, some while they waited and some in the middle of their exchange. ` +
        `A task that ends leaves nothing in the pool, so the ${tasks} tasks after them all got their response.`,
      figures: [
        atLeast("caller", "responses", ended("succeeded"), 1),
        atLeast("caller", "failed with PoolTimeout", ended("PoolTimeout"), 1),
        exactly("caller", "interrupted", ended("interrupted"), unwanted.length),
        exactly("caller", "ended in any other way", ended("other"), 0),
        exactly("caller", "responses afterwards", after.filter(Exit.isSuccess).length, tasks),
        exactly("server", "requests", stats.requests, sent + tasks),
        // Interrupting an exchange over HTTP/1.1 closes its connection.
        atMost("server", "connections opened", stats.connectionsOpened, connections + unwanted.length),
        atMost("server", "most open at once", stats.maxOpenConnections, connections),
        exactly("server", "left open", stats.openConnections, 0),
        atLeast("server", "exchanges broken off", stats.abandonedRequests, 1),
        exactly("pool", "requests left waiting", waiting, 0),
        exactly("pool", "permits free", permitsFree, connections)
      ]
    } satisfies Outcome
  }).pipe(
    Effect.provide(HttpClientLayer.layer({
      limits: { maxConnections: connections },
      timeouts: { pool: poolTimeout }
    })),
    Effect.scoped
  )
