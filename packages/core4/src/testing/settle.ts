/**
 * Waiting, in a test, until everything that can happen has happened.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { setTimeout } from "../internal/testing/realTimers.js"
import { breathing } from "../internal/testing/wire/breathing.js"

const turn = Effect.callback<void>((resume) => {
  setTimeout(() => resume(Effect.void), 0)
})

/**
 * Runs all other fibers until none of them can move: each waits for time, for the test, or has ended. No time passes on
 * the `TestClock`, and timers that a test has faked (`vi.useFakeTimers`) do not hold it up. It does not wait for what
 * comes from outside, as bytes of a real socket.
 *
 * A fiber of Effect 4 that yields, or is forked, goes on in the next turn of the event loop: so many turns are waited for.
 *
 * @example
 * ```ts
 * import { settle } from "@sluice/core4/testing"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const fiber = yield* Effect.forkChild(Effect.succeed("done"))
 *   yield* settle
 *   return fiber.pollUnsafe() // Exit.succeed("done")
 * })
 * ```
 *
 * @since 0.1.0
 * @category testing
 */
export const settle: Effect.Effect<void> = Effect.repeat(Effect.yieldNow, { times: 20 }).pipe(
  Effect.andThen(turn),
  // Long bodies in memory let the event loop have its turn now and then.
  Effect.andThen(Effect.repeat(turn, { while: () => breathing.isUnderWay })),
  Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 4 }))
)
