import { ok, strictEqual } from "node:assert"
import type { CloseReason } from "../../../src/CloseReason.js"
import type { Connection } from "../../../src/Connection.js"
import { connectError } from "../../../src/Failure.js"
import type { CoreLimits } from "../../../src/pool/CoreLimits.js"
import { Deadlines } from "../../../src/pool/Deadlines.js"
import { exclusive, type Refusal, type Sharing, type Slot, Ticket, unknown } from "../../../src/pool/entities.js"
import { PoolCore } from "../../../src/pool/PoolCore.js"
import type { Action, PoolState } from "../../../src/pool/PoolState.js"
import { UnreadBodies } from "../../../src/pool/UnreadBodies.js"
import { check } from "./check.js"
import { Reference, type RefOrigin, type RefSlot, type RefTicket } from "./Reference.js"

const refused = connectError({ origin: "", reason: "Refused", detail: "connection refused" })

/** How long a body may stay unread, and how long after that the pool looks at last, in milliseconds. */
const unreadBodyGrace = 20
const longestLook = 50

/** What the pool asks a request about its response. */
interface Owner {
  unreadSince: number | undefined
  readonly abandonUnread: () => void
}

/** What an origin of the simulation speaks. */
export const origins: ReadonlyArray<{
  readonly key: string
  readonly group: string
  readonly expected: Sharing
  readonly h2: boolean
}> = [
  { key: "exclusive", group: "exclusive", expected: exclusive, h2: false },
  { key: "shared", group: "two ways", expected: { _tag: "Shared", capacity: Infinity }, h2: true },
  { key: "unknown, h2", group: "unknown", expected: unknown, h2: true },
  { key: "unknown, http/1.1", group: "two ways", expected: unknown, h2: false }
]

/** Why a connection may be closed now, as far as the request in hand says. */
type Because = Map<RefSlot, CloseReason>

/**
 * The core, driven as the driver drives it, side by side with the reference. A step is a call of the core; what it
 * leaves in its actions is reported to the reference, in order, and checked.
 */
export class Simulation {
  readonly core: PoolCore<string>
  readonly reference: Reference
  readonly deadlines: Deadlines
  readonly tickets = new Map<Ticket<string>, RefTicket>()
  readonly slots = new Map<Slot<string>, RefSlot>()
  /** Requests that have come to their end, and connections that the core has let go, for what comes late. */
  readonly ended: Array<Ticket<string>> = []
  readonly gone: Array<Slot<string>> = []
  /** What has happened, and how often. */
  readonly seen = new Map<string, number>()
  steps = 0
  requests = 0
  private stepping = ""
  private wakeAt = Infinity
  private random = 0
  private because: Because = new Map()
  private openBefore = 0
  private readonly unread: UnreadBodies
  /** When it looks for unread bodies. */
  readonly looks: Deadlines
  /** Connections that are being taken back, and since when others should have been. */
  private readonly abandoning = new Set<RefSlot>()
  private readonly overdue = new Map<RefSlot, number>()
  /** Whom a dial that has failed was for. */
  private failing = new Set<RefTicket>()

  constructor(limits: CoreLimits, whenFull: "dial" | "wait", observed: boolean) {
    const onEarlier = (at: number) => {
      this.wakeAt = Math.min(this.wakeAt, at)
    }
    this.deadlines = new Deadlines(onEarlier)
    this.looks = new Deadlines(onEarlier)
    this.reference = new Reference(limits, whenFull)
    this.core = new PoolCore({
      limits,
      deadlines: this.deadlines,
      background: this.deadlines,
      wallClock: () => this.reference.date,
      whenFull,
      dialPatience: 70,
      random: () => (this.random = (this.random + 0.37) % 1)
    })
    this.core.state.observed = observed
    this.unread = new UnreadBodies(
      { deadlines: this.looks, now: () => this.reference.now },
      unreadBodyGrace,
      this.core.state as unknown as PoolState<Connection>
    )
  }

  // ---------------------------------------------------------------------------------------------------------------
  // What can be asked. Each returns without a step when there is nothing to do it to.
  // ---------------------------------------------------------------------------------------------------------------

