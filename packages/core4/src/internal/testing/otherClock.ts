import type * as Clock from "effect/Clock"

/**
 * What is wrong with a client that a test asks under a `TestClock` that is not the one of its pool: `adjust` would move
 * nothing of it, and the test would wait for ever.
 */
export const otherClock = (caller: Clock.Clock, pool: Clock.Clock): string | undefined =>
  caller !== pool && "adjust" in caller
    ? "this client was built outside of the test, with another Clock, so that TestClock.adjust would move nothing of it: " +
      "provide its layer inside of it.effect, or share it with it.layer, and not by a ManagedRuntime"
    : undefined
