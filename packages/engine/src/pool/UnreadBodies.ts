import type { Connection } from "../Connection.js"
import { Deadline } from "./Deadlines.js"
import type { Slot, Ticket } from "./entities.js"
import type { LeaseTicket } from "./LeaseOwner.js"
import type { PoolState } from "./PoolState.js"
import type { Timekeeper } from "./Timekeeper.js"

/** While requests wait, unread bodies are looked for so often, in milliseconds: nobody reports that one begins. */
const interval = 50

/** What could be abandoned together, and the request that it would help. */
interface Candidate {
  readonly leases: ReadonlyArray<LeaseTicket>
  readonly since: number
  readonly isOwn: boolean
  readonly due: number
}

/**
 * Abandons unread bodies: responses of which something is still to come and that nobody has begun to read, when that
 * helps a request that waits (undici and the platform's layers hang here for ever). The grace runs while both are so, and
 * is no more than half of the time that the request may wait. One body for one request: its own origin's first, then the
 * one that has been unread for longest. For another origin a connection has to close, so all that it carries has to be
 * unread.
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
    if (best !== undefined && best.due <= now) { for (const { owner } of best.leases) owner.abandonUnread?.() }
    const next = best === undefined || best.due <= now ? interval : Math.min(interval, best.due - now)
    this.time.deadlines.set(this.deadline, next, now)
  }

  private find(): Candidate | undefined {
    let best: Candidate | undefined = undefined
    for (const [slot, leases] of this.unreadBySlot()) {
      const ofOwn = this.forOwnOrigin(slot, leases)
      const candidate = ofOwn ?? this.forAnother(slot, leases)
      if (candidate !== undefined && (best === undefined || isBetter(candidate, best))) best = candidate
    }
    return best
  }

  private unreadBySlot(): ReadonlyMap<Slot<Connection>, ReadonlyArray<LeaseTicket>> {
    const bySlot = new Map<Slot<Connection>, Array<LeaseTicket>>()
    for (const lease of this.pool.leases as Iterable<LeaseTicket>) {
      const { owner, slot } = lease
      if (owner.unreadSince === undefined || slot === undefined) continue
      const leases = bySlot.get(slot)
      if (leases === undefined) bySlot.set(slot, [lease])
      else leases.push(lease)
    }
    return bySlot
  }

  /** A stream of a shared connection, or a connection, for a request of the same origin. One that drains has to close. */
  private forOwnOrigin(slot: Slot<Connection>, leases: ReadonlyArray<LeaseTicket>): Candidate | undefined {
    const { busy, origin, state } = slot
    const waiter = origin.waitersWithoutDial > 0 ? origin.waiters.first : undefined
    if (waiter === undefined) return undefined
    if (state === "Ready") return this.candidate([leases.reduce(longerUnread)], waiter, true)
    return leases.length < busy ? undefined : this.candidate(leases, waiter, true)
  }

  /** A connection that another origin would be dialed for if it closed. One that its own limit keeps waiting gains nothing. */
  private forAnother({ busy }: Slot<Connection>, leases: ReadonlyArray<LeaseTicket>): Candidate | undefined {
    const waiter = this.pool.hasRoom || leases.length < busy ? undefined : this.pool.roundRobin.first?.waiters.first
    return waiter === undefined ? undefined : this.candidate(leases, waiter, false)
  }

  private candidate(leases: ReadonlyArray<LeaseTicket>, waiter: Ticket<Connection>, isOwn: boolean): Candidate {
    const since = Math.max(...leases.map(sinceOf))
    const due = Math.max(since, waiter.waitingSince) + Math.min(this.grace, waiter.timeout / 2)
    return { leases, since, isOwn, due }
  }
}

const longerUnread = (one: LeaseTicket, other: LeaseTicket): LeaseTicket => sinceOf(other) < sinceOf(one) ? other : one

const sinceOf = ({ owner }: LeaseTicket): number => owner.unreadSince ?? Infinity

const isBetter = (one: Candidate, other: Candidate): boolean =>
  one.isOwn === other.isOwn ? one.since < other.since : one.isOwn