  request(origin: number, timeout: number, connectTimeout: number, fresh: boolean): void {
    const { key, state } = this.origin(origin)
    const owner: Owner = { unreadSince: undefined, abandonUnread: () => this.abandonsUnread(ticket, ref) }
    const ticket: Ticket<string, Owner> = new Ticket(state, owner, timeout, connectTimeout, fresh)
    const ref: RefTicket = {
      id: this.requests++,
      origin: key,
      timeout,
      arrivedAt: this.reference.now,
      connectTimeout,
      fresh,
      deadline: this.reference.now + timeout,
      connectEnd: Infinity,
      isConnecting: false,
      overdue: false,
      state: "Waiting",
      slot: undefined,
      unreadSince: undefined,
      isRead: false,
      settled: 0
    }
    this.tickets.set(ticket, ref)
    const idle = fresh ? this.reference.idle(key).filter((_) => _.capacity > 0) : []
    this.because = new Map(idle.map((slot) => [slot, "EvictIdle"]))
    const hadWaiters = this.reference.waiters(key).length > 0
    this.reference.tickets.push(ref)
    this.step("request", () => {
      this.core.acquire(ticket, this.reference.now)
      if (ticket.state === "Granted" && ticket.slot !== undefined) {
        // Before other waiters only where they could not use it.
        ok(!hadWaiters, "a newcomer overtakes the queue of its origin")
        const slot = this.slotOf(ticket.slot)
        const shared = this.reference.shared(key)
        const best = shared.length > 0 || fresh ? shared : this.mostRecentlyUsed(key)
        ok(best.includes(slot), "a shared connection first, then the one used last")
        this.saw(`granted at once, ${shared.length > 0 ? "shared" : "idle"}`)
        return this.lends(ticket, ref, slot)
      }
      key.dialsPaused = false
      if (timeout <= 0) {
        ref.overdue = true
        ref.deadline = this.reference.now + connectTimeout
        ref.connectEnd = ref.deadline
      }
    })
    if (idle.length > 0) this.saw("closed, for a request that wants a new connection")
    ok(idle.every((slot) => slot.state === "Closing"), "what is idle is closed for a request that wants none of it")
  }

  abandon(pick: number): void {
    const [ticket, ref] = this.pick(this.tickets, (ref) => ref.state === "Waiting", pick) ?? []
    if (ticket === undefined || ref === undefined) return
    const since = ref.origin.dialAbandonedAt
    this.step("abandon", () => {
      ref.state = "Settled"
      ref.settled++
      ref.overdue = false
      this.core.abandon(ticket, this.reference.now)
    })
    strictEqual(ticket.state, "Settled")
    const goesOn = (slot: RefSlot) => slot.origin === ref.origin && slot.state === "Dialing" && slot.dialedAt > since
    const left = this.reference.spareDials(ref.origin)
    ok(left === 0 || this.reference.slots.some(goesOn), "dials that nobody needs end with the request, once")
    if (left > 0) this.saw("left a dial to who comes next")
  }

  release(pick: number, reusable: boolean, keepFor: number): void {
    const [ticket, ref] = this.pick(this.tickets, (ref) => ref.state === "Granted", pick) ?? []
    if (ticket !== undefined && ref !== undefined) this.releases(ticket, ref, reusable, keepFor)
  }

  private releases(ticket: Ticket<string>, ref: RefTicket, reusable: boolean, keepFor: number): void {
    const slot = ref.slot as RefSlot
    const mayYield = this.mayYield(slot.origin)
    ref.state = "Settled"
    ref.slot = undefined
    slot.busy--
    this.step("release", () => {
      const real = ticket.slot as Slot<string>
      this.core.release(ticket, reusable, keepFor, this.reference.now)
      if (slot.state !== "Ready") return
      const yields = mayYield && this.quantumMayEnd(slot) && real.state !== "Ready" && real.reason === "Evicted"
      const reason = yields ? "Evicted" : this.reasonToClose(slot, reusable)
      if (yields && slot.busy > 0) slot.resumesAt = this.reference.now + this.reference.quantum(slot.origin)
      if (reason !== undefined) this.retires(slot, reason)
      else if (slot.busy === 0 && (slot.capacity === 0 || this.reference.waiters(slot.origin).length === 0)) {
        this.reference.becomesIdle(slot, keepFor)
      }
    })
    strictEqual(ticket.state, "Settled")
  }

