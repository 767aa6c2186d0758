import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as TransportError from "@sluice/core/TransportError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"

const broken = MockHttp.layer([
  MockHttp.on("GET", "https://api.test/refused", MockHttp.refused),
  MockHttp.on("GET", "https://api.test/reset", MockHttp.reset),
  MockHttp.on("GET", "https://api.test/timeout", MockHttp.timeout)
], { timeouts: { headers: "10 seconds" } })

const failureOf = (path: string) =>
  HttpClient.get(`https://api.test${path}`).pipe(
    Effect.flip,
    Effect.map((error) => Option.getOrThrow(TransportError.fromHttpClientError(error))._tag)
  )

it.effect("what a program makes of failures of the network", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* failureOf("/refused"), "ConnectError")
    assert.strictEqual(yield* failureOf("/reset"), "ReadError")
    const timeout = yield* Effect.fork(failureOf("/timeout"))
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(yield* Fiber.join(timeout), "HeadersTimeout")
  }).pipe(Effect.provide(broken)))
