import type { Connection } from "../Connection.js"
import { Deadline } from "./Deadlines.js"
import type { OriginState, Slot } from "./entities.js"
import type { LeaseTicket } from "./LeaseOwner.js"
import type { PoolState } from "./PoolState.js"
import type { Timekeeper } from "./Timekeeper.js"

/** While requests wait, unread bodies are looked for so often, in milliseconds: nobody reports that one begins. */
const interval = 50

/** One look asks no more origins, and no more waiters of one, what a body would be to them. */
const mostOrigins = 32
const mostWaiters = 32

type Leases = ReadonlyArray<LeaseTicket>

/** What could be abandoned together, and when it may be for the requests that it would help. */
interface Candidate {
  readonly leases: Leases
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
    private readonly time: Pick<Timekeeper, "deadlines" | "now">,
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
    // First, for to abandon one is a step, after which nobody is to look again.
    this.time.deadlines.set(this.deadline, interval, now)
    const bySlot = [...this.unreadBySlot()]
    let next = interval
    for (const candidateOf of [this.forOwnOrigin, this.forAnother]) {
      for (const [slot, leases] of bySlot) {
        let candidate = candidateOf(slot, leases)
        while (candidate !== undefined && candidate.due <= now) {
          for (const { owner } of leases.splice(0, candidate.leases.length)) owner.abandonUnread?.()
          candidate = candidateOf(slot, leases)
        }
        if (candidate !== undefined) next = Math.min(next, candidate.due - now)
      }
    }
    if (this.pool.waitersWithoutDial > 0) this.time.deadlines.set(this.deadline, next, now)
  }

  /** Longest unread first, as far as each connection and its streams are concerned. */
  private unreadBySlot(): ReadonlyMap<Slot<Connection>, Array<LeaseTicket>> {
    const unread = [...this.pool.leases as Iterable<LeaseTicket>].filter(({ owner }) => owner.unreadSince !== undefined)
    const bySlot = new Map<Slot<Connection>, Array<LeaseTicket>>()
    for (const lease of unread.sort((one, other) => sinceOf(one) - sinceOf(other))) {
      const { slot } = lease
      if (slot === undefined) continue
      const leases = bySlot.get(slot)
      if (leases === undefined) bySlot.set(slot, [lease])
      else leases.push(lease)
    }
    return bySlot
  }

  /**
   * As many streams of a shared connection as make room for one, or a connection, for a request of the same origin. One
   * that drains has to close.
   */
  private readonly forOwnOrigin = (slot: Slot<Connection>, unread: Leases): Candidate | undefined => {
    const { busy, capacity, origin, state } = slot
    if (origin.waitersWithoutDial === 0) return undefined
    if (state === "Ready") return this.candidate(unread, Math.max(1, busy - capacity + 1), [origin])
    return state === "Draining" && this.pool.mayDial(origin) ? this.candidate(unread, busy, [origin]) : undefined
  }

  /** A connection that another origin would be dialed for if it closed. One that its own limit keeps waiting gains nothing. */
  private readonly forAnother = (slot: Slot<Connection>, unread: Leases): Candidate | undefined => {
    const { busy, state } = slot
    if (this.pool.hasRoom || (state !== "Ready" && state !== "Draining")) return undefined
    return this.candidate(unread, busy, this.pool.roundRobin)
  }

  /** `needed` of these, those that have been unread for longest, for those of these origins that wait without a dial. */
  private candidate(unread: Leases, needed: number, origins: Iterable<OriginState<Connection>>): Candidate | undefined {
    if (unread.length === 0 || unread.length < needed) return undefined
    const leases = unread.slice(0, needed)
    const since = sinceOf(leases[needed - 1])
    let due = Infinity
    let asked = 0
    for (const origin of origins) {
      due = Math.min(due, this.dueFor(origin, since))
      if (++asked === mostOrigins) break
    }
    return due === Infinity ? undefined : { leases, due }
  }

  private dueFor({ waiters, waitersWithDial }: OriginState<Connection>, since: number): number {
    let due = Infinity
    let position = 0
    for (const { timeout, waitingSince } of waiters) {
      if (++position <= waitersWithDial) continue
      due = Math.min(due, Math.max(since, waitingSince) + Math.min(this.grace, timeout / 2))
      if (position === waitersWithDial + mostWaiters) break
    }
    return due
  }
}

const sinceOf = ({ owner }: LeaseTicket): number => owner.unreadSince ?? Infinity
