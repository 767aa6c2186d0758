import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Order = Schema.Struct({ item: Schema.Number, amount: Schema.Positive })

// Of those that mean a request, the first one counts.
const shop = MockHttp.layer([
  MockHttp.on({ method: "POST", url: "/orders", headers: { authorization: undefined } }, { status: 401 }),
  MockHttp.on({ method: "POST", url: "/orders", schema: Order }, { status: 201 }),
  MockHttp.on({ method: "POST", url: "/orders" }, { status: 422 }),
  MockHttp.on("GET", "https://*.cdn.test/images/*", { body: "an image" }),
  MockHttp.on({ method: ["GET", "HEAD"], url: "/search?q=*&*", where: ({ query }) => query.has("page") }, { json: [] })
])

it.effect("matching by headers, body, host, path and query", () =>
  Effect.gen(function*() {
    const status = (request: HttpClientRequest.HttpClientRequest) =>
      Effect.map(HttpClient.execute(request), (response) => response.status)
    const order = (body: unknown) =>
      HttpClientRequest.post("https://shop.test/orders").pipe(
        HttpClientRequest.bearerToken("t-1"),
        HttpClientRequest.bodyUnsafeJson(body)
      )
    assert.strictEqual(yield* status(HttpClientRequest.post("https://shop.test/orders")), 401)
    assert.strictEqual(yield* status(order({ item: 7, amount: 2 })), 201)
    assert.strictEqual(yield* status(order({ item: 7, amount: 0 })), 422)
    assert.strictEqual(yield* status(HttpClientRequest.get("https://eu.cdn.test/images/a/b.png")), 200)
    assert.strictEqual(yield* status(HttpClientRequest.get("https://shop.test/search?page=2&q=tea")), 200)
  }).pipe(Effect.provide(shop)))
