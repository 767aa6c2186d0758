import * as HttpClient from "@effect/platform/HttpClient"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"

const users = MockHttp.layer([MockHttp.on("GET", "https://api.test/users?page=2", { json: [] })])

// The program catches whatever goes wrong. The test fails all the same, with what it should have said.
const program = HttpClient.get("https://api.test/users?page=3").pipe(Effect.catchAllCause(() => Effect.succeed("none")))

it.effect("a request that nothing was said of fails the test, and says what differs", () =>
  Effect.gen(function*() {
    const message = yield* Effect.provide(program, users).pipe(
      Effect.catchAllDefect((defect) => Effect.succeed(MockHttp.isMockFailure(defect) ? defect.message : "another"))
    )
    assert.strictEqual(
      message,
      "nothing was said of GET https://api.test/users?page=3; the nearest is " +
        "GET https://api.test/users?page=2: query \"page\" differs: \"3\", not \"2\"\n" +
        "GET https://api.test/users?page=2 was never requested"
    )
  }))
