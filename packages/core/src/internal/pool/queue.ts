import type { OriginState } from "./OriginState.js"
import type { PoolState } from "./PoolState.js"
import type { Refusal, Ticket } from "./Ticket.js"

// The waiting of a ticket, from joining the queue of its origin until it leaves it.

/** Beyond this place in the queue nobody counts. */
const countedPositions = 1000

export const join = <C>(pool: PoolState<C>, ticket: Ticket<C>): void => {
  const origin = ticket.origin
  ticket.state = "Waiting"
  origin.waiters.pushBack(ticket.link)
  pool.waiting++
  // A new request may try what failed for others a while ago.
  origin.hopes = false
  pool.update(origin)
}

/** Granted, refused or given up: nothing of it stays behind. */
export const leave = <C>(pool: PoolState<C>, ticket: Ticket<C>): void => {
  const origin = ticket.origin
  origin.waiters.remove(ticket.link)
  pool.waiting--
  if (ticket.overdue) origin.overdue--
  if (ticket.deadline !== undefined) pool.options.deadlines.cancel(ticket.deadline)
  pool.update(origin)
}

export const refuse = <C>(pool: PoolState<C>, ticket: Ticket<C>, refusal: Refusal): void => {
  if (ticket.state === "Waiting") leave(pool, ticket)
  ticket.state = "Refused"
  ticket.refusal = refusal
  pool.outbox.push({ _tag: "Refuse", ticket, refusal })
  if (pool.observed) {
    const waitTime = refusal._tag === "PoolTimeout" ? refusal.waited : 0
    pool.emit({ _tag: "Refused", origin: ticket.origin.key, reason: refusal._tag, waitTime })
  }
}

/**
 * A request has waited for its time. One that a dial is meant for goes on: it no longer waits for the pool, and the
 * dial has a timeout of its own. So a pool timeout of 0 means "only what needs no queue".
 */
export const timedOut = <C>(pool: PoolState<C>, ticket: Ticket<C>, now: number): void => {
  if (isCovered(ticket)) {
    ticket.overdue = true
    ticket.origin.overdue++
  } else {
    refuse(pool, ticket, poolTimeout(ticket, now))
  }
}

/** Refuses those past their deadline that no dial is meant for any more, with `refusal` or as a pool timeout. */
export const refuseOverdue = <C>(
  pool: PoolState<C>,
  origin: OriginState<C>,
  now: number,
  refusal?: Refusal
): void => {
  if (origin.overdue === 0) return
  let position = 0
  for (const ticket of origin.waiters) {
    position++
    if (ticket.overdue && position > origin.covered) refuse(pool, ticket, refusal ?? poolTimeout(ticket, now))
  }
}

/** Whether a dial is meant for this ticket. */
export const isCovered = <C>(ticket: Ticket<C>): boolean =>
  positionOf(ticket, ticket.origin.covered) <= ticket.origin.covered

const poolTimeout = <C>(ticket: Ticket<C>, now: number): Refusal => ({
  _tag: "PoolTimeout",
  waited: now - ticket.waitingSince,
  position: positionOf(ticket, countedPositions)
})

/** The ticket's place in its queue, 1 for the next; looks no further than one beyond `bound`. */
const positionOf = <C>(ticket: Ticket<C>, bound: number): number => {
  let position = 0
  for (const waiter of ticket.origin.waiters) {
    position++
    if (waiter === ticket || position > bound) break
  }
  return position
}
