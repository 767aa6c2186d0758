import { ok } from "node:assert"
import type { CoreLimits } from "../../../src/pool/CoreLimits.js"
import type { Sharing } from "../../../src/pool/entities.js"

// What the pool's documentation promises, written as simply as possible: plain arrays, and every count made anew from
// them. It is given what was asked of the core and what the core decided, and says whether that was right.

export interface RefOrigin {
  readonly key: string
  /** Origins of the same one are counted together by `maxConnectionsPerOrigin`. */
  readonly group: string
  sharing: Sharing
  /** Nothing is dialed while other connections serve: a dial has failed, or found a connection that takes nothing. */
  dialsPaused: boolean
  /** Dials that failed in a row, when the last one did, and whether it takes nothing from others for that. */
  failedDials: number
  failedAt: number
  isBackingOff: boolean
  /** How long its last dial took that succeeded. */
  lastDialTime: number
  /** When it first was that a dial ended because nobody waited any more; `Infinity` since one has succeeded. */
  dialAbandonedAt: number
}

export interface RefSlot {
  readonly id: number
  readonly origin: RefOrigin
  /** Calls of `warm` that wait for it. */
  warming: number
  state: "Planned" | "Dialing" | "Ready" | "Draining" | "Closing"
  wasReady: boolean
  capacity: number
  busy: number
  served: number
  /** When it became idle, and fit to be lent, as positions in one order. */
  idleOrder: number
  availableOrder: number
  idleSince: number | undefined
  /** The same by the wall clock. */
  idleSinceDate: number
  keepFor: number
  connectedAt: number
  /** When it began to be made. */
  dialedAt: number
  /** While it makes room for another origin: when it takes requests again, if it still carries some. */
  resumesAt: number | undefined
  expiresAt: number
  /** It may be retired for its age from the first, and must be at the second. */
  mayAgeAt: number
  agesAt: number
}

export interface RefTicket {
  readonly id: number
  readonly origin: RefOrigin
  readonly timeout: number
  readonly arrivedAt: number
  readonly connectTimeout: number
  /** What has carried requests, and carries none when it is lent, will not do. */
  readonly fresh: boolean
  deadline: number
  /** When it stops waiting for a connection that is being made, and whether one is. */
  connectEnd: number
  isConnecting: boolean
  overdue: boolean
  state: "Waiting" | "Granted" | "Refused" | "Settled"
  slot: RefSlot | undefined
  /** Since when its response is there and nobody has begun to read it; whether somebody has. */
  unreadSince: number | undefined
  isRead: boolean
  /** How often it was granted or refused. */
  settled: number
}

/** Fraction of a connection's age that jitter may take. */
const jitter = 0.1

export class Reference {
  now = 0
  /** By how much the wall clock was set. */
  wallClockOffset = 0
  isClosed = false
  readonly origins = new Map<string, RefOrigin>()
  slots: Array<RefSlot> = []
  /** Requests that wait or hold a connection, in order of arrival. */
  tickets: Array<RefTicket> = []
  private order = 0

  constructor(public limits: CoreLimits, readonly whenFull: "dial" | "wait") {}

  get date(): number {
    return this.now + this.wallClockOffset
  }

  /** By the wall clock an idle connection may be too old to be lent, whatever has elapsed: the machine was suspended. */
  isTooOldByDate(slot: RefSlot): boolean {
    return slot.idleSince !== undefined && this.date - slot.idleSinceDate >= slot.expiresAt - slot.idleSince
  }

  // Counts, all from scratch

  count(states: ReadonlyArray<RefSlot["state"]>, origin?: RefOrigin): number {
    return this.slots.filter((slot) => states.includes(slot.state) && (origin ?? slot.origin) === slot.origin).length
  }

  /** Permits out. */
  open(origin?: RefOrigin): number {
    return this.count(["Dialing", "Ready", "Draining", "Closing"], origin)
  }

  /** Connections that are, or are about to be. */
  share(origin?: RefOrigin): number {
    return this.count(["Planned", "Dialing", "Ready", "Draining"], origin)
  }

  waiters(origin?: RefOrigin): ReadonlyArray<RefTicket> {
    return this.tickets.filter((_) => _.state === "Waiting" && (origin ?? _.origin) === _.origin)
  }

  leases(): ReadonlyArray<RefTicket> {
    return this.tickets.filter((_) => _.state === "Granted")
  }

  dials(origin: RefOrigin): number {
    return this.count(["Planned", "Dialing"], origin)
  }

  warming(origin: RefOrigin): number {
    return this.slots.filter((_) =>
      _.origin === origin && _.warming > 0 && (_.state === "Planned" || _.state === "Dialing")
    ).length
  }

