import type { CloseReason } from "../CloseReason.js"
import type { Failure } from "../Failure.js"
import * as backoff from "./backoff.js"
import type { CoreLimits } from "./CoreLimits.js"
import { exclusive, type OriginState, type Refusal, Slot, type Ticket } from "./entities.js"
import { type CoreOptions, type Numbers, PoolState } from "./PoolState.js"
import * as quantum from "./quantum.js"
import * as queue from "./queue.js"
import * as slots from "./slots.js"

/**
 * Decides who gets which connection. It owns all counts and all order, does no I/O, and knows the time only as an
 * argument, in milliseconds. Each step is O(1) in the number of waiters, origins and connections, and leaves in
 * `state.actions` what is to be done.
 *
 * A trace, with `maxConnections: 1`, an idle connection to b, and two requests to a (counts are `PoolState`'s, at the end
 * of each step):
 *
 * ```text
 * step                    decision                                              actions      open closing waiting
 * acquire(t1)             joins the queue of a; the idle one of b is evicted    Close b         1       1       1
 *                         for it, and a dial is planned that has no permit yet
 * closed(b)               the permit is back, and the planned dial takes it     Dial a          1       0       1
 * acquire(t2)             joins the queue of a: no room, and nothing idle       -               1       0       2
 * dialSucceeded(a)        t1 is at the front of the queue                       Grant t1        1       0       1
 * release(t1)             lent on, straight to the next waiter                  Grant t2        1       0       0
 * release(t2)             nobody waits: idle, until keepAliveExpiry             -               1       0       0
 * expired                 the connection is closed                              Close a         1       1       0
 * closed(a)               the permit is back                                    -               0       0       0
 * ```
 *
 * What holds after every step:
 *
 * - `open` permits are out, never more than `maxConnections` (unless that was lowered below what was open);
 * - nobody waits while there is a connection that they could take, or room to dial for them;
 * - a waiter is granted, refused or abandoned, once.
 */
export class PoolCore<C> {
  readonly state: PoolState<C>
  private readonly numbers: Numbers

