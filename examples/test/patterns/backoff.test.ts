import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"

// Two failures, then a response.
const flaky = MockHttp.layer([
  MockHttp.sequence(MockHttp.on("GET", "https://api.test/", { status: 503 }, { status: 503 }, { body: "at last" }))
])

it.effect("retries wait for one second, then for two", () =>
  Effect.gen(function*() {
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.filterStatusOk,
      HttpClient.retryTransient({ times: 3, schedule: Schedule.exponential("1 second") })
    )
    const fiber = yield* Effect.fork(Effect.flatMap(client.get("https://api.test/"), (response) => response.text))
    const { awaitRequest, requests } = yield* MockHttp.MockHttp
    yield* awaitRequest(1)
    yield* TestClock.adjust("1 second")
    yield* awaitRequest(2)
    yield* TestClock.adjust("1999 millis")
    assert.strictEqual(requests.length, 2)
    yield* TestClock.adjust("1 millis")
    assert.strictEqual(yield* Fiber.join(fiber), "at last")
  }).pipe(Effect.provide(flaky)))
