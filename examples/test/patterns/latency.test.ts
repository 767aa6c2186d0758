import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"

// Half a second until the first byte, then a hundred bytes a second.
const slow = MockHttp.layer([
  MockHttp.on("GET", "https://api.test/", { body: "x".repeat(100), delay: "500 millis", bytesPerSecond: 100 })
])

it.effect("a slow response takes its time, and the test none", () =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.flatMap(HttpClient.get("https://api.test/"), (response) => response.text))
    yield* TestClock.adjust("1200 millis")
    assert.isNull(fiber.unsafePoll())
    yield* TestClock.adjust("300 millis")
    assert.strictEqual((yield* Fiber.join(fiber)).length, 100)
  }).pipe(Effect.provide(slow)))
