import type { Connection } from "../Connection.js"
import type { DialStage } from "../DialStage.js"
import * as Failure from "../Failure.js"
import type { Cancel, Host, OpenHandle } from "../Host.js"
import type { Origin } from "../Origin.js"
import { Coalescing, type CoalescingPool } from "./Coalescing.js"
import type { CoreLimits } from "./CoreLimits.js"
import { Deadline } from "./Deadlines.js"
import { Deliveries } from "./Deliveries.js"
import {
  exclusive,
  type OriginState,
  type Refusal,
  type Sharing,
  type Slot,
  Ticket,
  unknown as unknownProtocol
} from "./entities.js"
import type { Event } from "./Event.js"
import { EventHub } from "./EventHub.js"
import type { LeaseOwner, LeaseTicket } from "./LeaseOwner.js"
import { PoolCore } from "./PoolCore.js"
import type { Action } from "./PoolState.js"
import type { Share } from "./Share.js"
import { SlotEvents, type SlotObserver } from "./SlotEvents.js"
import { snapshotOf } from "./snapshot.js"
import { Timekeeper } from "./Timekeeper.js"
import { UnreadBodies } from "./UnreadBodies.js"

export interface DriverOptions {
  readonly limits: CoreLimits
  /** How long `warm` waits for connections, in milliseconds; requests have their own. */
  readonly connectTimeout: number
  readonly whenFull: "dial" | "wait"
  /** How long a body that holds a connection may stay unread while others wait, in milliseconds. */
  readonly unreadBodyGrace: number
  /** Undefined where it is all of the pool. */
  readonly share?: Share | undefined
}

/** How far a dial is. */
type Stage = () => DialStage | undefined

/** The server is not to close an idle connection while a request is on its way to it. */
const keepAliveMargin = 1000

/**
 * Carries out what the core decides: has the host open and close connections, notifies waiters. It decides
 * nothing. Whatever happens to the pool is one synchronous step of the core, followed by `carryOut`.
 */
export class PoolDriver implements CoalescingPool, SlotObserver {
  readonly core: PoolCore<Connection>
  readonly time: Timekeeper
  /** Expiry and age. */
  private readonly background: Timekeeper
  readonly events: EventHub
  private readonly unread: UnreadBodies
  /** Undefined where origins never share connections. */
  private readonly coalescing: Coalescing | undefined
  private readonly deliveries: Deliveries
  /** Where the requests of an origin go. The core does not need to know. */
  private readonly origins = new WeakMap<OriginState<Connection>, Origin>()
  /** Connections that are being made, or are open: what ends them. */
  private readonly opened = new Map<Slot<Connection>, OpenHandle>()
  /** What the dial of an origin that began last is doing, for an error. */
  private readonly stages = new WeakMap<OriginState<Connection>, { slot: Slot<Connection>; stage: Stage }>()
  /** Calls of `warm` that wait for a dial, and its failure if it fails. */
  private readonly dialWatchers = new Map<Slot<Connection>, Set<(failure?: Failure.Failure) => void>>()
  /** Requests that wait to be sent again. */
  private readonly pauses = new Set<Deadline<PoolDriver>>()
  private onEmpty: (() => void) | undefined = undefined
  private isCarryingOut = false

