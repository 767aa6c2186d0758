import { AsyncResource } from "node:async_hooks"
import * as timers from "node:timers"
import type { CallerContext, Cancel } from "../Host.js"
import type { RuntimeHooks } from "../RuntimeHooks.js"

// Captured when the module loads: whoever fakes timers later fakes time, and these are about order.
export const { setImmediate } = timers
const { clearTimeout, setTimeout } = timers
const { runInAsyncScope } = AsyncResource.prototype
const microtask = globalThis.queueMicrotask
// Real time: for a wake-up that was lost, and for what a server has put on the wire. No deadline goes by it.
// eslint-disable-next-line no-restricted-properties
const performanceNow = performance.now.bind(performance)
let latest = 0
export const now = (): number => latest = performanceNow()
/** The time as it was last read: no system is asked, and it may be some milliseconds ago. */
export const recently = (): number => latest

/** Runs a step after the code that is running now, before anything else happens. */
export const queueMicrotask = (step: () => void): void => microtask(step)

/** Added since the last check phase of the event loop. */
let added: Array<() => void> = []
/** There when the last check phase began, so that a whole poll will be over in the next one. */
let polled: Array<() => void> = []
/** The check phase that is awaited: another one each time. */
let awaited: object | undefined = undefined
let awaitedSince = 0

/**
 * An immediate that has not come after so long (in milliseconds) is lost, or the program has not let go of the loop. Whoever
 * comes has read the clock for the pool just before, unless that has a clock of its own: so it is read here for the first
 * ones, and for ever fewer of many.
 */
const lostAfter = 1000

/**
 * An immediate was lost, as all are that were faked when this module was loaded. While that may be so, whoever has the name
 * by now is asked as well.
 */
let isDoubtful = false

/** Whether what so many wait for since then is lost. */
export const isLost = (count: number, since: number): boolean => {
  if ((isPowerOfTwo(count) ? now() : latest) - since <= lostAfter) return false
  isDoubtful = true
  return true
}

/** Runs a step in the next check phase of the event loop; perhaps twice. */
export const immediately = (step: () => void): void => {
  setImmediate(step)
  if (isDoubtful) globalThis.setImmediate(step)
}

/**
 * Calls back after one whole poll of the event loop. One immediate is not enough: it comes right after the phase in which
 * sockets are polled, and that is where most code runs. Of two, the second has a whole poll before it.
 *
 * An immediate that never comes is asked for again: a lost wake-up is never for ever.
 */
export const afterPoll = (then: () => void): void => {
  added.push(then)
  if (awaited === undefined) awaitCheck()
  else if (isLost(added.length, awaitedSince)) askAgain(awaited)
}

const isPowerOfTwo = (n: number): boolean => (n & (n - 1)) === 0

const awaitCheck = (): void => {
  const check = awaited = {}
  awaitedSince = now()
  setImmediate(() => {
    isDoubtful = false
    if (awaited === check) onCheck()
  })
  if (isDoubtful) askAgain(check)
}

const askAgain = (check: object): void => {
  awaitedSince = now()
  globalThis.setImmediate(() => {
    if (awaited === check) onCheck()
  })
}

const onCheck = (): void => {
  const due = polled
  polled = added
  added = []
  awaited = undefined
  let i = 0
  try {
    while (i < due.length) due[i++]()
  } finally {
    // One that throws does not take the others with it.
    if (i < due.length) polled.unshift(...due.slice(i))
    if (polled.length + added.length > 0 && awaited === undefined) awaitCheck()
  }
}

/** A timer can be no longer (2^31 - 1 ms, 24 days): a longer one would go off at once. */
const longestTimeout = 2 ** 31 - 1

const unmanaged = { requireManualDestroy: true }

const atLoad = new AsyncResource("Sluice", unmanaged)

/** A sleep that does not keep the process alive. */
export const backgroundSleep = (millis: number, wake: () => void): Cancel => {
  const timer = setTimeout(wake, Math.min(Math.max(millis, 0), longestTimeout))
  timer.unref()
  return () => clearTimeout(timer)
}

class CapturedContext extends AsyncResource implements CallerContext {
  run(step: () => void): void {
    runInAsyncScope.call(this, step)
  }
}

/** The hooks of Node. */
export const runtimeHooks: RuntimeHooks = {
  elapsed: now,
  afterPoll,
  backgroundSleep,
  captureContext: () => new CapturedContext("Sluice", unmanaged),
  // `call` forgets what a generic function returns.
  outsideOfRequests: <A>(run: () => A) => runInAsyncScope.call(atLoad, run) as A
}
