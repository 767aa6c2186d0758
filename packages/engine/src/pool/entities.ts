import type { CloseReason } from "../CloseReason.js"
import type { Failure } from "../Failure.js"
import type { OriginLimits } from "../OriginLimits.js"
import type { CoreLimits } from "./CoreLimits.js"
import { Deadline } from "./Deadlines.js"
import { Link, LinkedList } from "./LinkedList.js"

// What the core keeps count of: connections (`Slot`), claims on them (`Ticket`) and origins (`OriginState`). Each refers to
// the other two, so they stand in one file.

/**
 * The life of a connection, from the decision to dial until its permit is back:
 *
 * - `Planned`: a dial is decided; it starts as soon as the permit of a connection that is closing is back.
 * - `Dialing`: the permit is taken, the connection is being made.
 * - `Ready`: it takes requests, up to its capacity. Idle when it carries none.
 * - `Draining`: it takes nothing new; what it carries may finish.
 * - `Closing`: it is being closed. Its permit is still out, because its socket may still be open (httpcore 1.0.9
 *   counted it as gone, and real sockets exceeded the limit).
 * - `Closed`: the socket is gone and the permit is back.
 */
export type SlotState = "Planned" | "Dialing" | "Ready" | "Draining" | "Closing" | "Closed"

/**
 * What the core knows of one connection. `C` is the connection itself, which the core never looks into.
 */
export class Slot<C> {
  state: SlotState = "Planned"
  connection: C | undefined = undefined
  /** How many requests it can carry at once, now. */
  capacity = 0
  /** How many it carries. */
  busy = 0
  /** How many it was ever lent to. */
  served = 0
  idleSince = 0
  /** The same as wall time. */
  idleSinceDate = 0
  /** How long the server said that it keeps it idle, when it became idle. */
  keepFor = Infinity
  dialedAt = 0
  connectedAt = 0
  /** Since when it is with its origin although others wait, and how many requests it had served then. */
  quantumSince = -Infinity
  servedBefore = 0
  /** While it makes room for another origin: when it takes requests again, if what it carries has not ended by then. */
  resumption: Deadline<Slot<C>> | undefined = undefined
  /** Up to when its origin has been charged for it. */
  chargedAt = 0
  /** Why it drains or closes. */
  reason: CloseReason | undefined = undefined

  /** In one of its origin's lists: `dials`, `idle` or `shared`. */
  readonly originLink = new Link<Slot<C>>(this)
  /** In one of the pool's lists: `planned` or `idle`. */
  readonly poolLink = new Link<Slot<C>>(this)
  /** Of an idle connection, or of a dial that nobody may be waiting for. */
  readonly expiry: Deadline<Slot<C>>
  /** Of a connection that may grow too old. */
  age: Deadline<Slot<C>> | undefined = undefined
  /** By which fraction of `maxConnectionAge` it is closed earlier. */
  ageJitter = 0

  constructor(
    readonly id: number,
    readonly origin: OriginState<C>,
    /** How many calls of `warm` wait for it: it is wanted although no request waits. */
    public warming: number,
    onExpiry: (slot: Slot<C>, now: number) => void
  ) {
    this.expiry = new Deadline(this, onExpiry)
  }
}

/**
 * Why a request gets no connection.
 */
export type Refusal =
  | { readonly _tag: "PoolTimeout"; readonly waited: number; readonly position: number }
  /** A connection was being made for it, for as long as it allows. */
  | { readonly _tag: "ConnectTimeout"; readonly timeout: number }
  | { readonly _tag: "PoolClosed" }
  | { readonly _tag: "PoolQueueFull" }
  /** `ago`: how long before, where the request waited for the next attempt and there was none; else 0. */
  | { readonly _tag: "DialFailed"; readonly failure: Failure; readonly ago: number }

