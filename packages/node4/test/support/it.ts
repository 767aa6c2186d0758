import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { it as test } from "vitest"

/** A test that is an Effect, with the machine's clock. */
export const live = <E>(name: string, effect: () => Effect.Effect<unknown, E, Scope.Scope>, timeout?: number): void =>
  test(name, () => Effect.runPromise(Effect.scoped(Effect.suspend(effect))), timeout)

/** A test that is an Effect, with a clock that stands still until the test moves it. */
export const effect = <E>(name: string, body: () => Effect.Effect<unknown, E, Scope.Scope>, timeout?: number): void =>
  test(
    name,
    () => Effect.runPromise(Effect.scoped(Effect.suspend(body)).pipe(Effect.provide(TestClock.layer()))),
    timeout
  )

/** Waits for what the other side does in its own time. A test that waits in vain runs out of its own. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.repeat(Effect.promise(() => new Promise((resolve) => setImmediate(resolve))), { until: condition })
