import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MemoryNetwork } from "@sluice/core/testing"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const network = MemoryNetwork.layer({
  protocol: () => "h2",
  dial: () => Effect.succeed({ protocol: "h2", capacity: 100 }),
  respond: () => Effect.delay(Effect.succeed({ body: "hello" }), 0)
})

it.effect("over HTTP/2 fifty requests share one connection", () =>
  Effect.gen(function*() {
    const get = Effect.flatMap(HttpClient.get("https://api.test/"), (response) => response.text)
    const bodies = yield* Effect.all(Array.from({ length: 50 }, () => get), { concurrency: "unbounded" })
    assert.isTrue(bodies.every((body) => body === "hello"))
    const { connections, requests } = yield* MemoryNetwork.MemoryNetwork
    assert.deepEqual([connections.length, requests.length], [1, 50])
  }).pipe(Effect.provide(Layer.provideMerge(HttpClientLayer.layerWithoutConnector(), network))))
