import type { OriginState, Slot } from "./entities.js"
import type { PoolState } from "./PoolState.js"

// How long an origin keeps a connection that another one waits for. Without it each request between two origins that
// share one permit would cost a connection; with it the price of changing is at most a tenth of the time.

/** A quantum is so many times what it takes to connect to the origin, */
const dialTimes = 10
/** but no less and no more than this, in milliseconds, */
const shortest = 50
const longest = 1000
/** and no more than so many requests. */
const mostRequests = 1000

const quantumOf = <C>(origin: OriginState<C>): number =>
  Math.min(longest, Math.max(shortest, dialTimes * origin.lastDialTime))

/** Notes when origins begin, and cease, to wait for connections of others. To be called at the end of each step. */
export const noteContention = <C>(pool: PoolState<C>, now: number): void => {
  if (pool.wantedDials === 0) pool.contendedSince = Infinity
  else if (pool.contendedSince === Infinity) pool.contendedSince = now
}

/** Whether the connection has been with its origin for a quantum while others waited, or one of them cannot wait for that. */
export const isOver = <C>(pool: PoolState<C>, slot: Slot<C>, next: OriginState<C>, now: number): boolean => {
  if (slot.quantumSince < pool.contendedSince) {
    slot.quantumSince = Math.max(slot.connectedAt, pool.contendedSince)
    slot.servedBefore = slot.served
  }
  if (now - slot.quantumSince >= quantumOf(slot.origin)) return true
  if (slot.served - slot.servedBefore >= mostRequests) return true
  const oldest = next.waiters.first
  return oldest !== undefined && now - oldest.waitingSince >= oldest.timeout / 2
}
