import * as Clock from "effect/Clock"

/** One clock is as good as another of its kind: all of them are the machine's. */
const prototype: unknown = Object.getPrototypeOf(Clock.make())

/** Whether time is real: Effect's own clock and not a test's. */
export const isLive = (clock: Clock.Clock): boolean => Object.getPrototypeOf(clock) === prototype
