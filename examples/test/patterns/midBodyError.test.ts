import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as TransportError from "@sluice/core/TransportError"
import * as Effect from "effect/Effect"

// It promises ten bytes, and the connection ends after four.
const cut = MockHttp.layer([
  MockHttp.on("GET", "https://api.test/report", MockHttp.truncated({ body: "0123456789" }, 4))
])

it.effect("a body that ends too early is an error, not a short body", () =>
  Effect.gen(function*() {
    const said = yield* HttpClient.get("https://api.test/report").pipe(
      Effect.flatMap((response) => response.text),
      TransportError.catchTag("ReadError", (error) => Effect.succeed(`${error.reason} in the ${error.phase}`))
    )
    assert.strictEqual(said, "Ended in the body")
  }).pipe(Effect.provide(cut)))
