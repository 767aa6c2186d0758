import type * as Clock from "effect/Clock"
import { isLive } from "../liveClock.js"

/**
 * What is wrong with a client that a test asks under a `TestClock` that is not the one of its pool: `adjust` would move
 * nothing of it, and the test would wait for ever. A Clock that somebody made around the test's may be meant so.
 */
export const otherClock = (caller: Clock.Clock, pool: Clock.Clock): string | undefined =>
  caller !== pool && "adjust" in caller && (isLive(pool) || "adjust" in pool)
    ? "this client was built outside of the test, with another Clock, so that TestClock.adjust would move nothing of it: " +
      "provide its layer inside of it.effect, or share it with it.layer, and not by a ManagedRuntime"
    : undefined