/**
 * A request's claim on the pool. It is settled once: everything that could settle it looks at `state` first, so a
 * grant and a timeout in the same tick cannot both win (HC5 #649, vert.x #6169).
 *
 * - `New`: not yet asked for.
 * - `Waiting`: in the queue of its origin.
 * - `Granted`: it holds `slot`.
 * - `Refused`: it ended without a connection, `refusal` says why.
 * - `Settled`: given back, or abandoned by its owner.
 */
export type TicketState = "New" | "Waiting" | "Granted" | "Refused" | "Settled"

/** `O` is whose claim it is, which the core never looks into. */
export class Ticket<C, O = unknown> {
  state: TicketState = "New"
  slot: Slot<C> | undefined = undefined
  refusal: Refusal | undefined = undefined
  waitingSince = 0
  grantedAt = 0
  /** How long the granted connection had been idle, in milliseconds. */
  idleTime = 0
  /** Whether the connection had served another request before. */
  reused = false
  /** Its time is up, but a dial is under way for it: see `PoolCore.onDeadline`. */
  overdue = false
  /** In the queue of its origin while it waits, in the list of leases while it holds. */
  readonly link: Link<Ticket<C>> = new Link<Ticket<C>>(this)
  /** Of its wait for the pool. */
  deadline: Deadline<Ticket<C>> | undefined = undefined
  /** Of its wait for a connection that is being made. */
  connectDeadline: Deadline<Ticket<C>> | undefined = undefined
  /** When that has taken too long; `Infinity` before a dial was first under way for it. */
  connectEnd = Infinity
  /** Whether a dial is under way for it, as `OriginState.connecting` counts. */
  isConnecting = false

  constructor(
    /** Whose connections it waits for: another origin's where the two share them. */
    public origin: OriginState<C>,
    readonly owner: O,
    /** How long it may wait, in milliseconds. */
    readonly timeout: number,
    /** How long it waits for a connection that is being made, in milliseconds. */
    readonly connectTimeout: number,
    /** It takes no connection that has carried requests and carries none now: such ones have failed it before. */
    readonly fresh = false
  ) {}
}

/**
 * What is known of the protocol that an origin speaks. It outlives the connections, so that the next cold start dials
 * at once what it needs (Go #27753).
 *
 * - `Unknown`: the first dial decides, the others wait for it.
 * - `Exclusive`: one request at a time on each connection.
 * - `Shared`: a connection carries `capacity` requests at once.
 */
export type Sharing =
  | { readonly _tag: "Unknown" }
  | { readonly _tag: "Exclusive" }
  | { readonly _tag: "Shared"; readonly capacity: number }

export const unknown: Sharing = { _tag: "Unknown" }
export const exclusive: Sharing = { _tag: "Exclusive" }

/**
 * What `maxConnectionsPerOrigin` counts together: the ways to one server. Mostly that is one; there are more where its
 * requests go through different proxies. The counts are the sums of those of its members.
 */
export class LimitGroup<C> {
  readonly members = new Set<OriginState<C>>()
  open = 0
  closing = 0
  planned = 0

  constructor(
    readonly key: string,
    /** The limits that are its own, laid over those of the pool. */
    readonly own: Partial<OriginLimits> | undefined,
    /** All of its limits. */
    public limits: CoreLimits
  ) {}

  get hasRoom(): boolean {
    return this.open + this.planned < this.limits.maxConnectionsPerOrigin
  }
}

/**
 * The connections and waiters of one origin.
 */
