/**
 * Waiting, in a test, until everything that can happen has happened.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { setTimeout } from "../internal/testing/realTimers.js"
import { breathing } from "../internal/testing/wire/breathing.js"

const turn = Effect.async<void>((resume) => {
  setTimeout(() => resume(Effect.void), 0)
})

/**
 * Runs all other fibers until none of them can move: each waits for time, for the test, or has ended. No time passes on
 * the `TestClock`, and timers that a test has faked (`vi.useFakeTimers`) do not hold it up. It does not wait for what
 * comes from outside, as bytes of a real socket.
 *
 * A turn of the event loop ends when no fiber is ready; the second is for one that yielded to timers in the first.
 *
 * @example
 * ```ts
 * import { settle } from "@sluice/core/testing"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const fiber = yield* Effect.fork(Effect.succeed("done"))
 *   yield* settle
 *   return fiber.unsafePoll() // Exit.succeed("done")
 * })
 * ```
 *
 * @since 0.1.0
 * @category testing
 */
export const settle: Effect.Effect<void> = Effect.zipRight(
  turn,
  // Long bodies in memory let the event loop have its turn now and then.
  Effect.repeat(turn, { while: () => breathing.isUnderWay })
)
