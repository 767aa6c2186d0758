import type { Cancel } from "../Host.js"
import { atEndOfTurn, type EndOfTurn } from "./endOfTurn.js"
import * as runtime from "./runtime.js"

/** When things happen, for a driver: by the event loop, or by the clock of a network in memory. */
export interface DriverRuntime {
  /** Calls back when all that the sockets have by now has been read. */
  readonly afterPoll: (then: () => void) => void
  /** Calls back when the code that is running now has ended. */
  readonly queueMicrotask: (then: () => void) => void
  readonly atEndOfTurn: (task: EndOfTurn) => void
  /** A sleep that does not keep the process alive. */
  readonly backgroundSleep: (millis: number, wake: () => void) => Cancel
  /** Monotonic, in milliseconds. */
  readonly now: () => number
  /** The same as it was last read, which may be some milliseconds ago. */
  readonly recently: () => number
}

export const nodeRuntime: DriverRuntime = {
  afterPoll: runtime.afterPoll,
  queueMicrotask: runtime.queueMicrotask,
  atEndOfTurn,
  backgroundSleep: runtime.backgroundSleep,
  now: runtime.now,
  recently: runtime.recently
}