export class OriginState<C> {
  /** First come, first served. */
  readonly waiters = new LinkedList<Ticket<C>>()
  /** Connections without a request that can take one, least recently used first. */
  readonly idle = new LinkedList<Slot<C>>()
  /** Connections with requests that can take more. */
  readonly shared = new LinkedList<Slot<C>>()
  /** Dials planned and under way, those that `warm` asked for first. */
  readonly dials = new LinkedList<Slot<C>>()
  /** Those of `dials` that have no permit yet. */
  planned = 0
  /** Those of `dials` that `warm` asked for. */
  warming = 0
  /** Permits out: dialing, ready, draining and closing connections. */
  open = 0
  /** Those of `open` that take requests, or will when they have a free stream slot. */
  ready = 0
  /** Those of `open` that are closing: their permits come back by themselves. */
  closing = 0
  /** Those of `waiters` that no dial is meant for, planned ones included. */
  waitersWithoutDial = 0
  /** Dials that it would plan now if the limit over all origins allowed it. */
  wantedDials = 0
  /** Waiters past their deadline for whom a dial is under way. */
  overdue = 0
  /** A dial failed while other connections serve: its waiters are left to these, and no new dial starts. */
  dialsPaused = false
  /** Whether it can share connections of another origin is being found out. Its waiters wait for that. */
  probing = false
  /** Waiters, from the front of the queue, whose time to connect runs: a dial is under way for them. */
  connecting = 0
  /** The first waiter that is not one of these. */
  nextToConnect: Link<Ticket<C>> | undefined = undefined
  /** In the list of those whose `connecting` is not what it should be. */
  readonly connectingLink = new Link<OriginState<C>>(this)
  /** How long its last dial took that succeeded, in milliseconds. */
  lastDialTime = 0
  /** When it first was that a dial under way ended because nobody waited any more; `Infinity` since one has succeeded. */
  dialAbandonedAt = Infinity
  /** Connection time that it had while others waited, in milliseconds, as of when that was. */
  charged = 0
  chargedAt = -Infinity
  /** Dials that failed in a row, and what the last one failed with. */
  failedDials = 0
  lastFailure: Failure | undefined = undefined
  lastFailedAt = 0
  /** It takes no connection from others for now, and dials once at a time where there is room. */
  isBackingOff = false
  backoff: Deadline<OriginState<C>> | undefined = undefined
  readonly backingOffLink = new Link<OriginState<C>>(this)
  readonly roundRobinLink = new Link<OriginState<C>>(this)
  readonly spareDialsLink = new Link<OriginState<C>>(this)
  readonly vacantLink = new Link<OriginState<C>>(this)
  /** Dials that it would plan now if others of its group had fewer connections. */
  crowdedOut = 0
  readonly crowdedLink = new Link<OriginState<C>>(this)

  constructor(readonly key: string, public sharing: Sharing, readonly group: LimitGroup<C>) {}

  get limits(): CoreLimits {
    return this.group.limits
  }

  /** How many waiters one more connection would serve. */
  get expectedCapacity(): number {
    switch (this.sharing._tag) {
      case "Unknown":
        return Infinity
      case "Exclusive":
        return 1
      case "Shared":
        return Math.max(1, this.sharing.capacity)
    }
  }

  /** How many dials it takes to serve all waiters. */
  get dialsNeeded(): number {
    if (this.probing) return 0
    return Math.ceil(this.waiters.size / this.expectedCapacity) || (this.waiters.size > 0 ? 1 : 0)
  }

  /** How many waiters `dials` are for, counted from the front of the queue; it may be more than there are waiters. */
  get waitersWithDial(): number {
    return this.servedBy(this.dials.size)
  }

  /** The same, for those of `dials` that have their permit. */
  get underWay(): number {
    return this.servedBy(this.dials.size - this.planned)
  }

  /** How many waiters a dial is under way for. To find out whose connections can be shared is no dial. */
  get shouldConnect(): number {
    return this.probing ? 0 : Math.min(this.waiters.size, this.underWay)
  }

  /** Connections that it has and keeps, being made and planned ones included: `open` without `closing`, and `planned`. */
  get share(): number {
    return this.open - this.closing + this.planned
  }

  /** The connection that a request takes: a shared one first, then the one used last. */
  get available(): Slot<C> | undefined {
    return this.shared.first ?? this.idle.last
  }

  get isVacant(): boolean {
    return this.open === 0 && this.waiters.size === 0 && this.dials.size === 0 && !this.probing && !this.isBackingOff
  }

  private servedBy(dials: number): number {
    if (this.probing) return Infinity
    return dials === 0 ? 0 : dials * this.expectedCapacity
  }
}
