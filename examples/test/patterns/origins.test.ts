import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"

// A host that never responds, and one that does.
const hosts = MockHttp.layer([
  MockHttp.on("GET", "https://slow.test/*", MockHttp.timeout),
  MockHttp.on("GET", "https://fast.test/*", { body: "fast" })
], { limits: { maxConnectionsPerOrigin: 2 } })

it.effect("a host that hangs takes its own connections and no others", () =>
  Effect.gen(function*() {
    const { awaitRequest } = yield* MockHttp.MockHttp
    yield* Effect.forEach([1, 2, 3], (id) => Effect.fork(HttpClient.get(`https://slow.test/${id}`)))
    yield* awaitRequest(2)
    const response = yield* HttpClient.get("https://fast.test/1")
    assert.strictEqual(yield* response.text, "fast")
    const { open, waiting } = yield* (yield* ConnectionPool.ConnectionPool).stats
    assert.deepEqual({ open, waiting }, { open: 3, waiting: 1 })
  }).pipe(Effect.provide(hosts)))
