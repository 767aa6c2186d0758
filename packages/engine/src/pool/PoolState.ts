import type { OriginLimits } from "../OriginLimits.js"
import type { CoreLimits } from "./CoreLimits.js"
import type { Deadlines } from "./Deadlines.js"
import { LimitGroup, OriginState, type Refusal, type Sharing, type Slot, type Ticket } from "./entities.js"
import type { Event } from "./Event.js"
import { LinkedList } from "./LinkedList.js"

/**
 * What the core wants done. The driver carries it out after the decision, in order.
 */
export type Action<C> =
  | { readonly _tag: "Grant"; readonly ticket: Ticket<C>; readonly slot: Slot<C> }
  | { readonly _tag: "Refuse"; readonly ticket: Ticket<C>; readonly refusal: Refusal }
  /** Take a permit and make a connection, then say `dialSucceeded` or `dialFailed`. */
  | { readonly _tag: "Dial"; readonly slot: Slot<C> }
  /** Close the connection, or stop dialing it; when it is gone and its permit is back, say `closed`. */
  | { readonly _tag: "Close"; readonly slot: Slot<C> }
  | { readonly _tag: "Emit"; readonly event: Event }

/** The numbers of connections. */
export interface Numbers {
  next: number
}

export interface CoreOptions {
  readonly limits: CoreLimits
  /** Of requests. */
  readonly deadlines: Deadlines
  /** Of idle and of old connections: nobody waits for them. */
  readonly background: Deadlines
  /** Milliseconds since 1970: monotonic time may stand still while the machine is suspended. */
  readonly wallClock: () => number
  /** When a shared connection has no free stream: dial another one, or wait. */
  readonly whenFull: "dial" | "wait"
  /** How long a dial goes on for whoever comes next when those it was for have timed out, in milliseconds. */
  readonly dialPatience: number
  /** From 0 to 1. */
  readonly random: () => number
  /** Undefined: its own, from 1. */
  readonly numbers?: Numbers | undefined
}

/** Origins that nobody uses now, kept for what is known of their protocol. */
const rememberedOrigins = 1000

/**
 * Everything that is counted and ordered in a pool. The steps that change it are in `PoolCore`, `slots` and `queue`;
 * here is what follows from it.
 */
export class PoolState<C> {
  /** What is to be done, oldest first. The driver empties it. */
  readonly actions: Array<Action<C>> = []
  readonly slots = new Set<Slot<C>>()
  readonly origins = new Map<string, OriginState<C>>()
  /** Requests that hold a connection, longest first. */
  readonly leases = new LinkedList<Ticket<C>>()
  phase: "Open" | "Closing" = "Open"
  limits: CoreLimits
  /** Whether somebody listens to events. */
  observed = false

  /** Permits out: connections that are dialing, ready, draining or closing. Never more than `limits.maxConnections`. */
  open = 0
  /** Those of `open` that are closing: their permits come back by themselves. */
  closing = 0
  /** Those of `open` that are being made. Planned dials have no permit and are not among them. */
  dialing = 0
  /** Tickets in the queues of all origins. */
  waiting = 0
  /** Those of `waiting` that no dial is meant for, planned ones included: what `limits.maxPendingRequests` limits. */
  waitersWithoutDial = 0
  /** Dials that all origins together would plan now if `limits.maxConnections` allowed it. */
  wantedDials = 0

  /** All idle connections, idle longest first. */
  readonly idle = new LinkedList<Slot<C>>()
  /** Dials without a permit yet; each waits for a connection that is closing. */
  readonly planned = new LinkedList<Slot<C>>()
  /** Origins that would dial if they had a permit; the first is the next. */
  readonly roundRobin = new LinkedList<OriginState<C>>()
  /** Origins that back off, and would dial once if a permit is free. */
  readonly backingOff = new LinkedList<OriginState<C>>()
  /** Since when an origin waits for a permit that others have; `Infinity` when none does. */
  contendedSince = Infinity
  /** Whom a connection has been given back for. */
  yieldedTo: OriginState<C> | undefined = undefined
  /** What the origin that was next last had been charged, as of when that was: see `quantum`. */
  charged = 0
  chargedAt = -Infinity
  /** Origins with more dials than they need. */
  readonly withSpareDials = new LinkedList<OriginState<C>>()
  /** Origins whose dials are under way for other waiters than before. */
  readonly connecting = new LinkedList<OriginState<C>>()
  /** Origins that others of their group keep from dialing. */
  readonly crowdedOut = new LinkedList<OriginState<C>>()
  private readonly vacant = new LinkedList<OriginState<C>>()
  private readonly groups = new Map<string, LimitGroup<C>>()

