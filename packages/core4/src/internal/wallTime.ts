import * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"

// Wall time is set, forward and back, and jumps when a machine wakes up. It is for dates that a server wrote or will read
// (`Retry-After`, cookies, signatures), and to notice that the machine was suspended. Nothing that takes time goes by it:
// that is `Clock.monotonicTimeNanos`, which is monotonic. Lint forbids wall time everywhere but here.

/** Milliseconds since 1970. */
export const date: Effect.Effect<number> = Clock.currentTimeMillis

/** The same by a clock of one's own. */
export const dateOf = (clock: Clock.Clock): number => clock.currentTimeMillisUnsafe()
