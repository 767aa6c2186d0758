import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as TransportError from "@sluice/core/TransportError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"

// One connection, and a server that never responds.
const busy = MockHttp.layer(
  [MockHttp.on("GET", "https://api.test/report", () => Effect.never)],
  { limits: { maxConnections: 1 }, timeouts: { pool: "2 seconds", read: "Infinity" } }
)

it.effect("a PoolTimeout names who holds the connection", () =>
  Effect.gen(function*() {
    const report = HttpClient.get("https://api.test/report")
    yield* Effect.fork(report)
    const second = yield* report.pipe(
      TransportError.catchTag("PoolTimeout", (error) => Effect.succeed(error.pool.longestHeld)),
      Effect.fork
    )
    yield* TestClock.adjust("2 seconds")
    assert.deepEqual(yield* Fiber.join(second), [
      { method: "GET", url: "https://api.test/report", age: 2000, bodyUnread: false }
    ])
  }).pipe(Effect.provide(busy)))
