import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import * as Idempotency from "@sluice/core/Idempotency"
import * as Retry from "@sluice/core/Retry"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"

it.effect("a POST that is sent twice is one order", () => {
  // The shop does what it is asked once for each key, and the response to the first request is lost.
  const orders = new Set<string>()
  const shop = MockHttp.on("POST", "https://shop.test/orders", ({ headers }) => {
    const isNew = orders.size < orders.add(headers["idempotency-key"]).size
    return { status: isNew ? 502 : 201 }
  })
  return Effect.gen(function*() {
    const client = Retry.safely(yield* HttpClient.HttpClient)
    const order = yield* client.post("https://shop.test/orders").pipe(Idempotency.withKey, Effect.fork)
    yield* TestClock.adjust("1 seconds")
    assert.strictEqual((yield* Fiber.join(order)).status, 201)
    assert.strictEqual((yield* MockHttp.MockHttp).requests.length, 2)
    assert.strictEqual(orders.size, 1)
  }).pipe(Effect.provide(MockHttp.layer([shop])))
})
