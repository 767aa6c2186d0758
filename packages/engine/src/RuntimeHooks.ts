import type { CallerContext, Cancel } from "./Host.js"

/**
 * What only a runtime has, from whoever makes real connections on it to the pool that uses them. It works with real time
 * and real sockets: under a clock of a test, and over a network in memory, nobody needs it.
 */
export interface RuntimeHooks {
  /** Monotonic time in milliseconds, read at less cost than as a number of nanoseconds. */
  readonly elapsed: () => number
  /**
   * Calls `then` after one whole poll of the event loop, in whichever phase of it we are: all that the sockets have by
   * now has been delivered before.
   */
  readonly afterPoll: (then: () => void) => void
  /** A sleep that does not keep the process alive. */
  readonly backgroundSleep: (millis: number, wake: () => void) => Cancel
  /** Captures the context of the caller that is running now. */
  readonly captureContext: () => CallerContext
  /**
   * Runs a step in the context that the program began in, of no request: what is made there and outlives the request,
   * as connections and timers do, keeps nothing of it alive.
   */
  readonly outsideOfRequests?: (<A>(run: () => A) => A) | undefined
}
