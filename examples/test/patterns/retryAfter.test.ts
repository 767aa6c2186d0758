import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import * as Retry from "@sluice/core/Retry"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"

const overloadedOnce = MockHttp.layer([
  MockHttp.on("GET", "https://api.test/prices", { status: 503, headers: { "retry-after": "3" } }, { json: [1, 2] })
])

it.effect("a request is sent again when the server says it may be, and not before", () =>
  Effect.gen(function*() {
    const client = Retry.safely(yield* HttpClient.HttpClient)
    const fiber = yield* Effect.fork(client.get("https://api.test/prices"))
    yield* TestClock.adjust("2999 millis")
    assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
    yield* TestClock.adjust("1 millis")
    assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
  }).pipe(Effect.provide(overloadedOnce)))
