import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { StandIns } from "../../src/app/Downstreams.js"
import { underLoad } from "../../src/app/underLoad.js"

it.live("the service under load: users, pool and downstreams count the same", () =>
  Effect.gen(function*() {
    const { checks, tally } = yield* underLoad({ users: 20, duration: "20 seconds", maxPages: 200 })
    assert.deepEqual(checks.filter(({ holds }) => !holds), [])
    assert.strictEqual(tally.served, 200)
    assert.isAbove(tally.withoutReviews, 0)
  }).pipe(Effect.provide(StandIns.Live)), 30_000)
