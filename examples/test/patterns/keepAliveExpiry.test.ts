import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"

const live = MockHttp.layer(
  [MockHttp.on("GET", "https://api.test/", { body: "hello" })],
  { limits: { keepAliveExpiry: "30 seconds" } }
)

it.effect("an idle connection is kept for its time and then closed", () =>
  Effect.gen(function*() {
    const pool = yield* ConnectionPool.ConnectionPool
    yield* HttpClient.get("https://api.test/")
    yield* TestClock.adjust("29 seconds")
    assert.strictEqual((yield* pool.stats).idle, 1)
    yield* TestClock.adjust("1 seconds")
    assert.strictEqual((yield* pool.stats).open, 0)
  }).pipe(Effect.provide(live)))
