import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import { Interleavings, MemoryNetwork, MockHttp } from "../../src/testing/index.js"
import { a } from "../pool/support/origins.js"

const live = ConnectionPool.layer({ limits: { maxConnections: 1 } }).pipe(Layer.provide(MemoryNetwork.layer()))

class Counter extends Context.Tag("Counter")<Counter, Ref.Ref<number>>() {}

const by = (use: (scope: Scope.CloseableScope) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const pool = yield* ConnectionPool.ConnectionPool
    const scope = yield* Scope.make()
    yield* Scope.extend(pool.acquire(a), scope)
    yield* use(scope)
    yield* Scope.close(scope, Exit.void)
  })

describe("Interleavings", () => {
  it.effect("finds a leak that only an interrupt at the wrong moment shows, and finds it again", () =>
    Effect.gen(function*() {
      const planted = by(() => Effect.yieldNow())
      const explore = Interleavings.explore({ layer: live, actors: [planted], check: Interleavings.atRest })
      const failure = yield* Effect.flip(explore)
      assert.match(failure.message, /^actor 0 interrupted at step \d+ of \d+: the check failed: .*1 lease is held/)
      assert.strictEqual((yield* Effect.flip(explore)).schedule, failure.schedule)
    }))

  it.effect("has nothing against the same with its Scope where it belongs", () =>
    Effect.gen(function*() {
      const sound = Effect.scoped(
        Effect.zipRight(Effect.flatMap(ConnectionPool.ConnectionPool, (pool) => pool.acquire(a)), Effect.yieldNow())
      )
      const { interleavings } = yield* Interleavings.explore({
        layer: live,
        actors: [sound, sound],
        check: Interleavings.atRest,
        random: 20
      })
      assert.isAbove(interleavings, 50)
    }))

  it.effect("plays a client over a mock, with time in it", () =>
    Effect.gen(function*() {
      const get = HttpClient.get("https://api.test/").pipe(
        Effect.flatMap((response) => response.text),
        Effect.timeoutOption("1 second")
      )
      yield* Interleavings.explore({
        layer: MockHttp.layer(MockHttp.stubs([MockHttp.on("GET", "/", { body: "a", delay: "900 millis" })]), {
          limits: { maxConnections: 1 }
        }),
        actors: [get, get],
        check: Interleavings.atRest,
        random: 20
      })
    }), 60_000)

  it.effect("lets the event loop have its turn, and ends there when it is interrupted", () =>
    Effect.gen(function*() {
      let played = 0
      const counted = Effect.sync(() => played++)
      const all = yield* Effect.fork(
        Interleavings.explore({ layer: Layer.empty, actors: [counted], random: 1_000_000 })
      )
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
      yield* Fiber.interrupt(all)
      const before = played
      assert.isAbove(before, 0)
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
      assert.strictEqual(played, before)
    }))

  it.effect("finds a race, an actor that never ends, and one that dies", () =>
    Effect.gen(function*() {
      const count = Layer.effect(Counter, Ref.make(0))
      const add = Effect.gen(function*() {
        const ref = yield* Counter
        const before = yield* Ref.get(ref)
        yield* Effect.yieldNow()
        yield* Ref.set(ref, before + 1)
      }).pipe(Effect.uninterruptible)
      const isTwo = Effect.flatMap(Counter, (ref) =>
        Effect.filterOrDie(Ref.get(ref), (total) => total === 2, (total) => new Error(`it is ${total}`)))
      const race = yield* Effect.flip(Interleavings.explore({ layer: count, actors: [add, add], check: isTwo }))
      assert.include(race.message, "it is 1")
      const never = yield* Effect.flip(Interleavings.explore({ layer: Layer.empty, actors: [Effect.never] }))
      assert.include(never.message, "actor 0 waits for ever")
      const dies = yield* Effect.flip(Interleavings.explore({ layer: Layer.empty, actors: [Effect.dieMessage("oh")] }))
      assert.include(dies.message, "actor 0 failed: ")
    }))
})
