import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import { MockHttp } from "../../src/testing/index.js"

const network = MockHttp.layer([
  MockHttp.on("GET", "http://api.test/answer", (request) => ({ body: request.headers["authorization"] })),
  MockHttp.on("GET", "http://api.test/stalls", { body: Stream.concat(Stream.make("half"), Stream.never) }),
  MockHttp.on("GET", "http://api.test/broken-json", { body: "{oops" })
])

/** In every way in which an error may end up in a log. */
const shown = (error: unknown) =>
  [
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: 8 }),
    Cause.pretty(Cause.fail(error), { renderErrorCause: true })
  ].join("\n")

describe("Credentials of a URL", () => {
  it.effect("are sent", () =>
    Effect.gen(function*() {
      const response = yield* HttpClient.get("http://ada:secret@api.test/answer")
      assert.strictEqual(yield* response.text, `Basic ${btoa("ada:secret")}`)
      assert.notInclude(JSON.stringify(response), "ada:secret")
      // The request is the one that was sent: a redirect needs them.
      assert.include(response.request.url, "ada:secret")
    }).pipe(Effect.provide(network)))

  it.effect.each([
    "http://ada:secret@api.test/unknown",
    "http://ada:secret@api.test:999999/",
    "http://ada:secret@api.test/stalls",
    "http://ada:secret@api.test/broken-json"
  ])("are not shown by the error of %s", (url) =>
    Effect.gen(function*() {
      const fiber = yield* HttpClient.get(url).pipe(
        Effect.flatMap((response) => response.json),
        Effect.flip,
        Effect.fork
      )
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      assert.notInclude(shown(error), "secret")
      assert.include(error.message, "REDACTED@api.test")
    }).pipe(Effect.provide(network)))
})

describe("A body that is no JSON", () => {
  it.effect("is an error that says what is wrong with it", () =>
    Effect.gen(function*() {
      const response = yield* HttpClient.get("http://api.test/broken-json")
      const { message } = yield* Effect.flip(response.json)
      assert.match(message, /^Decode: .*JSON.*\(200 GET http:\/\/api\.test\/broken-json\)$/)
    }).pipe(Effect.provide(network)))
})
