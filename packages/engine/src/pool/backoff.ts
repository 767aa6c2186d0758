import type { Failure } from "../Failure.js"
import { Deadline } from "./Deadlines.js"
import type { OriginState } from "./entities.js"
import type { PoolState } from "./PoolState.js"
import * as queue from "./queue.js"

// An origin whose dials fail takes no connection from others for some time: it may try in free room, once at a time.

/** After the first failure in a row, in milliseconds; twice as long after each further one. */
const first = 100
const longest = 10_000
/** At random, so that those that failed together do not come back together. */
const jitter = 0.2

/** A dial has failed, by the network, TLS or the protocol. */
export const begin = <C>(
  pool: PoolState<C>,
  origin: OriginState<C>,
  failure: Failure,
  onEnd: (origin: OriginState<C>, now: number) => void,
  now: number
): void => {
  origin.failedDials++
  origin.lastFailure = failure
  origin.lastFailedAt = now
  origin.backoff ??= new Deadline(origin, onEnd)
  const duration = Math.min(longest, first * 2 ** (origin.failedDials - 1))
  pool.options.deadlines.set(origin.backoff, duration * (1 + jitter * (2 * pool.options.random() - 1)), now)
  origin.isBackingOff = true
}

/** A dial has succeeded, or the pool closes. */
export const reset = <C>(pool: PoolState<C>, origin: OriginState<C>): void => {
  if (origin.failedDials === 0) return
  origin.failedDials = 0
  origin.lastFailure = undefined
  origin.isBackingOff = false
  pool.options.deadlines.cancel(origin.backoff)
}

/**
 * It has waited for its time. Who found no room meanwhile gets what the last dial failed with: the next request tries
 * again, with the rights of any other.
 */
export const end = <C>(pool: PoolState<C>, origin: OriginState<C>, now: number): void => {
  origin.isBackingOff = false
  const failure = origin.lastFailure
  if (failure !== undefined && origin.ready === 0 && !pool.hasRoom) {
    for (let n = origin.waitersWithoutDial; n > 0; n--) {
      const last = origin.waiters.last
      if (last !== undefined) {
        queue.refuse(pool, last, { _tag: "DialFailed", failure, ago: now - origin.lastFailedAt }, now)
      }
    }
  }
  pool.update(origin)
}