  /** In the order in which they make room: first what may be lent to nobody now, then what is idle longest. */
  idle(origin?: RefOrigin): ReadonlyArray<RefSlot> {
    return this.slots
      .filter((_) => _.state === "Ready" && _.busy === 0 && (origin ?? _.origin) === _.origin)
      .sort((x, y) => x.idleOrder - y.idleOrder)
  }

  /** Connections in use that have room for more. */
  shared(origin: RefOrigin): ReadonlyArray<RefSlot> {
    return this.slots.filter((_) => _.origin === origin && _.state === "Ready" && _.busy > 0 && _.busy < _.capacity)
  }

  hasRoom(): boolean {
    return this.share() < this.limits.maxConnections
  }

  isOverLimit(origin: RefOrigin): boolean {
    return this.count(["Dialing", "Ready", "Draining"]) > this.limits.maxConnections ||
      this.countOfGroup(["Dialing", "Ready", "Draining"], origin) > this.limits.maxConnectionsPerOrigin
  }

  /** The ways to the same server, this one among them. */
  group(origin: RefOrigin): ReadonlyArray<RefOrigin> {
    return this.all().filter(({ group }) => group === origin.group)
  }

  countOfGroup(states: ReadonlyArray<RefSlot["state"]>, origin: RefOrigin): number {
    return this.group(origin).reduce((sum, each) => sum + this.count(states, each), 0)
  }

  /** How many dials to the server others of it keep from being made, and no connection is being closed for. */
  crowdedOut(origin: RefOrigin, isBackingOff = (origin: RefOrigin) => origin.isBackingOff): number {
    const group = this.group(origin)
    if (group.length < 2) return 0
    const kept = group.reduce((sum, each) => sum + (isBackingOff(each) ? 0 : this.without(each) - this.wish(each)), 0)
    return Math.max(0, kept - this.countOfGroup(["Closing"], origin))
  }

  // What origins need

  /** How many waiters one more connection is expected to serve. */
  serves(origin: RefOrigin): number {
    if (origin.sharing._tag === "Unknown") return Infinity
    return origin.sharing._tag === "Exclusive" ? 1 : Math.max(1, origin.sharing.capacity)
  }

  needed(origin: RefOrigin): number {
    let dials = 0
    for (let served = 0; served < this.waiters(origin).length; served += this.serves(origin)) dials++
    return dials
  }

  /** How many waiters, from the front, so many dials are meant for. */
  private servedBy(dials: number, origin: RefOrigin): number {
    return dials === 0 ? 0 : dials * this.serves(origin)
  }

  waitersWithDial(origin: RefOrigin): number {
    return this.servedBy(this.dials(origin), origin)
  }

  underWay(origin: RefOrigin): number {
    return this.servedBy(this.count(["Dialing"], origin), origin)
  }

  waitersWithoutDial(origin: RefOrigin): number {
    return Math.max(0, this.waiters(origin).length - this.waitersWithDial(origin))
  }

  spareDials(origin: RefOrigin): number {
    return Math.max(0, this.dials(origin) - this.warming(origin) - this.needed(origin))
  }

  /** Dials that it should be given as soon as there is room. */
  wantedDials(origin: RefOrigin): number {
    return origin.isBackingOff ? 0 : this.wish(origin)
  }

  /** Whether it would try once, if there were room that nobody has to give. */
  isDueWhileBackingOff(origin: RefOrigin): boolean {
    return origin.isBackingOff && this.wish(origin) > 0 && this.dials(origin) === 0
  }

  private wish(origin: RefOrigin): number {
    const made = this.countOfGroup(["Planned", "Dialing", "Ready", "Draining", "Closing"], origin)
    return Math.min(this.without(origin), Math.max(0, this.limits.maxConnectionsPerOrigin - made))
  }

  /** The same without a limit. */
  private without(origin: RefOrigin): number {
    return this.reliesOnWhatItHas(origin) ? 0 : Math.max(0, this.needed(origin) - this.dials(origin))
  }

  private reliesOnWhatItHas(origin: RefOrigin): boolean {
    return this.count(["Ready"], origin) > 0 &&
      (origin.dialsPaused || (this.whenFull === "wait" && origin.sharing._tag === "Shared"))
  }

  all(): ReadonlyArray<RefOrigin> {
    return [...this.origins.values()]
  }

  /** Starts the time to connect of those whom a dial is under way for now. */
  startConnecting(): void {
    for (const origin of this.all()) {
      const underWay = this.underWay(origin)
      this.waiters(origin).forEach((ticket, index) => {
        const isConnecting = index < underWay
        const isNew = ticket.connectEnd === Infinity || ticket.connectEnd <= this.now
        if (isConnecting && !ticket.isConnecting && isNew) ticket.connectEnd = this.now + ticket.connectTimeout
        ticket.isConnecting = isConnecting
      })
    }
  }

