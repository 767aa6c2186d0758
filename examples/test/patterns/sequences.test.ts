import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"

const job = MockHttp.layer([
  MockHttp.once(MockHttp.on("POST", "https://api.test/jobs", { status: 202, json: { id: 7 } })),
  // Pending twice, then done; a fourth request would fail the test.
  MockHttp.sequence(
    MockHttp.on(
      "GET",
      "https://api.test/jobs/7",
      { json: { state: "pending" } },
      { json: { state: "pending" } },
      { json: { state: "done" } }
    )
  )
])

it.effect("a job is polled each second until it is done", () =>
  Effect.gen(function*() {
    yield* HttpClient.post("https://api.test/jobs")
    const state = HttpClient.get("https://api.test/jobs/7").pipe(
      Effect.flatMap((response) => response.json),
      Effect.map((body) => (body as { readonly state: string }).state)
    )
    const done = yield* state.pipe(
      Effect.repeat({ schedule: Schedule.spaced("1 second"), until: (state) => state === "done" }),
      Effect.fork
    )
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(done)
    assert.strictEqual((yield* MockHttp.MockHttp).requests.length, 4)
  }).pipe(Effect.provide(job)))
