import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

// Instead of the real network, which HttpClientLayer.layer() would be.
const real = MockHttp.layer([
  MockHttp.on("GET", "https://api.test/me?token=secret", { json: { name: "Ada", access_token: "secret" } })
])

const me = Effect.flatMap(HttpClient.get("https://api.test/me?token=secret"), (response) => response.json)

it.effect("what was recorded once is replayed, without the secrets", () =>
  Effect.gen(function*() {
    const recording = yield* Effect.zipRight(me, MockHttp.recording).pipe(
      Effect.provide(MockHttp.layer([MockHttp.on("*", "*", MockHttp.passThrough)]).pipe(Layer.provide(real)))
    )
    // This is what a file would hold.
    const file = yield* Schema.encode(Schema.parseJson(MockHttp.Recording))(recording)
    assert.notInclude(file, "secret")
    const read = yield* Schema.decode(Schema.parseJson(MockHttp.Recording))(file)
    const replayed = yield* Effect.provide(me, MockHttp.layer(MockHttp.replay(read)))
    assert.deepEqual(replayed, { name: "Ada", access_token: "REDACTED" })
  }))
