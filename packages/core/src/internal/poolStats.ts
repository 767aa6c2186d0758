import * as Equal from "effect/Equal"
import type * as FiberId from "effect/FiberId"
import type { Connection } from "../Connection.js"
import type { Counts, LeaseDescription, PoolPicture, PoolStats } from "../PoolStats.js"
import type { LeaseTicket } from "./LeaseHolder.js"
import type { PoolState } from "./pool/PoolState.js"

/** How many of the leases held longest a `PoolTimeout` names. */
const namedLeases = 5

/** And how many it looks at for those of the fiber that asks: an error is not to cost a walk over everything. */
const searchedLeases = 1000

const countsOf = (pool: PoolState<Connection>): Counts => ({
  open: pool.open,
  active: pool.open - pool.closing - pool.dialing - pool.idle.size,
  idle: pool.idle.size,
  dialing: pool.dialing,
  closing: pool.closing,
  waiting: pool.waiting
})

const countsByOrigin = (pool: PoolState<Connection>): ReadonlyMap<string, Counts> => {
  const origins = new Map<string, { -readonly [K in keyof Counts]: Counts[K] }>()
  for (const origin of pool.origins.values()) {
    if (origin.isVacant) continue
    const dialing = origin.dials.size - origin.planned
    const active = origin.open - origin.closing - dialing
    origins.set(origin.key, {
      open: origin.open,
      active,
      idle: 0,
      dialing,
      closing: origin.closing,
      waiting: origin.waiters.size
    })
  }
  for (const slot of pool.idle) {
    const counts = origins.get(slot.origin.key)
    if (counts === undefined) continue
    counts.idle++
    counts.active--
  }
  return origins
}

export const statsOf = (pool: PoolState<Connection>): PoolStats => ({
  ...countsOf(pool),
  maxConnections: pool.limits.maxConnections,
  permitsFree: pool.limits.maxConnections - pool.open,
  leases: pool.leases.size,
  origins: countsByOrigin(pool)
})

/** The pool for an error message; `fiberId` is the fiber that asks. */
export const pictureOf = (pool: PoolState<Connection>, fiberId: FiberId.FiberId, now: number): PoolPicture => {
  const longestHeld: Array<LeaseDescription> = []
  let heldByThisFiber = 0
  let searched = 0
  for (const ticket of pool.leases as Iterable<LeaseTicket>) {
    if (longestHeld.length < namedLeases) {
      longestHeld.push({ ...ticket.owner.describe(), age: now - ticket.grantedAt })
    }
    if (Equal.equals(ticket.owner.fiberId, fiberId)) heldByThisFiber++
    if (++searched === searchedLeases) break
  }
  return {
    ...countsOf(pool),
    maxConnections: pool.limits.maxConnections,
    maxConnectionsPerOrigin: pool.limits.maxConnectionsPerOrigin,
    longestHeld,
    heldByThisFiber
  }
}
