import * as Clock from "effect/Clock"

/** The machine's clock, whatever clock a test provides. */
export const live: Clock.Clock = Clock.Clock.defaultValue()

/** One clock is as good as another of its kind: all of them are the machine's. */
const prototype: unknown = Object.getPrototypeOf(live)

/** Whether time is real: Effect's own clock and not a test's. */
export const isLive = (clock: Clock.Clock): boolean => Object.getPrototypeOf(clock) === prototype