  private reasonToClose(slot: RefSlot, reusable: boolean): CloseReason | undefined {
    if (!reusable) return "NotReusable"
    if (slot.served >= this.reference.limits.maxRequestsPerConnection) return "MaxRequests"
    if (this.reference.isOverLimit(slot.origin)) return "LimitLowered"
    return slot.busy === 0 && this.reference.waiters(slot.origin)[0]?.fresh === true ? "Evicted" : undefined
  }

  /** Its response is there, and something of the body is still to come. */
  responds(pick: number): void {
    const fits = (ref: RefTicket) => ref.state === "Granted" && ref.unreadSince === undefined && !ref.isRead
    this.isUnread(pick, fits, (ref) => {
      ref.unreadSince = this.reference.now
    })
  }

  /** Somebody begins to read it. */
  reads(pick: number): void {
    this.isUnread(pick, (ref) => ref.state === "Granted" && ref.unreadSince !== undefined, (ref) => {
      ref.unreadSince = undefined
      ref.isRead = true
    })
  }

  /** Nobody notifies the pool of either. */
  private isUnread(pick: number, fits: (ref: RefTicket) => boolean, change: (ref: RefTicket) => void): void {
    const [ticket, ref] = this.pick(this.tickets, fits, pick) ?? []
    if (ticket === undefined || ref === undefined) return
    change(ref)
    ;(ticket.owner as Owner).unreadSince = ref.unreadSince
  }

  /** The pool takes a connection, or a stream, back from a response that nobody reads. */
  private abandonsUnread(ticket: Ticket<string>, ref: RefTicket): void {
    const { slot, unreadSince } = ref
    ok(ref.state === "Granted" && slot !== undefined && unreadSince !== undefined, "only what nobody has begun to read")
    if (!this.abandoning.has(slot)) {
      const { now } = this.reference
      const { other, own } = this.reference.abandonedAt(slot, unreadBodyGrace)
      ok(now >= own || now >= other, "only when that helps a request that has waited for it")
      this.saw(`abandoned for ${now >= own ? "its own" : "another"} origin`)
      this.abandoning.add(slot)
    }
    this.releases(ticket, ref, slot.origin.sharing._tag === "Shared", Infinity)
  }

  /** As the driver looks after each step; outside of one, for what it abandons is a step. */
  private looksForUnread(look: () => void): void {
    look()
    this.abandoning.clear()
    const { now, slots } = this.reference
    for (const slot of slots) {
      const { other, own } = this.reference.abandonedAt(slot, unreadBodyGrace)
      const since = now >= own || now >= other ? this.overdue.get(slot) ?? now : undefined
      if (since === undefined) this.overdue.delete(slot)
      else this.overdue.set(slot, since)
      ok(
        since === undefined || now - since <= longestLook,
        "a request waits, and an unread body could make room for it"
      )
    }
  }

  /** Giving back twice, abandoning what was never asked for or has been settled: nothing happens. */
  giveBackAgain(pick: number): void {
    const ticket = this.ended[pick % Math.max(1, this.ended.length)]
    if (ticket === undefined) return
    const { state } = ticket
    this.step("give back again", () => {
      this.core.release(ticket, true, Infinity, this.reference.now)
      this.core.abandon(ticket, this.reference.now)
    })
    strictEqual(ticket.state, state)
  }

  dialSucceeds(pick: number, capacity: number, turnsOut: boolean): void {
    const [slot, ref] = this.pick(this.slots, (ref) => ref.state === "Dialing", pick) ?? []
    if (slot === undefined || ref === undefined) return
    const { h2 } = origins.find((_) => _.key === ref.origin.key)!
    const shares = h2 !== turnsOut
    const takes = shares ? capacity : 1
    this.reference.connects(ref, takes)
    ref.origin.sharing = shares ? { _tag: "Shared", capacity: takes } : exclusive
    ref.origin.dialsPaused = takes === 0
    ref.origin.failedDials = 0
    ref.origin.isBackingOff = false
    ref.warming = 0
    if (takes === 0 || this.reference.waiters(ref.origin).length === 0) this.reference.becomesIdle(ref, Infinity)
    this.step("dial succeeds", () => {
      this.core.dialSucceeded(slot, `connection ${slot.id}`, takes, shares, this.reference.now)
    })
  }

