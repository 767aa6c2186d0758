import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MemoryNetwork } from "@sluice/core/testing"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"

// Each response takes a second.
const network = MemoryNetwork.layer({ respond: () => Effect.delay(Effect.succeed({}), "1 second") })

const live = HttpClientLayer.layerWithoutConnector({ limits: { maxConnections: 4 } }).pipe(Layer.provideMerge(network))

it.effect("twelve requests over four connections take three seconds", () =>
  Effect.gen(function*() {
    const get = Effect.flatMap(HttpClient.get("https://api.test/"), (response) => response.text)
    const all = yield* Effect.fork(Effect.all(Array.from({ length: 12 }, () => get), { concurrency: "unbounded" }))
    yield* TestClock.adjust("2999 millis")
    assert.isNull(all.unsafePoll())
    yield* TestClock.adjust("1 millis")
    yield* Fiber.join(all)
    assert.strictEqual((yield* MemoryNetwork.MemoryNetwork).maxOpen, 4)
  }).pipe(Effect.provide(live)))
