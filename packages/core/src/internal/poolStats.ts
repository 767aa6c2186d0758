import type { OriginState, PoolState } from "@sluice/engine/pool"
import * as Equal from "effect/Equal"
import type * as FiberId from "effect/FiberId"
import type { Connection } from "../Connection.js"
import type { Counts, LeaseDescription, PoolSnapshot, PoolStats } from "../PoolStats.js"
import type { LeaseTicket } from "./LeaseHolder.js"

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

const countsOfOrigin = (origin: OriginState<Connection>, idle: number): Counts => {
  const dialing = origin.dials.size - origin.planned
  return {
    open: origin.open,
    active: origin.open - origin.closing - dialing - idle,
    idle,
    dialing,
    closing: origin.closing,
    waiting: origin.waiters.size
  }
}

const countsByOrigin = (pool: PoolState<Connection>): ReadonlyMap<string, Counts> => {
  const idle = new Map<OriginState<Connection>, number>()
  for (const slot of pool.idle) idle.set(slot.origin, (idle.get(slot.origin) ?? 0) + 1)
  const origins = new Map<string, Counts>()
  for (const origin of pool.origins.values()) {
    if (!origin.isVacant) origins.set(origin.key, countsOfOrigin(origin, idle.get(origin) ?? 0))
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

/** The pool for an error message; `fiberId` is the fiber that asks for a connection to `origin`. */
export const pictureOf = (
  pool: PoolState<Connection>,
  origin: OriginState<Connection>,
  fiberId: FiberId.FiberId,
  now: number
): PoolSnapshot => {
  const isOriginFull = !pool.hasRoomFor(origin)
  const longestHeld: Array<LeaseDescription> = []
  let heldByThisFiber = 0
  let searched = 0
  for (const ticket of pool.leases as Iterable<LeaseTicket>) {
    if (searched++ === searchedLeases) break
    if (isOriginFull && ticket.origin !== origin) continue
    if (longestHeld.length < namedLeases) {
      longestHeld.push({ ...ticket.owner.describe(), age: now - ticket.grantedAt })
    }
    if (Equal.equals(ticket.owner.fiberId, fiberId)) heldByThisFiber++
  }
  return {
    ...countsOf(pool),
    maxConnections: pool.limits.maxConnections,
    maxConnectionsPerOrigin: pool.limits.maxConnectionsPerOrigin,
    origin: countsOfOrigin(origin, origin.idle.size),
    longestHeld,
    heldByThisFiber
  }
}