  /** How long an origin keeps a connection that others wait for: ten times what it takes to make one, within bounds. */
  quantum(origin: RefOrigin): number {
    return Math.min(1000, Math.max(50, 10 * origin.lastDialTime))
  }

  // Bodies that nobody reads

  /** Those of its requests whose responses nobody has begun to read, longest unread first. */
  unread(slot: RefSlot): ReadonlyArray<RefTicket> {
    return this.leases().filter((_) => _.slot === slot && _.unreadSince !== undefined)
      .sort((one, other) => (one.unreadSince ?? 0) - (other.unreadSince ?? 0))
  }

  /** How many of its unread bodies have to go so that a request of its own origin gets on; `Infinity` where that is no help. */
  private neededForOwn(slot: RefSlot): number {
    if (slot.state === "Ready") return slot.capacity > 0 ? Math.max(1, slot.busy - slot.capacity + 1) : Infinity
    return slot.state === "Draining" && !this.reliesOnWhatItHas(slot.origin) ? slot.busy : Infinity
  }

  private neededForOther(slot: RefSlot): number {
    return !this.hasRoom() && (slot.state === "Ready" || slot.state === "Draining") ? slot.busy : Infinity
  }

  /** When so many of its unread bodies may go for a request of these origins: the grace runs while both are so. */
  private dueFor(slot: RefSlot, needed: number, origins: ReadonlyArray<RefOrigin>, grace: number): number {
    const last = this.unread(slot)[needed - 1]
    if (last === undefined) return Infinity
    const waiters = origins.flatMap((origin) => this.waiters(origin).slice(this.waitersWithDial(origin)))
    return Math.min(
      ...waiters.map(({ arrivedAt, timeout }) =>
        Math.max(last.unreadSince ?? 0, arrivedAt) + Math.min(grace, timeout / 2)
      )
    )
  }

  /** When an unread body of this connection is to go, for a request of its own origin or of another one. */
  abandonedAt(slot: RefSlot, grace: number): { readonly own: number; readonly other: number } {
    const others = this.all().filter((origin) => origin !== slot.origin && this.wantedDials(origin) > 0)
    return {
      own: this.dueFor(slot, this.neededForOwn(slot), [slot.origin], grace),
      other: this.dueFor(slot, this.neededForOther(slot), others, grace)
    }
  }

  // What happens

  connects(slot: RefSlot, capacity: number): void {
    slot.state = "Ready"
    slot.wasReady = true
    slot.capacity = capacity
    slot.connectedAt = this.now
    slot.origin.lastDialTime = this.now - slot.dialedAt
    slot.origin.dialAbandonedAt = Infinity
    this.limitsAge(slot)
  }

  limitsAge(slot: RefSlot): void {
    slot.mayAgeAt = slot.connectedAt + this.limits.maxConnectionAge * (1 - jitter)
    slot.agesAt = slot.connectedAt + this.limits.maxConnectionAge
  }

  limitsIdle(slot: RefSlot): void {
    slot.expiresAt = (slot.idleSince ?? 0) + Math.min(this.limits.keepAliveExpiry, slot.keepFor)
  }

  /** Connections that were made are held to other limits as if these had always been. */
  takesLimits(limits: CoreLimits): void {
    this.limits = limits
    for (const slot of this.slots) {
      if (slot.state !== "Ready") continue
      this.limitsAge(slot)
      if (slot.busy === 0) this.limitsIdle(slot)
    }
  }

  becomesIdle(slot: RefSlot, keepFor: number): void {
    slot.idleSince = this.now
    slot.idleSinceDate = this.date
    this.mayBecomeAvailable(slot)
    slot.keepFor = keepFor
    this.limitsIdle(slot)
  }

  mayBecomeAvailable(slot: RefSlot): void {
    const position = ++this.order
    slot.availableOrder = slot.capacity > 0 ? position : 0
    slot.idleOrder = slot.capacity > 0 ? position : -position
  }

  lends(slot: RefSlot, ticket: RefTicket): void {
    ok(slot.state === "Ready", `connection ${slot.id} is lent and ${slot.state}`)
    ok(slot.origin === ticket.origin, "a connection goes to a request of its own origin")
    ok(slot.busy < slot.capacity, `connection ${slot.id} carries no more than it can`)
    ticket.state = "Granted"
    ticket.settled++
    ticket.slot = slot
    ticket.overdue = false
    slot.busy++
    slot.served++
    slot.idleSince = undefined
    slot.expiresAt = Infinity
    if (slot.served >= this.limits.maxRequestsPerConnection) slot.state = "Draining"
  }

  refuses(ticket: RefTicket): void {
    ticket.state = "Refused"
    ticket.settled++
    ticket.overdue = false
  }
}