  constructor(readonly options: CoreOptions) {
    this.limits = options.limits
  }

  /**
   * The state of an origin; `sharing` is what is known of its protocol when it is seen for the first time. Those of the same
   * `limitKey` have the same limits of their own, and are counted together.
   */
  origin(key: string, sharing: Sharing, limitKey = key, own?: Partial<OriginLimits>): OriginState<C> {
    let origin = this.origins.get(key)
    if (origin === undefined) {
      origin = new OriginState<C>(key, sharing, this.group(limitKey, own))
      this.origins.set(key, origin)
      origin.group.members.add(origin)
      this.update(origin)
    }
    return origin
  }

  private group(key: string, own: Partial<OriginLimits> | undefined): LimitGroup<C> {
    let group = this.groups.get(key)
    if (group === undefined) {
      this.groups.set(key, group = new LimitGroup<C>(key, own, { ...this.limits, ...own }))
    }
    return group
  }

  setLimits(limits: CoreLimits): void {
    this.limits = limits
    for (const group of this.groups.values()) group.limits = { ...limits, ...group.own }
  }

  /** Whether a permit is free, or will be when what is closing has closed, that no planned dial is to have. */
  get hasRoom(): boolean {
    return this.open - this.closing + this.planned.size < this.limits.maxConnections
  }

  /** Whether another dial would be within the limit of its origin. What is closing counts: no dial waits for that. */
  hasRoomFor(origin: OriginState<C>): boolean {
    return origin.group.hasRoom
  }

  get isOverLimit(): boolean {
    return this.open - this.closing > this.limits.maxConnections
  }

  isOverOriginLimit({ group }: OriginState<C>): boolean {
    return group.open - group.closing > group.limits.maxConnectionsPerOrigin
  }

  /** What an origin needs, and all others that share its limit, after a change of how many connections they have. */
  updateGroup(origin: OriginState<C>): void {
    for (const member of origin.group.members) this.update(member)
  }

  /** Recomputes what an origin needs, after any change of its waiters, dials or connections. */
  update(origin: OriginState<C>): void {
    const needed = origin.dialsNeeded
    const { group } = origin
    const room = Math.max(0, group.limits.maxConnectionsPerOrigin - group.open - group.planned)
    const without = Math.max(0, this.mayDial(origin) ? needed - origin.dials.size : 0)
    const wish = Math.min(without, room)
    const wanted = origin.isBackingOff ? 0 : wish
    this.backingOff.toggle(origin.backingOffLink, origin.isBackingOff && wish > 0 && origin.dials.size === 0)
    this.wantedDials += wanted - origin.wantedDials
    origin.wantedDials = wanted
    this.roundRobin.toggle(origin.roundRobinLink, wanted > 0)
    origin.crowdedOut = group.members.size > 1 && !origin.isBackingOff ? without - wish : 0
    this.crowdedOut.toggle(origin.crowdedLink, origin.crowdedOut > 0)
    this.withSpareDials.toggle(origin.spareDialsLink, origin.dials.size - origin.warming > needed)
    const waitersWithoutDial = Math.max(0, origin.waiters.size - origin.waitersWithDial)
    this.waitersWithoutDial += waitersWithoutDial - origin.waitersWithoutDial
    origin.waitersWithoutDial = waitersWithoutDial
    this.connecting.toggle(origin.connectingLink, origin.connecting !== origin.shouldConnect)
    this.vacant.toggle(origin.vacantLink, origin.isVacant)
    if (this.vacant.size > rememberedOrigins) this.forget(this.vacant.first as OriginState<C>)
  }

  emit(event: Event): void {
    this.actions.push({ _tag: "Emit", event })
  }

  /** Whether a dial for it would serve: it does not rely on the connections that it has. */
  mayDial(origin: OriginState<C>): boolean {
    if (origin.ready === 0) return true
    return !origin.dialsPaused && !(this.options.whenFull === "wait" && origin.sharing._tag === "Shared")
  }

  private forget(origin: OriginState<C>): void {
    this.vacant.remove(origin.vacantLink)
    this.origins.delete(origin.key)
    const { group } = origin
    group.members.delete(origin)
    if (group.members.size === 0) this.groups.delete(group.key)
    else this.updateGroup(origin)
  }
}
