import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MockHttp, settle } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"

// A line each second.
const ticks = MockHttp.layer([
  MockHttp.on("GET", "https://api.test/ticks", {
    body: Stream.make("one\n", "two\n", "three\n").pipe(Stream.schedule(Schedule.spaced("1 second")))
  })
])

it.effect("a stream is read as it comes", () =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const response = yield* HttpClient.get("https://api.test/ticks")
    yield* response.stream.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => Effect.sync(() => lines.push(line))),
      Effect.fork
    )
    yield* TestClock.adjust("2 seconds")
    yield* settle
    assert.deepEqual(lines, ["one", "two"])
    yield* TestClock.adjust("1 second")
    yield* settle
    assert.deepEqual(lines, ["one", "two", "three"])
  }).pipe(Effect.provide(ticks)))
