import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MemoryNetwork } from "@sluice/core/testing"
import * as Timeouts from "@sluice/core/Timeouts"
import * as TransportError from "@sluice/core/TransportError"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"

// The first half of the body comes at once, the second never.
const silent = HttpClientLayer.layerWithoutConnector().pipe(Layer.provide(MemoryNetwork.layer({
  respond: () => Effect.succeed({ body: Stream.concat(Stream.make("the first half, "), Stream.never) })
})))

it.effect("a server that falls silent in the middle of a body is a ReadTimeout of the phase body", () =>
  Effect.gen(function*() {
    const fiber = yield* HttpClient.get("https://api.test/book").pipe(
      Effect.flatMap((response) => response.text),
      TransportError.catchTag("ReadTimeout", (error) => Effect.succeed(`${error.phase}, ${error.timeout} ms`)),
      Timeouts.locally({ read: "750 millis" }),
      Effect.fork
    )
    yield* TestClock.adjust("750 millis")
    assert.strictEqual(yield* Fiber.join(fiber), "body, 750 ms")
  }).pipe(Effect.provide(silent)))
