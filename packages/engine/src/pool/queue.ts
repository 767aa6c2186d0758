import { Deadline } from "./Deadlines.js"
import type { OriginState, Refusal, Ticket } from "./entities.js"
import type { PoolState } from "./PoolState.js"

// The waiting of a ticket, from joining the queue of its origin until it leaves it.

/** Beyond this position in the queue nobody counts. */
const countedPositions = 1000

export const join = <C>(pool: PoolState<C>, ticket: Ticket<C>): void => {
  const origin = ticket.origin
  ticket.state = "Waiting"
  pushBack(origin, ticket)
  pool.waiting++
  // A new request may try what failed for others a while ago.
  origin.dialsPaused = false
  pool.update(origin)
}

/**
 * Lets the ticket that has joined last wait, if the limits and its own timeout allow it. A timeout of 0 means "only
 * what needs no queue": a dial may be meant for it, even one that has to wait until an evicted connection is closed.
 * That then counts as connecting, and takes no longer than connecting may.
 */
export const stay = <C>(
  pool: PoolState<C>,
  ticket: Ticket<C>,
  onDeadline: (ticket: Ticket<C>, now: number) => void,
  onConnectDeadline: (ticket: Ticket<C>, now: number) => void,
  now: number
): void => {
  const origin = ticket.origin
  const hasDial = origin.waiters.size <= origin.waitersWithDial
  if (!hasDial && pool.waitersWithoutDial > pool.limits.maxPendingRequests) {
    return refuse(pool, ticket, { _tag: "PoolQueueFull" }, now)
  }
  if (!hasDial && ticket.timeout <= 0) return refuse(pool, ticket, poolTimeout(ticket, now), now)
  if (ticket.timeout > 0) {
    ticket.deadline = new Deadline(ticket, onDeadline)
    pool.options.deadlines.set(ticket.deadline, ticket.timeout, now)
  } else {
    becomeOverdue(ticket)
    startConnecting(pool, ticket, onConnectDeadline, now)
  }
  if (pool.observed) pool.emit({ _tag: "Waiting", origin: origin.key, waiting: pool.waiting })
}

/** Granted, refused or abandoned: nothing of it stays behind. */
export const leave = <C>(pool: PoolState<C>, ticket: Ticket<C>): void => {
  const origin = ticket.origin
  remove(origin, ticket)
  pool.waiting--
  if (ticket.overdue) origin.overdue--
  pool.options.deadlines.cancel(ticket.deadline)
  pool.options.deadlines.cancel(ticket.connectDeadline)
  pool.update(origin)
}

/** It waits for the connections of another origin from now on, behind those that do already, and as long as before. */
export const move = <C>(pool: PoolState<C>, ticket: Ticket<C>, to: OriginState<C>): void => {
  const from = ticket.origin
  remove(from, ticket)
  pushBack(to, ticket)
  if (ticket.overdue) {
    from.overdue--
    to.overdue++
  }
  ticket.origin = to
  to.dialsPaused = false
  pool.update(from)
  pool.update(to)
}

export const refuse = <C>(pool: PoolState<C>, ticket: Ticket<C>, refusal: Refusal, now: number): void => {
  if (ticket.state === "Waiting") leave(pool, ticket)
  ticket.state = "Refused"
  ticket.refusal = refusal
  pool.actions.push({ _tag: "Refuse", ticket, refusal })
  if (pool.observed) {
    const waitTime = now - ticket.waitingSince
    pool.emit({ _tag: "Refused", origin: ticket.origin.key, reason: refusal._tag, waitTime })
  }
}

/**
 * Refuses those past their deadline that no dial is meant for any more, with `refusal` or as a pool timeout. To be
 * called whenever an origin may have fewer dials, or may expect less of them.
 */
export const refuseOverdue = <C>(
  pool: PoolState<C>,
  origin: OriginState<C>,
  now: number,
  refusal?: Refusal
): void => {
  let overdue = origin.overdue
  if (overdue === 0) return
  let position = 0
  for (const ticket of origin.waiters) {
    position++
    if (!ticket.overdue) continue
    const waitersWithDial = ticket.timeout <= 0 ? origin.waitersWithDial : origin.underWay
    if (position > waitersWithDial) {
      refuse(pool, ticket, refusal ?? poolTimeout(ticket, now), now)
      position--
    }
    if (--overdue === 0) return
  }
}