  constructor(options: CoreOptions) {
    this.state = new PoolState(options)
    this.numbers = options.numbers ?? { next: 1 }
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Requests
  // ---------------------------------------------------------------------------------------------------------------

  /**
   * A request arrives. It takes, in this order:
   *
   * 1. a shared connection with a free stream slot;
   * 2. the idle connection of its origin that was used last;
   * 3. a new dial;
   * 4. a new dial after evicting the connection, of any origin, that is idle longest;
   * 5. its position in the queue.
   *
   * Afterwards its ticket is `Granted` (1, 2), `Waiting`, or `Refused`; all that changes later is in the actions.
   *
   * A `fresh` one does not trust 2: they are closed. What is given back while it is the next in the queue is closed too
   * (`reasonToClose`), so it gets the next connection that is made.
   */
  acquire(ticket: Ticket<C>, now: number): void {
    const pool = this.state
    ticket.waitingSince = now
    if (pool.phase !== "Open") return queue.refuse(pool, ticket, { _tag: "PoolClosed" }, now)
    if (ticket.fresh) this.evictIdleOf(ticket.origin, now)
    const slot = this.availableFor(ticket.origin, now)
    // Nobody of its own origin waits while there is one, and those of others have been served by `settle`.
    if (slot !== undefined) return this.lend(slot, ticket, now)
    queue.join(pool, ticket)
    this.settle(now)
    queue.stay(pool, ticket, this.onDeadline, this.onConnectDeadline, now)
  }

  /**
   * Its owner no longer wants it: interrupted, or timed out elsewhere. A dial that nobody needs any more ends, so that the
   * pool is as it was. One that began after such an end goes on for who comes next: an owner whose patience is shorter
   * than it takes to connect would never get a connection otherwise.
   */
  abandon(ticket: Ticket<C>, now: number): void {
    if (ticket.state !== "Waiting") return
    const pool = this.state
    queue.leave(pool, ticket)
    ticket.state = "Settled"
    this.leaveSpareDials(ticket.origin, ticket.origin.dialAbandonedAt, now)
    this.settle(now)
  }

  /** It has waited for the pool for as long as it may. One that a dial is under way for goes on. */
  poolTimeUp(ticket: Ticket<C>, now: number): void {
    if (ticket.state === "Waiting") this.onDeadline(ticket, now)
  }

  /**
   * A request gives its connection back. `reusable` is the connection's own word that it is fit for another exchange;
   * `keepFor` how long the server said it keeps it idle. Giving back twice is harmless.
   */
  release(ticket: Ticket<C>, reusable: boolean, keepFor: number, now: number): void {
    if (ticket.state !== "Granted") return
    const pool = this.state
    const slot = ticket.slot as Slot<C>
    ticket.state = "Settled"
    ticket.slot = undefined
    pool.leases.remove(ticket.link)
    slot.busy--
    if (pool.observed) pool.emit({ _tag: "Released", origin: slot.origin.key, connection: slot.id, reusable })
    if (slot.state === "Closing" || slot.state === "Closed") return
    const reason = this.reasonToClose(slot, reusable, now)
    if (reason !== undefined) {
      quantum.chargeUse(pool, slot, now)
      if (!reusable) quantum.chargeQuantum(pool, slot.origin, now)
      if (reason === "Evicted" && slot.state === "Ready") {
        slots.yieldToOther(pool, slot, quantum.quantumOf(slot.origin), this.onResumption, now)
      } else slots.retire(pool, slot, reason)
    } else {
      this.serve(slot, keepFor, now)
    }
    this.settle(now)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Connections
  // ---------------------------------------------------------------------------------------------------------------

  /** A dial has become a connection. It is lent to waiters, or kept: a dial that came too late is not wasted. */
  dialSucceeded(slot: Slot<C>, connection: C, capacity: number, shares: boolean, now: number): void {
    if (slot.state !== "Dialing") return
    const pool = this.state
    const origin = slot.origin
    slots.becomeReady(pool, slot, connection, capacity, this.onAge, now)
    origin.lastDialTime = now - slot.dialedAt
    origin.dialAbandonedAt = Infinity
    backoff.reset(pool, origin)
    origin.sharing = shares ? { _tag: "Shared", capacity } : exclusive
    // A connection that takes nothing yet will; more dials would only make more of them.
    origin.dialsPaused = capacity === 0
    if (pool.observed) {
      const duration = now - slot.dialedAt
      pool.emit({ _tag: "DialSucceeded", origin: origin.key, connection: slot.id, duration, capacity })
    }
    this.serve(slot, Infinity, now)
    pool.update(origin)
    this.settleFor(origin, now)
  }

  /**
   * A dial has failed. Its error goes to the waiters that nothing else can serve: to none while other connections of the
   * origin serve; else those who have waited longest, as many as the dial was to serve (hyper #3199, Go #24194).
   */
  dialFailed(slot: Slot<C>, failure: Failure, now: number): void {
    if (slot.state !== "Dialing") return
    const pool = this.state
    const origin = slot.origin
    slots.endDial(pool, slot)
    slots.startClosing(pool, slot, "DialFailed")
    if (pool.observed) pool.emit({ _tag: "DialFailed", origin: origin.key, connection: slot.id, error: failure })
    backoff.begin(pool, origin, failure, this.onBackoffEnd, now)
    const withoutDial = Math.max(0, origin.waiters.size - origin.waitersWithDial)
    const refusal = { _tag: "DialFailed", failure, ago: 0 } as const
    origin.dialsPaused = withoutDial > 0 && origin.ready > 0
    if (!origin.dialsPaused) {
      const failing = Math.min(origin.expectedCapacity, withoutDial)
      for (let n = 0; n < failing; n++) queue.refuse(pool, origin.waiters.first as Ticket<C>, refusal, now)
    }
    pool.update(origin)
    this.settleFor(origin, now, refusal)
  }

  /** The number of requests that a connection can carry has changed; 0 while it must not be given anything. */
  capacityChanged(slot: Slot<C>, capacity: number, now: number): void {
    // It may take requests again.
    if (slot.state === "Draining") slot.capacity = capacity
    if (slot.state !== "Ready" || slot.capacity === capacity) return
    const opens = slot.capacity === 0
    slot.capacity = capacity
    if (opens && this.state.idle.has(slot.poolLink)) this.state.idle.moveToBack(slot.poolLink)
    if (capacity > 0) slot.origin.dialsPaused = false
    if (slot.origin.sharing._tag === "Shared" && capacity > 0) slot.origin.sharing = { _tag: "Shared", capacity }
    this.lendToWaiters(slot, now)
    slots.relist(this.state, slot)
    this.state.update(slot.origin)
    this.settleFor(slot.origin, now)
  }

  /** The connection takes nothing new, what it carries may finish (GOAWAY). */
  draining(slot: Slot<C>, now: number): void {
    if (slot.state === "Draining") slots.drainForGood(this.state, slot)
    if (slot.state !== "Ready") return
    slots.retire(this.state, slot, "ClosedByPeer")
    this.settle(now)
  }

  /** The connection is gone or of no use: out of the pool in this step, closed after it (zio-http #2610). */
  lost(slot: Slot<C>, reason: CloseReason, now: number): void {
    if (slot.state !== "Ready" && slot.state !== "Draining") return
    slots.startClosing(this.state, slot, reason)
    this.settle(now)
  }

  /** The socket is gone and the permit is back. */
  closed(slot: Slot<C>, now: number): void {
    if (slot.state === "Closed") return
    // One connection less can serve the waiters. A dial that failed was none, or it would be made again and again.
    if (slot.connection !== undefined) slot.origin.dialsPaused = false
    slots.becomeClosed(this.state, slot, now)
    this.settleFor(slot.origin, now)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Origins that share connections
  // ---------------------------------------------------------------------------------------------------------------

  /** Whether the origin can share connections of another one is being found out. Until then none is dialed for it. */
  probe(origin: OriginState<C>): void {
    origin.probing = true
    this.state.update(origin)
  }

  /** It can share those of `other`, and its waiters move to that queue; or it cannot, and dials its own. */
  probed(origin: OriginState<C>, other: OriginState<C> | undefined, now: number): void {
    const pool = this.state
    origin.probing = false
    pool.update(origin)
    if (other !== undefined) {
      for (const ticket of origin.waiters) queue.move(pool, ticket, other)
      while (other.waiters.size > 0 && other.available !== undefined) this.lendToWaiters(other.available, now)
      this.settleFor(other, now)
    }
    this.settleFor(origin, now)
  }

  /** What another origin had for it does not serve it: it asks again, its own origin. */
  reroute(ticket: Ticket<C>, origin: OriginState<C>, reusable: boolean, now: number): void {
    this.release(ticket, reusable, Infinity, now)
    ticket.state = "New"
    ticket.overdue = false
    ticket.refusal = undefined
    ticket.connectEnd = Infinity
    ticket.origin = origin
    this.acquire(ticket, now)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Operations
  // ---------------------------------------------------------------------------------------------------------------

  /**
   * Dials until the origin has `count` connections, as far as the limits allow. Returns the connections being made that
   * it has to wait for; some of them may be under way for others already.
   */
  warm(origin: OriginState<C>, count: number, now: number): ReadonlyArray<Slot<C>> {
    const pool = this.state
    const made = origin.share - origin.dials.size
    const dialed = [...origin.dials].slice(0, Math.max(0, count - made))
    for (const slot of dialed) slots.alsoWarm(pool, slot)
    while (pool.phase === "Open" && origin.share < count && pool.hasRoom && pool.hasRoomFor(origin)) {
      dialed.push(this.planDial(origin, 1))
    }
    this.settle(now)
    return dialed
  }

  /** Nobody wants these connections to be made any more, unless a request waits for one. */
  stopWarming(dialed: ReadonlyArray<Slot<C>>, now: number): void {
    const pool = this.state
    for (const slot of dialed) {
      if (slot.state !== "Planned" && slot.state !== "Dialing") continue
      slots.stopWarming(pool, slot)
      // The one that has come least far ends: requests may wait for this one by now.
      this.dropSpareDials(slot.origin)
    }
    this.settle(now)
  }

  /** Closes every idle connection and returns how many. */
  evictIdle(now: number): number {
    const idle = this.state.idle.size
    for (const slot of this.state.idle) slots.retire(this.state, slot, "EvictIdle")
    this.settle(now)
    return idle
  }

  /** Takes other limits. What is idle closes first; a busy connection is never cut, it closes when it is given back. */
  setLimits(limits: CoreLimits, now: number): void {
    const pool = this.state
    pool.setLimits(limits)
    for (const slot of pool.idle) {
      if (pool.isOverLimit || pool.idle.size > limits.maxKeepAliveConnections) slots.retire(pool, slot, "LimitLowered")
      else if (pool.isOverOriginLimit(slot.origin)) slots.retire(pool, slot, "LimitLowered")
    }
    for (const slot of pool.planned) {
      const { group } = slot.origin
      if (pool.open - pool.closing + pool.planned.size > limits.maxConnections) {
        slots.abandonDial(pool, slot, "LimitLowered")
      } else if (group.open + group.planned > group.limits.maxConnectionsPerOrigin) {
        slots.abandonDial(pool, slot, "LimitLowered")
      }
    }
    for (const slot of pool.slots) this.applyLimits(slot, now)
    for (const origin of pool.origins.values()) pool.update(origin)
    for (const origin of pool.origins.values()) this.settleFor(origin, now)
  }

  /** What a connection was allowed when it was made, or became idle, is what the limits allow now. */
  private applyLimits(slot: Slot<C>, now: number): void {
    const pool = this.state
    if (slot.state === "Ready" && slot.served >= slot.origin.limits.maxRequestsPerConnection) {
      slots.retire(pool, slot, "MaxRequests")
    }
    if (slot.state === "Ready") slots.limitAge(pool, slot, this.onAge, now)
    if (slot.state === "Ready" && slot.busy === 0) slots.keepIdle(pool, slot, now)
  }

  /**
   * The pool closes: waiters are refused, idle connections close, dials end; busy connections may finish until
   * `abort`.
   */
  close(now: number): void {
    const pool = this.state
    if (pool.phase === "Closing") return
    pool.phase = "Closing"
    for (const origin of pool.origins.values()) {
      for (const ticket of origin.waiters) queue.refuse(pool, ticket, { _tag: "PoolClosed" }, now)
      for (const slot of origin.dials) slots.abandonDial(pool, slot, "PoolClosed")
      backoff.reset(pool, origin)
    }
    for (const slot of pool.slots) if (slot.state === "Ready") slots.retire(pool, slot, "PoolClosed")
  }

  /** Closes what is still busy. */
  abort(): void {
    for (const slot of this.state.slots) {
      if (slot.state === "Ready" || slot.state === "Draining") slots.startClosing(this.state, slot, "PoolClosed")
    }
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Decisions
  // ---------------------------------------------------------------------------------------------------------------

  /** Plans the dials that the limits allow, round robin between origins, evicting what is idle; starts those with a permit. */
  private settle(now: number): void {
    const pool = this.state
    if (pool.phase !== "Open") return
    do this.planDials(now)
    while (pool.crowdedOut.size > 0 && quantum.makeRoomInGroups(pool))
    quantum.noteContention(pool, now)
    while (pool.planned.first !== undefined && pool.open < pool.limits.maxConnections) {
      const slot = pool.planned.first
      // Whom it was planned for may have found another connection meanwhile.
      if (slot.warming === 0 && pool.withSpareDials.has(slot.origin.spareDialsLink)) {
        slots.abandonDial(pool, slot, "DialAbandoned")
        // Another way to the same server may be dialed in its stead.
        this.planDials(now)
      } else {
        slots.startDial(pool, slot, now)
      }
    }
    // An iterator for each request is a good part of what the pool would allocate for it.
    if (pool.connecting.size === 0) return
    for (const origin of pool.connecting) {
      queue.connect(pool, origin, this.onConnectDeadline, now)
      pool.update(origin)
    }
  }

  private planDials(now: number): void {
    const pool = this.state
    while (pool.wantedDials > 0 || pool.backingOff.first !== undefined) {
      const tries = pool.wantedDials > 0 ? undefined : pool.backingOff.first
      if (pool.hasRoom) {
        this.planDial(tries ?? quantum.next(pool, now), 0)
      } else if (tries === undefined && pool.idle.first !== undefined) {
        slots.retire(pool, pool.idle.first, "Evicted")
      } else if (pool.withSpareDials.first !== undefined) {
        slots.abandonDial(pool, slots.spareDial(pool.withSpareDials.first), "DialAbandoned")
      } else {
        return
      }
    }
  }

  /**
   * The same, after an origin may have got fewer dials or may expect less of them: those whose time is up, and whom no
   * dial is meant for any more, are refused, with `refusal` or as a pool timeout.
   */
  private settleFor(origin: OriginState<C>, now: number, refusal?: Refusal): void {
    this.settle(now)
    if (origin.overdue === 0) return
    queue.refuseOverdue(this.state, origin, now, refusal)
    this.settle(now)
  }

  /** The connection that a request takes. One that is idle for too long is closed, and the next one looked at. */
  private availableFor(origin: OriginState<C>, now: number): Slot<C> | undefined {
    let slot = origin.available
    while (slot !== undefined && slot.busy === 0 && slots.hasExpired(this.state, slot, now)) {
      slots.retire(this.state, slot, "Expired")
      slot = origin.available
    }
    return slot
  }

  private evictIdleOf(origin: OriginState<C>, now: number): void {
    for (const slot of origin.idle) slots.retire(this.state, slot, "EvictIdle")
    this.settle(now)
  }

  private reasonToClose(slot: Slot<C>, reusable: boolean, now: number): CloseReason | undefined {
    const pool = this.state
    if (slot.state === "Draining") return slot.reason
    if (!reusable) return "NotReusable"
    if (slot.served >= slot.origin.limits.maxRequestsPerConnection) return "MaxRequests"
    if (pool.isOverLimit || pool.isOverOriginLimit(slot.origin)) return "LimitLowered"
    if (quantum.mustYield(pool, slot, now)) return "Evicted"
    if (slot.busy === 0 && slot.origin.waiters.first?.fresh === true) return "Evicted"
    return undefined
  }

  /** A connection with a free stream slot is lent to its waiters at once; it is idle when there is none. */
  private serve(slot: Slot<C>, keepFor: number, now: number): void {
    if (slot.busy === 0) slot.idleSince = now
    this.lendToWaiters(slot, now)
    if (slot.busy === 0) slots.becomeIdle(this.state, slot, keepFor, now)
    else slots.relist(this.state, slot)
  }

  private lendToWaiters(slot: Slot<C>, now: number): void {
    const pool = this.state
    const waiters = slot.origin.waiters
    while (slot.state === "Ready" && slot.busy < slot.capacity && waiters.first !== undefined) {
      const ticket = waiters.first
      queue.leave(pool, ticket)
      this.lend(slot, ticket, now)
      pool.actions.push({ _tag: "Grant", ticket, slot })
    }
  }

  private lend(slot: Slot<C>, ticket: Ticket<C>, now: number): void {
    const pool = this.state
    if (slot.busy === 0) {
      pool.options.background.cancel(slot.expiry)
      ticket.idleTime = now - slot.idleSince
    }
    ticket.state = "Granted"
    ticket.slot = slot
    ticket.grantedAt = now
    ticket.reused = slot.served > 0
    slot.busy++
    slot.served++
    pool.leases.pushBack(ticket.link)
    slots.relist(pool, slot)
    if (pool.observed) {
      pool.emit({
        _tag: "Granted",
        origin: slot.origin.key,
        connection: slot.id,
        reused: ticket.reused,
        idleTime: ticket.idleTime,
        waitTime: now - ticket.waitingSince
      })
    }
    if (slot.served >= slot.origin.limits.maxRequestsPerConnection) slots.retire(pool, slot, "MaxRequests")
  }

  private planDial(origin: OriginState<C>, warming: number): Slot<C> {
    const slot = new Slot<C>(this.numbers.next++, origin, warming, this.onExpiry)
    slots.plan(this.state, slot)
    return slot
  }

  private readonly onDeadline = (ticket: Ticket<C>, now: number): void => {
    queue.timedOut(this.state, ticket, now)
    this.settle(now)
  }

  private readonly onConnectDeadline = (ticket: Ticket<C>, now: number): void => {
    const { origin } = ticket
    queue.connectTimedOut(this.state, ticket, now)
    this.leaveSpareDials(origin, -Infinity, now)
    this.settle(now)
  }

  /**
   * Whom a dial was for did not wait for it as long as the pool would: it may go on for whoever comes next, if it began
   * after `since`. One that somebody else could dial for ends (`settle`).
   */
  private leaveSpareDials(origin: OriginState<C>, since: number, now: number): void {
    while (this.state.withSpareDials.has(origin.spareDialsLink)) {
      const slot = slots.spareDial(origin)
      if (slot.state === "Dialing") {
        if (slot.dialedAt > since && now - slot.dialedAt < this.state.options.dialPatience) return
        origin.dialAbandonedAt = Math.min(origin.dialAbandonedAt, now)
      }
      slots.abandonDial(this.state, slot, "DialAbandoned")
    }
  }

  private dropSpareDials(origin: OriginState<C>): void {
    while (this.state.withSpareDials.has(origin.spareDialsLink)) {
      slots.abandonDial(this.state, slots.spareDial(origin), "DialAbandoned")
    }
  }

  private readonly onBackoffEnd = (origin: OriginState<C>, now: number): void => {
    backoff.end(this.state, origin, now)
    this.settle(now)
  }

  private readonly onExpiry = (slot: Slot<C>, now: number): void => {
    const pool = this.state
    if (slot.state === "Dialing") {
      const isSpare = slot.warming === 0 && pool.withSpareDials.has(slot.origin.spareDialsLink)
      const spare = isSpare ? slots.spareDial(slot.origin) : undefined
      // One that has no permit yet goes first.
      if (spare !== undefined) slots.abandonDial(pool, spare.state === "Planned" ? spare : slot, "DialAbandoned")
      if (slots.isDialing(slot)) pool.options.background.set(slot.expiry, pool.options.dialPatience, now)
    } else if (slot.state === "Ready" && slot.busy === 0) {
      slots.retire(pool, slot, "Expired")
    }
    this.settle(now)
  }

  private readonly onResumption = (slot: Slot<C>, now: number): void => {
    const pool = this.state
    if (slot.state !== "Draining" || pool.phase !== "Open") return
    if (slot.served >= slot.origin.limits.maxRequestsPerConnection) return
    if (pool.isOverLimit || pool.isOverOriginLimit(slot.origin)) return
    slots.resume(pool, slot)
    slots.limitAge(pool, slot, this.onAge, now)
    quantum.restart(slot, now)
    this.lendToWaiters(slot, now)
    slots.relist(pool, slot)
    pool.update(slot.origin)
    this.settle(now)
  }

  private readonly onAge = (slot: Slot<C>, now: number): void => {
    if (slot.state !== "Ready") return
    slots.retire(this.state, slot, "MaxAge")
    this.settle(now)
  }
}
