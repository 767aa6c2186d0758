import type { Connection } from "../Connection.js"
import * as Failure from "../Failure.js"
import { shortened } from "../format.js"
import type { Counts, LeaseDescription, PoolSnapshot } from "../PoolSnapshot.js"
import type { OriginState, Slot } from "./entities.js"
import type { LeaseTicket } from "./LeaseOwner.js"
import type { PoolState } from "./PoolState.js"
import type { Share } from "./Share.js"

/** How many of the leases held longest a `PoolTimeout` names. */
const namedLeases = 5

/** A service may have thousands of these errors in its log when it is least wanted. */
const longestUrl = 200

/** And how many it looks at for those of the caller that asks: an error is not to cost a walk over everything. */
const searchedLeases = 1000

export const countsOf = (pool: PoolState<Connection>): Counts => ({
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

/** Of each origin that has connections or waiters. */
export const countsByOrigin = (pool: PoolState<Connection>): ReadonlyMap<string, Counts> => {
  const idle = new Map<OriginState<Connection>, number>()
  for (const slot of pool.idle) idle.set(slot.origin, (idle.get(slot.origin) ?? 0) + 1)
  const origins = new Map<string, Counts>()
  for (const origin of pool.origins.values()) {
    if (!origin.isVacant) origins.set(origin.key, countsOfOrigin(origin, idle.get(origin) ?? 0))
  }
  return origins
}

/** What the server allows over a connection that is full by it. */
const fullBy = (slot: Slot<Connection> | undefined): number | undefined =>
  slot?.state === "Ready" && slot.busy >= slot.capacity ? slot.connection?.streamLimit : undefined

/** The pool for the error of a ticket. */
export const snapshotOf = (
  pool: PoolState<Connection>,
  { origin, owner }: LeaseTicket,
  now: number,
  share?: Share
): PoolSnapshot => {
  const relatives = owner.kin?.() ?? []
  const isOriginFull = !pool.hasRoomFor(origin)
  const longestHeld: Array<LeaseDescription> = []
  let streamLimit = fullBy(origin.idle.first)
  let heldByThisFiber = 0
  let heldByKin = 0
  let searched = 0
  for (const ticket of pool.leases as Iterable<LeaseTicket>) {
    if (searched++ === searchedLeases) break
    if (ticket.origin === origin) streamLimit ??= fullBy(ticket.slot)
    if (isOriginFull && ticket.origin !== origin) continue
    if (longestHeld.length < namedLeases) {
      const { bodyUnread, method, url } = ticket.owner.describe()
      longestHeld.push({ method, url: shortened(url, longestUrl), age: now - ticket.grantedAt, bodyUnread })
    }
    const caller = ticket.owner.caller
    if (caller === owner.caller) heldByThisFiber++
    else if (relatives.includes(caller)) heldByKin++
  }
  return {
    ...countsOf(pool),
    maxConnections: pool.limits.maxConnections,
    maxConnectionsPerOrigin: origin.limits.maxConnectionsPerOrigin,
    origin: countsOfOrigin(origin, origin.idle.size),
    ...(share === undefined ? {} : { reserved: share.reserved }),
    ...(streamLimit === undefined ? {} : { streamLimit }),
    longestHeld,
    heldByThisFiber,
    heldByKin,
    ...(origin.lastFailure === undefined
      ? {}
      : { lastFailure: { detail: Failure.detailOf(origin.lastFailure), ago: now - origin.lastFailedAt } })
  }
}
