import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const store = MockHttp.layer([
  MockHttp.on("PUT", "https://files.test/:name", ({ bytes, params }) => ({
    status: 201,
    json: { name: params.name, size: bytes.length }
  }))
])

it.effect("a file is sent as a stream", () =>
  Effect.gen(function*() {
    const file = Stream.make(new Uint8Array(100_000), new Uint8Array(5))
    const response = yield* HttpClientRequest.put("https://files.test/report.pdf").pipe(
      HttpClientRequest.bodyStream(file, { contentType: "application/pdf" }),
      HttpClient.execute
    )
    assert.deepEqual(yield* response.json, { name: "report.pdf", size: 100_005 })
    const [request] = (yield* MockHttp.MockHttp).requests
    assert.strictEqual(request.headers["transfer-encoding"], "chunked")
  }).pipe(Effect.provide(store)))
