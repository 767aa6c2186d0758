import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"

const onlyConnection = MockHttp.layer([
  MockHttp.on("GET", "https://api.test/slow", () => Effect.delay(Effect.succeed({ body: "at last" }), "1 minute")),
  MockHttp.on("GET", "https://api.test/fast", { body: "at once" })
], { limits: { maxConnections: 1 } })

it.effect("Effect.timeout around a request gives its connection to the next one", () =>
  Effect.gen(function*() {
    const slow = yield* HttpClient.get("https://api.test/slow").pipe(Effect.timeoutOption("1 seconds"), Effect.fork)
    yield* TestClock.adjust("1 seconds")
    assert.strictEqual((yield* Fiber.join(slow))._tag, "None")
    const next = yield* HttpClient.get("https://api.test/fast")
    assert.strictEqual(yield* next.text, "at once")
    const pool = yield* ConnectionPool.ConnectionPool
    assert.strictEqual((yield* pool.stats).leases, 0)
  }).pipe(Effect.provide(onlyConnection)))
