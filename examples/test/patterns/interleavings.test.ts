import { assert, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as Origin from "@sluice/core/Origin"
import { Interleavings, MemoryNetwork } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

const live = ConnectionPool.layer({ limits: { maxConnections: 1 } }).pipe(Layer.provide(MemoryNetwork.layer()))

const leaky = Effect.gen(function*() {
  const pool = yield* ConnectionPool.ConnectionPool
  const scope = yield* Scope.make()
  yield* Scope.extend(pool.acquire(yield* Origin.make("http://api.test")), scope)
  yield* Effect.yieldNow()
  yield* Scope.close(scope, Exit.void)
})

it.effect("the leak is found", () =>
  Effect.gen(function*() {
    const explore = Interleavings.explore({ layer: live, actors: [leaky], check: Interleavings.atRest })
    const failure = yield* Effect.flip(explore)
    assert.match(failure.message, /^actor 0 interrupted at step \d+ of \d+: .*1 lease is held/)
  }))