  constructor(readonly host: Host, readonly options: DriverOptions) {
    this.time = new Timekeeper(host, () => this.carryOut(), false)
    this.background = new Timekeeper(host, () => this.carryOut(), true)
    this.core = new PoolCore({
      limits: options.limits,
      deadlines: this.time.deadlines,
      background: this.background.deadlines,
      wallClock: () => host.wallClock(),
      whenFull: options.whenFull,
      dialPatience: options.connectTimeout,
      random: host.random,
      numbers: options.share?.numbers
    })
    this.deliveries = new Deliveries(
      host,
      (cause) => host.reportDefect("a waiter threw when it was notified", cause)
    )
    this.events = new EventHub(
      (observed) => {
        this.core.state.observed = observed
      },
      (cause) => host.reportDefect("a listener to events threw", cause)
    )
    this.unread = new UnreadBodies(this.time, options.unreadBodyGrace, this.core.state)
    const { coalesce } = host
    this.coalescing = coalesce === undefined
      ? undefined
      : new Coalescing(this, host, coalesce, options.connectTimeout)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The path of a request: these three are all that it needs of the pool.
  // ---------------------------------------------------------------------------------------------------------------

  /**
   * Asks for a connection. Afterwards the ticket is `Granted`, or its owner is notified later. `fresh`: see `Ticket`.
   */
  request(
    origin: Origin,
    owner: LeaseOwner,
    timeout: number,
    connectTimeout: number,
    fresh = false
  ): LeaseTicket {
    const { coalescing } = this
    const state = coalescing === undefined || fresh || owner.sharesConnections === false
      ? this.originState(origin)
      : coalescing.stateOf(origin)
    const ticket: LeaseTicket = new Ticket(state, owner, timeout, connectTimeout, fresh)
    this.core.acquire(ticket, this.time.now())
    if (coalescing !== undefined && ticket.state === "Granted") coalescing.serves(ticket)
    this.carryOut()
    return ticket
  }

  /** Gives the connection back; harmless when it has been. */
  release(ticket: LeaseTicket, now = this.time.now()): void {
    const connection = ticket.slot?.connection
    if (connection === undefined) return
    const hint = connection.keepAliveHint
    this.core.release(
      ticket,
      connection.reusable,
      hint === undefined ? Infinity : hint - keepAliveMargin,
      now
    )
    this.carryOut()
  }

  /** Its owner no longer wants it, whether it waits or has been granted or refused meanwhile. It is not notified. */
  abandon(ticket: LeaseTicket, now = this.time.now()): void {
    if (ticket.state === "Granted") return this.release(ticket, now)
    // A refusal that has not been delivered is not delivered any more.
    if (ticket.state === "Refused") ticket.state = "Settled"
    this.core.abandon(ticket, now)
    this.carryOut()
  }

  /**
   * The ticket has waited for the pool for as long as its owner allows: it is refused with `PoolTimeout`, unless a dial is
   * under way for it. For owners that keep the time themselves.
   */
  poolTimeUp(ticket: LeaseTicket): void {
    this.step((core, now) => core.poolTimeUp(ticket, now))
  }

  /** The origin is never to share connections of others again: a server has said so (RFC 9110 §15.5.20). */
  excludeFromCoalescing(origin: Origin): void {
    this.coalescing?.exclude(origin)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Operations
  // ---------------------------------------------------------------------------------------------------------------

  /**
   * Dials until the origin has `count` connections, as far as the limits allow. `onEnd` is called once: when they are
   * there, or with the first failure. The result abandons the dials that nobody else waits for.
   */
  warm(origin: Origin, count: number, onEnd: (failure?: Failure.Failure) => void): Cancel {
    if (this.core.state.phase !== "Open") {
      onEnd(Failure.poolClosed({ origin: origin.href }))
      return () => {}
    }
    const connectTimeout = origin.route?.timeouts?.connect ?? this.options.connectTimeout
    let dialed: ReadonlyArray<Slot<Connection>> = []
    let left = 0
    let isOver = false
    const end = (failure?: Failure.Failure) => {
      if (isOver) return
      isOver = true
      this.time.deadlines.cancel(deadline)
      onEnd(failure)
    }
    const onDialEnded = (failure?: Failure.Failure) => {
      left--
      if (failure !== undefined || left === 0) end(failure)
    }
    const cancel = () => {
      isOver = true
      this.time.deadlines.cancel(deadline)
      const wanted = dialed.filter((slot) => this.dialWatchers.get(slot)?.delete(onDialEnded))
      this.step((core, now) => core.stopWarming(wanted, now))
    }
    const deadline = new Deadline<PoolDriver>(this, () => {
      const stage = this.stageOf(this.originState(origin))
      end(Failure.connectTimeout({ origin: origin.href, timeout: connectTimeout, stage }))
      cancel()
    })
    this.step((core, now) => {
      dialed = core.warm(this.originState(origin), count, now)
      left = dialed.length
      // Before the step is carried out: a dial may take no time.
      for (const slot of dialed) this.watch(slot, onDialEnded)
      if (left > 0) this.time.deadlines.set(deadline, connectTimeout, now)
    })
    if (dialed.length === 0) end()
    return cancel
  }

  setLimits(limits: CoreLimits): void {
    this.step((core, now) => core.setLimits(limits, now))
  }

  evictIdle(): number {
    return this.step((core, now) => core.evictIdle(now))
  }

  /** Calls back once, after so many milliseconds, or when the pool is closed before. */
  pause(millis: number, then: () => void): Cancel {
    const pause = new Deadline<PoolDriver>(this, () => {
      this.pauses.delete(pause)
      then()
    })
    this.pauses.add(pause)
    this.time.deadlines.set(pause, millis, this.time.now())
    return () => {
      this.pauses.delete(pause)
      this.time.deadlines.cancel(pause)
    }
  }

  /**
   * Ends the pool: refuses waiters, closes what is idle, gives the rest `drainTimeout`, then closes it. `onEmpty`
   * is called when every permit is back. The result ends the draining at once.
   */
  shutdown(drainTimeout: number, onEmpty: () => void): () => void {
    this.step((core, now) => core.close(now))
    this.coalescing?.stop()
    for (const pause of this.pauses) {
      this.time.deadlines.cancel(pause)
      pause.onDeadline(this, this.time.now())
    }
    const draining = new Deadline<PoolDriver>(this, (driver) => driver.step((core) => core.abort()))
    const abort = () => {
      this.time.deadlines.cancel(draining)
      this.step((core) => core.abort())
    }
    this.onEmpty = () => {
      this.time.stop()
      this.background.stop()
      this.time.deadlines.cancel(draining)
      this.deliveries.add(() => this.events.close())
      this.deliveries.schedule()
      onEmpty()
    }
    if (this.core.state.open === 0) this.onEmpty()
    else if (drainTimeout > 0) this.time.deadlines.set(draining, drainTimeout, this.time.now())
    else abort()
    return abort
  }

  // ---------------------------------------------------------------------------------------------------------------

  /** One step of the core, and what follows from it. */
  step<A>(decide: (core: PoolCore<Connection>, now: number) => A): A {
    const result = decide(this.core, this.time.now())
    this.carryOut()
    return result
  }

  originState(origin: Origin): OriginState<Connection> {
    const known = this.core.state.origins.get(origin.key)
    if (known !== undefined) return known
    const { key, route } = origin
    const state = this.core.state.origin(key, this.expectedSharing(origin), route?.limitKey, route?.limits)
    this.origins.set(state, origin)
    return state
  }

  emit(event: Event): void {
    if (!this.core.state.observed) return
    this.core.state.emit(event)
    this.carryOut()
  }

  /** The failure that a refusal is for whoever asked. */
  failureOf(ticket: LeaseTicket, refusal: Refusal): Failure.Failure {
    const origin = ticket.owner.wanted.href
    const pool = () => snapshotOf(this.core.state, ticket, this.time.now(), this.options.share)
    switch (refusal._tag) {
      case "PoolTimeout": {
        const { position, waited } = refusal
        return Failure.poolTimeout({ origin, waited, position, pool: pool() })
      }
      case "PoolQueueFull": {
        const { maxPendingRequests } = this.core.state.limits
        return Failure.poolQueueFull({ origin, maxPendingRequests, pool: pool() })
      }
      case "ConnectTimeout":
        return Failure.connectTimeout({ origin, timeout: refusal.timeout, stage: this.stageOf(ticket.origin) })
      case "PoolClosed":
        return Failure.poolClosed({ origin })
      case "DialFailed":
        return Failure.about(Failure.lastTried(refusal.failure, refusal.ago), origin)
    }
  }

  private expectedSharing(origin: Origin): Sharing {
    switch (this.host.protocol(origin)) {
      case "http/1.1":
        return exclusive
      case "h2":
        // How many requests it will carry is known when it is there; until then one connection is enough.
        return { _tag: "Shared", capacity: Infinity }
      case "unknown":
        return unknownProtocol
    }
  }

  /** Carries out what the core has decided. A step that an action leads to adds to the same list. */
  private carryOut(): void {
    if (this.isCarryingOut) return
    const { actions } = this.core.state
    if (actions.length > 0) {
      this.isCarryingOut = true
      for (let i = 0; i < actions.length; i++) this.act(actions[i])
      actions.length = 0
      this.isCarryingOut = false
      this.deliveries.schedule()
    }
    this.unread.check()
  }

  private act(action: Action<Connection>): void {
    switch (action._tag) {
      case "Grant":
        return this.grant(action.ticket as LeaseTicket)
      case "Refuse":
        return this.refuse(action.ticket as LeaseTicket, action.refusal)
      case "Dial":
        return this.dial(action.slot)
      case "Close":
        return this.close(action.slot)
      case "Emit":
        return this.deliveries.add(() => this.events.emit(action.event))
    }
  }

  private grant(ticket: LeaseTicket): void {
    if (this.coalescing?.serves(ticket) === false) return this.afterReroute(ticket)
    this.deliveries.add(() => {
      const { grantedAt, owner, slot, state, waitingSince } = ticket
      // Given up between the decision and its delivery: the connection is another one's by now.
      if (state !== "Granted" || slot === undefined) return
      this.host.meter?.waited(owner.wanted, grantedAt - waitingSince)
      inContextOf(owner, () => owner.granted(ticket, slot))
    })
  }

  private refuse(ticket: LeaseTicket, refusal: Refusal): void {
    if (this.coalescing?.concerns(ticket, refusal) === false) return this.afterReroute(ticket)
    // What its failure shows is the pool that refused it.
    const failure = this.failureOf(ticket, refusal)
    this.deliveries.add(() => {
      const { owner, state } = ticket
      if (state !== "Refused") return
      this.host.meter?.refused(owner.wanted, failure)
      inContextOf(owner, () => owner.refused(ticket, failure))
    })
  }

  /** It asked again, and there may have been a connection for it; whatever comes later is an action as any other. */
  private afterReroute(ticket: LeaseTicket): void {
    if (ticket.state === "Granted") this.grant(ticket)
  }

  private dial(slot: Slot<Connection>): void {
    const handle = this.host.open(this.originOf(slot), new SlotEvents(this, slot))
    // It may be over by now.
    if (slot.state !== "Closed") this.opened.set(slot, handle)
  }

  get patience(): number {
    return this.options.connectTimeout
  }

  connected(slot: Slot<Connection>, connection: Connection, wasLost: boolean): void {
    if (slot.state !== "Dialing") return
    if (wasLost) return this.dialFailed(slot, closedAtOnce(this.originOf(slot)))
    const shares = connection.protocol === "h2"
    this.step((core, now) => core.dialSucceeded(slot, connection, connection.capacity, shares, now))
    this.dialEnded(slot)
  }

  dialFailed(slot: Slot<Connection>, given: Failure.Failure): void {
    const failure = this.withOwnLimit(given)
    this.host.meter?.dialFailed(this.originOf(slot), failure)
    // First: closing what is left of it ends the dial as well, and knows no failure.
    this.dialEnded(slot, failure)
    this.step((core, now) => core.dialFailed(slot, failure, now))
  }

  /** Who has to choose between the limit of the process and that of the pool has to know both. */
  private withOwnLimit(failure: Failure.Failure): Failure.Failure {
    if (failure._tag !== "ConnectError" || failure.reason !== "ProcessLimit") return failure
    const { addresses, cause, detail, origin, reason } = failure
    const { limits: { maxConnections }, open } = this.core.state
    const connections = this.options.share?.totals() ?? { open, maxConnections }
    return Failure.connectError({ addresses, cause, connections, detail, origin, reason })
  }

  dialing(slot: Slot<Connection>, stage: Stage): void {
    this.stages.set(slot.origin, { slot, stage })
  }

  private stageOf(origin: OriginState<Connection>): DialStage | undefined {
    return this.stages.get(origin)?.stage()
  }

  private dialEnded(slot: Slot<Connection>, failure?: Failure.Failure): void {
    if (this.stages.get(slot.origin)?.slot === slot) this.stages.delete(slot.origin)
    const watchers = this.dialWatchers.get(slot)
    if (watchers === undefined) return
    this.dialWatchers.delete(slot)
    for (const notify of watchers) notify(failure)
  }

  private watch(slot: Slot<Connection>, onEnd: (failure?: Failure.Failure) => void): void {
    const watchers = this.dialWatchers.get(slot)
    if (watchers === undefined) this.dialWatchers.set(slot, new Set([onEnd]))
    else watchers.add(onEnd)
  }

  private close(slot: Slot<Connection>): void {
    // A limit that leaves no room for it is no failure: `warm` makes what the limits allow.
    const failure = slot.reason === "PoolClosed"
      ? Failure.poolClosed({ origin: this.originOf(slot).href })
      : undefined
    if (slot.reason === "DialAbandoned") this.countTimeout(slot)
    this.dialEnded(slot, failure)
    this.opened.get(slot)?.close()
  }

  /** Whoever waited for a dial that took too long has an error of its own; to an alarm it is a dial that failed. */
  private countTimeout(slot: Slot<Connection>): void {
    const { host: { meter }, options: { connectTimeout: timeout } } = this
    if (meter === undefined || this.time.now() - slot.dialedAt < timeout) return
    const origin = this.originOf(slot)
    meter.dialFailed(origin, Failure.connectTimeout({ origin: origin.href, timeout, stage: this.stageOf(slot.origin) }))
  }

  gone(slot: Slot<Connection>): void {
    this.dialEnded(slot)
    this.opened.delete(slot)
    this.step((core, now) => {
      if (slot.connection !== undefined) {
        this.host.meter?.closed(this.originOf(slot), now - slot.connectedAt, slot.reason)
      }
      core.closed(slot, now)
    })
    if (this.core.state.open === 0) this.onEmpty?.()
  }

  private originOf(slot: Slot<Connection>): Origin {
    return this.origins.get(slot.origin) as Origin
  }
}

const inContextOf = ({ context }: LeaseOwner, notify: () => void): void => {
  if (context === undefined) notify()
  else context.run(notify)
}

const closedAtOnce = (origin: Origin): Failure.Failure =>
  Failure.connectError({
    origin: origin.href,
    reason: "Reset",
    detail: "the connection was made, and closed again before it could be used"
  })