  dialFails(pick: number): void {
    const [slot, ref] = this.pick(this.slots, (ref) => ref.state === "Dialing", pick) ?? []
    if (slot === undefined || ref === undefined) return
    const { origin } = ref
    this.retires(ref, "DialFailed")
    const withoutDial = this.reference.waitersWithoutDial(origin)
    origin.dialsPaused = withoutDial > 0 && this.reference.count(["Ready"], origin) > 0
    const failing = origin.dialsPaused ? 0 : Math.min(withoutDial, this.reference.serves(origin))
    origin.failedDials++
    origin.failedAt = this.reference.now
    origin.isBackingOff = true
    this.failing = new Set(this.reference.waiters(origin).slice(0, failing))
    this.step("dial fails", () => this.core.dialFailed(slot, refused, this.reference.now))
    strictEqual(this.failing.size, 0, "the error goes to those it was dialed for")
  }

  /** What comes too late, or twice, changes nothing. */
  late(pick: number): void {
    const [slot] = this.pick(this.slots, (ref) => ref.state === "Closing", pick) ?? []
    const late = slot ?? this.gone[pick % Math.max(1, this.gone.length)]
    if (late === undefined) return
    const before = late.state
    this.step("late", () => {
      this.core.dialSucceeded(late, "late", 1, false, this.reference.now)
      this.core.dialFailed(late, refused, this.reference.now)
      this.core.capacityChanged(late, 3, this.reference.now)
      this.core.draining(late, this.reference.now)
      this.core.lost(late, "Failed", this.reference.now)
      if (before === "Closed") this.core.closed(late, this.reference.now)
    })
    strictEqual(late.state, before)
  }

  capacity(pick: number, capacity: number): void {
    const fits = (ref: RefSlot) =>
      (ref.state === "Ready" || ref.resumesAt !== undefined) && ref.capacity !== capacity &&
      ref.origin.sharing._tag === "Shared"
    const [slot, ref] = this.pick(this.slots, fits, pick) ?? []
    if (slot === undefined || ref === undefined) return
    const wasAvailable = ref.capacity > 0
    ref.capacity = capacity
    if (ref.state === "Draining") {
      return this.step("capacity", () => this.core.capacityChanged(slot, capacity, this.reference.now))
    }
    if (capacity > 0) {
      ref.origin.dialsPaused = false
      ref.origin.sharing = { _tag: "Shared", capacity }
    }
    if (!wasAvailable || capacity === 0) this.reference.mayBecomeAvailable(ref)
    this.step("capacity", () => this.core.capacityChanged(slot, capacity, this.reference.now))
  }

  draining(pick: number): void {
    const fits = (ref: RefSlot) => ref.state === "Ready" || ref.resumesAt !== undefined
    const [slot, ref] = this.pick(this.slots, fits, pick) ?? []
    if (slot === undefined || ref === undefined) return
    ref.resumesAt = undefined
    this.retires(ref, "ClosedByPeer")
    this.step("draining", () => this.core.draining(slot, this.reference.now))
  }

  lost(pick: number): void {
    const [slot, ref] = this.pick(this.slots, (ref) => ref.state === "Ready" || ref.state === "Draining", pick) ?? []
    if (slot === undefined || ref === undefined) return
    this.retires(ref, "ClosedByPeer")
    this.step("lost", () => this.core.lost(slot, "ClosedByPeer", this.reference.now))
  }

  closes(pick: number): void {
    const [slot, ref] = this.pick(this.slots, (ref) => ref.state === "Closing", pick) ?? []
    if (slot === undefined || ref === undefined) return
    if (ref.wasReady) ref.origin.dialsPaused = false
    this.forget(slot, ref)
    this.step("closed", () => this.core.closed(slot, this.reference.now))
  }

  /** Its scope ends without the core having asked. */
  vanishes(pick: number): void {
    const [slot, ref] = this.pick(this.slots, (ref) => ref.state === "Ready" || ref.state === "Dialing", pick) ?? []
    if (slot === undefined || ref === undefined) return
    if (ref.wasReady) ref.origin.dialsPaused = false
    this.forget(slot, ref)
    this.step("vanishes", () => this.core.closed(slot, this.reference.now))
  }

  advance(millis: number): void {
    const end = this.reference.now + millis
    for (let wakes = 0; this.wakeAt <= end; wakes++) {
      ok(wakes < 1000, "it wakes again and again for nothing")
      this.reference.now = Math.max(this.reference.now, this.wakeAt)
      this.wakeAt = Infinity
      this.step("time passes", () => {
        this.deadlines.expire(this.reference.now)
      })
      this.looksForUnread(() => this.looks.expire(this.reference.now))
    }
    this.reference.now = end
    this.step("time passes", () => {})
    ok(this.deadlines.earliest() > end, "a deadline that is due was not announced")
  }