/**
 * Starts the time to connect of those whom a dial is under way for now, and stops that of those whom none is any more.
 * Each has its own, which ends nobody else's wait: a dial itself takes as long as somebody waits for it. Whom a dial was
 * under way for before goes on where it was.
 */
export const connect = <C>(
  pool: PoolState<C>,
  origin: OriginState<C>,
  onConnectDeadline: (ticket: Ticket<C>, now: number) => void,
  now: number
): void => {
  const count = origin.shouldConnect
  while (origin.connecting < count && origin.nextToConnect !== undefined) {
    startConnecting(pool, origin.nextToConnect.value, onConnectDeadline, now)
    origin.nextToConnect.value.isConnecting = true
    origin.connecting++
    origin.nextToConnect = origin.nextToConnect.next
  }
  while (origin.connecting > count) {
    const last = origin.nextToConnect === undefined ? origin.waiters.tail : origin.nextToConnect.previous
    if (last === undefined) return
    if (!last.value.overdue) pool.options.deadlines.cancel(last.value.connectDeadline)
    last.value.isConnecting = false
    origin.connecting--
    origin.nextToConnect = last
  }
}

const startConnecting = <C>(
  pool: PoolState<C>,
  ticket: Ticket<C>,
  onConnectDeadline: (ticket: Ticket<C>, now: number) => void,
  now: number
): void => {
  ticket.connectDeadline ??= new Deadline(ticket, onConnectDeadline)
  if (pool.options.deadlines.isSet(ticket.connectDeadline)) return
  const isNew = ticket.connectEnd === Infinity || ticket.connectEnd <= now
  if (isNew) ticket.connectEnd = now + ticket.connectTimeout
  pool.options.deadlines.set(ticket.connectDeadline, isNew ? ticket.connectTimeout : ticket.connectEnd - now, now)
}

/** Its time to connect is up. Where no dial is under way for it, which may be when its dial was planned, it waited in vain. */
export const connectTimedOut = <C>(pool: PoolState<C>, ticket: Ticket<C>, now: number): void => {
  const { underWay } = ticket.origin
  const isUnderWay = positionOf(ticket, underWay) <= underWay
  refuse(
    pool,
    ticket,
    isUnderWay ? { _tag: "ConnectTimeout", timeout: ticket.connectTimeout } : poolTimeout(ticket, now),
    now
  )
}

/**
 * A request has waited for its time. One that a dial is under way for goes on: it no longer waits for the pool, and has
 * a time to connect.
 */
export const timedOut = <C>(pool: PoolState<C>, ticket: Ticket<C>, now: number): void => {
  const { underWay, waiters } = ticket.origin
  if (waiters.size <= underWay || positionOf(ticket, underWay) <= underWay) return becomeOverdue(ticket)
  const { isBackingOff, lastFailedAt, lastFailure, ready } = ticket.origin
  // It waited for the next attempt, and not for others to give something back.
  const isFailure = isBackingOff && lastFailure !== undefined && ready === 0
  refuse(
    pool,
    ticket,
    isFailure ? { _tag: "DialFailed", failure: lastFailure, ago: now - lastFailedAt } : poolTimeout(ticket, now),
    now
  )
}

const pushBack = <C>(origin: OriginState<C>, ticket: Ticket<C>): void => {
  origin.waiters.pushBack(ticket.link)
  origin.nextToConnect ??= ticket.link
}

const remove = <C>(origin: OriginState<C>, ticket: Ticket<C>): void => {
  const { link } = ticket
  if (origin.nextToConnect === link) origin.nextToConnect = link.next
  if (ticket.isConnecting) origin.connecting--
  ticket.isConnecting = false
  origin.waiters.remove(link)
}

const becomeOverdue = <C>(ticket: Ticket<C>): void => {
  if (ticket.overdue) return
  ticket.overdue = true
  ticket.origin.overdue++
}

const poolTimeout = <C>(ticket: Ticket<C>, now: number): Refusal => ({
  _tag: "PoolTimeout",
  waited: now - ticket.waitingSince,
  position: positionOf(ticket, countedPositions)
})

/** The ticket's position in its queue, 1 for the next; looks no further than one beyond `bound`. */
const positionOf = <C>(ticket: Ticket<C>, bound: number): number => {
  let position = 0
  for (const waiter of ticket.origin.waiters) {
    position++
    if (waiter === ticket || position > bound) break
  }
  return position
}
