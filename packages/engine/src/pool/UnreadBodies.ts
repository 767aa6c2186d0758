import type { Connection } from "../Connection.js"
import { Deadline } from "./Deadlines.js"
import type { Slot, Ticket } from "./entities.js"
import type { LeaseTicket } from "./LeaseOwner.js"
import type { PoolState } from "./PoolState.js"
import type { Timekeeper } from "./Timekeeper.js"

/** While requests wait, unread bodies are looked for so often, in milliseconds: nobody reports that one begins. */
const interval = 50

interface Candidate {
  readonly lease: LeaseTicket
  readonly since: number
  readonly isOwn: boolean
  readonly due: number
}

/**
 * Abandons unread bodies: responses of which something is still to come and that nobody has begun to read, when that
 * helps a request that waits (undici and the platform's layers hang here for ever). The grace runs while both are so, and
 * is no more than half of the time that the request may wait. One body for one request: its own origin's first, then the
 * one that has been unread for longest.
 */
export class UnreadBodies {
  private readonly deadline = new Deadline(this, (bodies) => bodies.look())

  constructor(
    private readonly time: Timekeeper,
    private readonly grace: number,
    private readonly pool: PoolState<Connection>
  ) {}

  /** After each step. Nothing is looked for, and nothing is left of it, while no request waits. */
  check(): void {
    if (this.pool.waitersWithoutDial === 0) this.time.deadlines.cancel(this.deadline)
    else if (!this.time.deadlines.isSet(this.deadline)) this.look()
  }

  private look(): void {
    // An infinite grace means that they are kept, whatever waits.
    if (this.pool.waitersWithoutDial === 0 || this.grace === Infinity) return
    const now = this.time.now()
    const best = this.find()
    if (best !== undefined && best.due <= now) best.lease.owner.abandonUnread?.()
    const next = best === undefined || best.due <= now ? interval : Math.min(interval, best.due - now)
    this.time.deadlines.set(this.deadline, next, now)
  }

  private find(): Candidate | undefined {
    let best: Candidate | undefined = undefined
    for (const lease of this.pool.leases as Iterable<LeaseTicket>) {
      const { origin, owner, slot } = lease
      const since = owner.unreadSince
      const waiter = since === undefined || slot === undefined ? undefined : this.helped(slot)
      if (since === undefined || waiter === undefined) continue
      const due = Math.max(since, waiter.waitingSince) + Math.min(this.grace, waiter.timeout / 2)
      const isOwn = waiter.origin === origin
      if (best === undefined || isBetter({ lease, since, isOwn, due }, best)) best = { lease, since, isOwn, due }
    }
    return best
  }

  /** Who could be lent a connection, or be dialed for, if this one carried one request less. */
  private helped(slot: Slot<Connection>): Ticket<Connection> | undefined {
    if (slot.origin.waitersWithoutDial > 0) return slot.origin.waiters.first
    // An origin that its own limit, or a stream of its own, keeps waiting gains nothing.
    const next = this.pool.roundRobin.first
    return next !== undefined && slot.busy === 1 && !this.pool.hasRoom ? next.waiters.first : undefined
  }
}

const isBetter = (one: Candidate, other: Candidate): boolean =>
  one.isOwn === other.isOwn ? one.since < other.since : one.isOwn