  /** Forward or back: no deadline moves, and what waits goes on waiting. */
  setWallClock(millis: number): void {
    const before = this.deadlines.earliest()
    this.step("the wall clock is set", () => {
      this.reference.wallClockOffset += millis
    })
    strictEqual(this.deadlines.earliest(), before)
  }

  setLimits(limits: CoreLimits): void {
    this.reference.takesLimits(limits)
    this.step("limits", () => this.core.setLimits(limits, this.reference.now))
    const { reference } = this
    for (const origin of reference.all()) {
      ok(reference.idle(origin).length === 0 || !reference.isOverLimit(origin), "what is idle closes first")
    }
    ok(reference.idle().length <= limits.maxKeepAliveConnections, "and what is more than may be kept")
  }

  warm(origin: number, count: number): void {
    const { key, state } = this.origin(origin)
    let dialed: ReadonlyArray<Slot<string>> = []
    const made = this.reference.share(key) - this.reference.dials(key)
    this.step("warm", () => {
      dialed = this.core.warm(state, count, this.reference.now)
      this.observePlanned()
      for (const slot of dialed) this.slotOf(slot).warming++
    })
    const { limits } = this.reference
    ok(dialed.length === 0 || made + dialed.length <= count, "no more than asked for")
    if (this.reference.isClosed || this.reference.share(key) >= count) return
    const all = ["Planned", "Dialing", "Ready", "Draining", "Closing"] as const
    const full = this.reference.countOfGroup(all, key) >= limits.maxConnectionsPerOrigin
    ok(full || !this.reference.hasRoom(), "as many as asked for, unless a limit says no")
  }

  stopWarming(pick: number): void {
    const [slot, ref] = this.pick(this.slots, (ref) => ref.warming > 0, pick) ?? []
    if (slot === undefined || ref === undefined) return
    const spareDials = this.reference.spareDials(ref.origin)
    ref.warming--
    this.step("stop warming", () => this.core.stopWarming([slot], this.reference.now))
    ok(this.reference.spareDials(ref.origin) <= spareDials, "a connection that nobody needs is not made")
  }

  evictIdle(): void {
    const idle = this.reference.idle().length
    this.because = new Map(this.reference.idle().map((slot) => [slot, "EvictIdle"]))
    this.step("evict idle", () => strictEqual(this.core.evictIdle(this.reference.now), idle))
    strictEqual(this.reference.idle().length, 0)
  }

  close(): void {
    this.reference.isClosed = true
    for (const origin of this.reference.all()) origin.isBackingOff = false
    for (const slot of this.reference.slots) if (slot.state === "Ready") slot.state = "Draining"
    this.step("close", () => this.core.close(this.reference.now))
    strictEqual(this.reference.waiters().length, 0)
    strictEqual(this.reference.count(["Planned", "Dialing", "Ready"]), 0)
  }

