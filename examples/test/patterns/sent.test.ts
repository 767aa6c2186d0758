import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"

const shop = MockHttp.layer([MockHttp.on("POST", "https://shop.test/orders", { status: 201 })])

it.effect("what was sent", () =>
  Effect.gen(function*() {
    yield* HttpClientRequest.post("https://shop.test/orders?dry=true").pipe(
      HttpClientRequest.bearerToken("t-1"),
      HttpClientRequest.bodyUnsafeJson({ item: 7, amount: 2 }),
      HttpClient.execute
    )
    const { history, requests: [request] } = yield* MockHttp.MockHttp
    assert.strictEqual(request.headers["authorization"], "Bearer t-1")
    assert.strictEqual(request.query.get("dry"), "true")
    assert.deepEqual(request.json, { item: 7, amount: 2 })
    assert.strictEqual(history[0].outcome._tag, "Replied")
  }).pipe(Effect.provide(shop)))