  abort(): void {
    if (!this.reference.isClosed) return
    this.step("abort", () => this.core.abort())
    strictEqual(this.reference.count(["Planned", "Dialing", "Ready", "Draining"]), 0)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Steps
  // ---------------------------------------------------------------------------------------------------------------

  private step(name: string, run: () => void): void {
    this.steps++
    this.stepping = name
    this.openBefore = this.reference.open()
    run()
    this.observePlanned()
    this.observeResumed()
    const { actions } = this.core.state
    for (const action of actions) this.observe(action)
    actions.length = 0
    this.because = new Map()
    for (const [slot, ref] of this.slots) {
      // A busy connection is retired without a word.
      if (slot.state === "Draining" && ref.state === "Ready" && slot.reason === "MaxAge") {
        ok(this.reference.now >= ref.mayAgeAt, "not before its age")
        this.saw("retired, MaxAge")
        ref.state = "Draining"
      }
      if (slot.state === "Draining" && ref.state === "Ready" && slot.reason === "MaxRequests") {
        ok(this.stepping === "limits" && ref.served >= this.reference.limits.maxRequestsPerConnection)
        this.saw("retired, MaxRequests, by other limits")
        ref.state = "Draining"
      }
    }
    this.observeBackoffs()
    this.reference.startConnecting()
    for (const ticket of this.reference.waiters()) ticket.overdue ||= ticket.deadline <= this.reference.now
    check(this, name, this.openBefore)
    this.forgetEnded()
    if (this.abandoning.size > 0) this.unread.check()
    else this.looksForUnread(() => this.unread.check())
  }

  /** A connection that made room takes requests again when what it carries has outlasted a quantum. */
  private observeResumed(): void {
    for (const [slot, ref] of this.slots) {
      const { resumesAt } = ref
      if (resumesAt === undefined) continue
      // Or it drains again, for what it was lent or how old it is.
      const hasResumed = slot.state === "Ready" || (slot.state === "Draining" && slot.reason !== "Evicted")
      if (!hasResumed && slot.state === "Draining" && this.reference.now >= resumesAt) {
        ok(this.drainsForGood(ref), "it drains for ever, for what it carries outlasts the patience of others")
        ref.resumesAt = undefined
      }
      if (!hasResumed) continue
      ok(this.stepping === "time passes" && ref.state === "Draining" && ref.busy > 0, "it had no need to")
      ok(this.reference.now >= resumesAt && !this.drainsForGood(ref), "it takes requests again too soon")
      this.saw("took requests again")
      ref.state = "Ready"
      ref.resumesAt = undefined
      this.reference.limitsAge(ref)
    }
  }

  private drainsForGood(slot: RefSlot): boolean {
    return this.reference.isClosed || this.reference.isOverLimit(slot.origin) ||
      slot.served >= this.reference.limits.maxRequestsPerConnection
  }

  private forgetEnded(): void {
    for (const [ticket, ref] of this.tickets) {
      if (ref.state === "Waiting" || ref.state === "Granted") continue
      strictEqual(ticket.slot, undefined)
      this.tickets.delete(ticket)
      this.ended.push(ticket)
    }
    this.reference.tickets = this.reference.tickets.filter((_) => _.state === "Waiting" || _.state === "Granted")
  }

  private observe(action: Action<string>): void {
    switch (action._tag) {
      case "Grant": {
        const ticket = this.tickets.get(action.ticket)!
        strictEqual(ticket, this.reference.waiters(ticket.origin)[0], "first come, first served")
        const slot = this.slotOf(action.slot)
        if (ticket.fresh && slot.served === 0) this.saw("granted after waiting, new as asked for")
        // A connection that reports its capacity is alive.
        else ok(!ticket.fresh || slot.busy > 0 || this.stepping === "capacity", "a connection that will not do")
        this.saw(ticket.overdue ? "granted after its time was up" : "granted after waiting")
        return this.lends(action.ticket, ticket, slot)
      }
      case "Refuse":
        return this.refuses(this.tickets.get(action.ticket)!, action.refusal)
      case "Dial": {
        const slot = this.slotOf(action.slot)
        strictEqual(slot.state, "Planned")
        ok(slot.warming > 0 || this.reference.spareDials(slot.origin) === 0, "nobody needs this dial any more")
        ok(this.reference.open() < this.reference.limits.maxConnections, "a dial needs a permit")
        ok(
          this.reference.countOfGroup(["Dialing", "Ready", "Draining", "Closing"], slot.origin) <
            this.reference.limits.maxConnectionsPerOrigin,
          "and one of its origin"
        )
        slot.state = "Dialing"
        slot.dialedAt = this.reference.now
        return
      }
      case "Close":
        return this.closing(action.slot)
      case "Emit":
        ok(this.core.state.observed)
    }
  }

  private lends(ticket: Ticket<string>, ref: RefTicket, slot: RefSlot): void {
    const { now } = this.reference
    strictEqual(ticket.reused, slot.served > 0)
    strictEqual(ticket.grantedAt, now)
    strictEqual(ticket.idleTime, slot.busy === 0 && slot.idleSince !== undefined ? now - slot.idleSince : 0)
    this.reference.lends(slot, ref)
  }

  private refuses(ticket: RefTicket, refusal: Refusal): void {
    const { now } = this.reference
    const position = this.reference.waiters(ticket.origin).indexOf(ticket) + 1
    switch (refusal._tag) {
      case "PoolTimeout":
        ok(now >= ticket.deadline || ticket.overdue, "not before its time")
        ok(position > this.reference.underWay(ticket.origin), "a request that a dial is under way for goes on")
        strictEqual(refusal.waited, now - ticket.arrivedAt)
        strictEqual(refusal.position, position)
        break
      case "ConnectTimeout":
        ok(now >= ticket.connectEnd, "not before its own time to connect")
        ok(position <= this.reference.underWay(ticket.origin), "a dial was under way for it")
        strictEqual(refusal.timeout, ticket.connectTimeout)
        break
      case "PoolClosed":
        ok(this.reference.isClosed)
        break
      case "PoolQueueFull":
        strictEqual(ticket.id, this.requests - 1, "only who comes last")
        ok(
          this.reference.all().reduce((n, origin) => n + this.reference.waitersWithoutDial(origin), 0) >
            this.reference.limits.maxPendingRequests
        )
        break
      case "DialFailed":
        strictEqual(refusal.failure, refused)
        ok(
          this.failing.has(ticket) || (ticket.overdue && position > this.reference.underWay(ticket.origin)) ||
            // It waited for the next attempt.
            (ticket.origin.failedDials > 0 && position > this.reference.underWay(ticket.origin) &&
              (ticket.deadline <= now || this.backoffMayEnd(ticket.origin)))
        )
        this.failing.delete(ticket)
    }
    this.saw(`refused, ${refusal._tag}`)
    this.reference.refuses(ticket)
  }

  private closing(slot: Slot<string>): void {
    const ref = this.slotOf(slot)
    const { reference } = this
    const { limits } = reference
    const reason = slot.reason
    this.saw(ref.state === "Planned" ? `planned and dropped, ${reason}` : `closed, ${reason}`)
    if (reason === "DialAbandoned") {
      ok(reference.spareDials(ref.origin) > 0 && ref.warming === 0, "only a dial that nobody needs is abandoned")
    }
    if (reason === "Expired" && reference.now < ref.expiresAt) this.saw("closed, too old by its date")
    if (ref.state === "Planned") return this.forget(slot, ref)
    const idle = ref.state === "Ready" && ref.busy === 0
    const expected = this.because.get(ref)
    const legal = (): boolean => {
      switch (reason) {
        case "Expired":
          return idle &&
            (reference.now >= ref.expiresAt || (this.stepping === "request" && reference.isTooOldByDate(ref)))
        case "MaxAge":
          return reference.now >= ref.mayAgeAt
        case "MaxRequests":
          return ref.served >= limits.maxRequestsPerConnection
        case "KeepAliveLimit":
          return reference.idle()[0] === ref && reference.idle().length > limits.maxKeepAliveConnections
        case "Evicted":
          return idle && (reference.idle()[0] === ref || this.makesRoomInGroup(ref))
        case "LimitLowered":
          return reference.isOverLimit(ref.origin) || reference.idle().length > limits.maxKeepAliveConnections
        case "DialAbandoned":
          ref.origin.dialAbandonedAt = Math.min(ref.origin.dialAbandonedAt, reference.now)
          return ref.state === "Dialing"
        case "PoolClosed":
          return reference.isClosed
        default:
          return ref.state === "Draining"
      }
    }
    // A connection that drains says why when it closes.
    ok(
      expected === reason || ref.state === "Draining" || legal(),
      `${reason} is no reason to close connection ${ref.id}`
    )
    ok(ref.busy === 0 || expected === "ClosedByPeer" || reference.isClosed, "a busy connection is never cut")
    ref.state = "Closing"
    ref.warming = 0
    ref.resumesAt = undefined
  }

  /** Of the ways to a server, the connection that is idle longest makes room for those that wait for another way. */
  private makesRoomInGroup(slot: RefSlot): boolean {
    const { reference } = this
    const idle = reference.idle().filter(({ capacity, origin }) => capacity > 0 && origin.group === slot.origin.group)
    const isBackingOff = (origin: RefOrigin) => origin.isBackingOff && !this.backoffMayEnd(origin)
    const makesRoom = reference.crowdedOut(slot.origin, isBackingOff) > 0 && idle[0] === slot
    if (makesRoom) this.saw("closed, for another way to the server")
    return makesRoom
  }

  /** After the n-th failure in a row for 100 ms × 2^(n-1), at most 10 s, a fifth more or less. */
  private backoffMayEnd({ failedAt, failedDials }: RefOrigin): boolean {
    return this.reference.now - failedAt >= 0.8 * Math.min(10_000, 100 * 2 ** (failedDials - 1)) - 1e-6
  }

  private observeBackoffs(): void {
    for (const ref of this.reference.all()) {
      const origin = this.core.state.origins.get(ref.key)
      if (origin === undefined || this.reference.isClosed) continue
      if (ref.isBackingOff && !origin.isBackingOff) {
        ok(this.backoffMayEnd(ref), "it takes from others too soon after a failure")
        ref.isBackingOff = false
        this.saw("tried again after a failure")
      }
      const longest = 1.2 * Math.min(10_000, 100 * 2 ** (ref.failedDials - 1))
      if (ref.isBackingOff) ok(this.reference.now - ref.failedAt <= longest, "it backs off for too long")
    }
  }

  private retires(slot: RefSlot, reason: CloseReason): void {
    this.saw(`retired, ${reason}`)
    slot.state = "Draining"
    this.because.set(slot, reason)
  }

  /**
   * Whether a connection that is given back may have to make room: an origin has less than this one. Which origin is next,
   * is for the core to say.
   */
  private mayYield(origin: RefOrigin): boolean {
    const { reference } = this
    const share = reference.share(origin)
    return reference.crowdedOut(origin) > 0 ||
      reference.all().some((other) =>
        other !== origin && reference.wantedDials(other) > 0 &&
        (reference.share(other) === 0 || reference.share(other) + 1 < share)
      )
  }

  /** A connection is not taken from its origin before a quantum, unless somebody cannot wait: churn is bounded by that. */
  private quantumMayEnd(slot: RefSlot): boolean {
    const { now } = this.reference
    const isNeeded = slot.busy > 0 || this.reference.waiters(slot.origin).length > 0
    return now - slot.connectedAt >= this.reference.quantum(slot.origin) ||
      (!isNeeded && this.reference.crowdedOut(slot.origin) > 0) ||
      this.reference.waiters().some((ticket) =>
        ticket.origin !== slot.origin && now - ticket.arrivedAt >= ticket.timeout / 2
      )
  }

  private saw(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1)
  }

  private mostRecentlyUsed(origin: RefOrigin): ReadonlyArray<RefSlot> {
    const available = this.reference.idle(origin).filter((_) => _.capacity > 0 && !this.reference.isTooOldByDate(_))
    return available.sort((x, y) => y.availableOrder - x.availableOrder).slice(0, 1)
  }

  private observePlanned(): void {
    for (const slot of this.core.state.planned) this.slotOf(slot)
  }

  private origin(index: number) {
    const { expected, group, key } = origins[index % origins.length]
    const state = this.core.state.origin(key, expected, group)
    let ref = this.reference.origins.get(key)
    if (ref === undefined) {
      ref = {
        key,
        group,
        sharing: expected,
        dialsPaused: false,
        failedDials: 0,
        failedAt: 0,
        isBackingOff: false,
        lastDialTime: 0,
        dialAbandonedAt: Infinity
      }
      this.reference.origins.set(key, ref)
    }
    return { key: ref, state }
  }

  slotOf(slot: Slot<string>): RefSlot {
    let ref = this.slots.get(slot)
    if (ref === undefined) {
      ref = {
        id: slot.id,
        origin: this.reference.origins.get(slot.origin.key)!,
        warming: 0,
        state: "Planned",
        wasReady: false,
        capacity: 0,
        busy: 0,
        served: 0,
        idleOrder: 0,
        availableOrder: 0,
        idleSince: undefined,
        idleSinceDate: 0,
        keepFor: Infinity,
        connectedAt: 0,
        dialedAt: 0,
        resumesAt: undefined,
        expiresAt: Infinity,
        mayAgeAt: Infinity,
        agesAt: Infinity
      }
      this.slots.set(slot, ref)
      this.reference.slots.push(ref)
    }
    return ref
  }

  private forget(slot: Slot<string>, ref: RefSlot): void {
    ref.state = "Closing"
    ref.warming = 0
    this.slots.delete(slot)
    this.reference.slots = this.reference.slots.filter((_) => _ !== ref)
    this.gone.push(slot)
  }

  private pick<K, V>(from: Map<K, V>, fits: (value: V) => boolean, pick: number): [K, V] | undefined {
    const fitting = [...from].filter(([_, value]) => fits(value))
    return fitting.length === 0 ? undefined : fitting[pick % fitting.length]
  }
}
