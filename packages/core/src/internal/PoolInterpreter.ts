import {
  type Action,
  type CoreLimits,
  exclusive,
  type OriginState,
  PoolCore,
  type Refusal,
  type Sharing,
  type Slot,
  Ticket,
  unknown as unknownProtocol
} from "@sluice/engine/pool"
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { Connection } from "../Connection.js"
import type { Connector } from "../Connector.js"
import type { Origin } from "../Origin.js"
import type { Resolved } from "../Timeouts.js"
import * as TransportError from "../TransportError.js"
import { Coalescing } from "./Coalescing.js"
import { EventHub } from "./EventHub.js"
import type { LeaseHolder, LeaseTicket } from "./LeaseHolder.js"
import { OpenConnection } from "./OpenConnection.js"
import { PoolMetrics } from "./PoolMetrics.js"
import { pictureOf } from "./poolStats.js"
import { SlotListener } from "./SlotListener.js"
import { Timekeeper } from "./Timekeeper.js"
import { UnreadBodies } from "./UnreadBodies.js"

/** What the core does not need to know of an origin: where it is, and the permits of its connections. */
interface Place {
  readonly origin: Origin
  readonly permit: Effect.Semaphore
  /** All that one of its connections takes. */
  readonly permits: ReadonlyArray<Effect.Semaphore>
}

export interface InterpreterOptions {
  readonly connector: Connector
  readonly limits: CoreLimits
  readonly timeouts: Resolved
  readonly whenFull: "dial" | "wait"
  /** How long a body that holds a connection may stay unread while others wait, in milliseconds. */
  readonly unreadBodyGrace: number
  readonly clock: Clock.Clock
  readonly runtime: Runtime.Runtime<never>
  /** The parent of all connections' Scopes. */
  readonly scope: Scope.Scope
}

/** The server is not to close an idle connection while a request is on its way to it. */
const keepAliveMargin = 1000

/**
 * Carries out what the core decides: dials in fibers of its own, closes Scopes, resumes those who waited. It decides
 * nothing. Whatever happens to the pool is one synchronous step of the core, followed by `perform`.
 */
export class PoolInterpreter {
  readonly core: PoolCore<Connection>
  readonly time: Timekeeper
  readonly events: EventHub
  readonly unread: UnreadBodies
  /** Undefined where origins never share connections. */
  private readonly coalescing: Coalescing | undefined
  private readonly metrics = new PoolMetrics()
  /** One permit for each connection that is open: what `maxConnections` means. */
  readonly permit: Effect.Semaphore
  private readonly places = new WeakMap<OriginState<Connection>, Place>()
  private readonly connections = new Map<Slot<Connection>, OpenConnection>()
  private readonly dialWatchers = new Map<Slot<Connection>, (error?: TransportError.TransportError) => void>()
  private readonly fibers = new Set<Fiber.RuntimeFiber<void, unknown>>()
  private onEmpty: (() => void) | undefined = undefined
  private performing = false

  constructor(readonly options: InterpreterOptions) {
    this.time = new Timekeeper(options.clock, (effect) => this.fork(effect), () => this.perform())
    this.core = new PoolCore({
      limits: options.limits,
      deadlines: this.time.deadlines,
      whenFull: options.whenFull,
      random: Math.random
    })
    this.events = new EventHub((observed) => {
      this.core.state.observed = observed
    })
    this.unread = new UnreadBodies(this.time, options.unreadBodyGrace, () => this.core.state.pending)
    this.permit = Effect.unsafeMakeSemaphore(options.limits.maxConnections)
    const { coalesce } = options.connector
    this.coalescing = coalesce === undefined ? undefined : new Coalescing(this, coalesce)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The path of a request: these three are all that it needs of the pool.
  // ---------------------------------------------------------------------------------------------------------------

  /** Asks for a connection. The ticket is `Granted` at once, or its holder is told later. `fresh`: see `Ticket`. */
  request(
    origin: Origin,
    holder: LeaseHolder,
    timeout: number,
    connectTimeout: number,
    fresh = false
  ): LeaseTicket {
    const { coalescing } = this
    const state = coalescing === undefined || fresh ? this.originState(origin) : coalescing.stateOf(origin)
    const ticket: LeaseTicket = new Ticket(state, holder, timeout, connectTimeout, fresh)
    this.core.acquire(ticket, this.time.now())
    if (coalescing !== undefined && ticket.state === "Granted") coalescing.granted(ticket)
    this.perform()
    return ticket
  }

  /** Gives the connection back; harmless when it has been. */
  release(ticket: LeaseTicket): void {
    const connection = ticket.slot?.connection
    if (connection === undefined) return
    const hint = connection.keepAliveHint
    this.core.release(
      ticket,
      connection.reusable,
      hint === undefined ? Infinity : hint - keepAliveMargin,
      this.time.now()
    )
    this.perform()
  }

  /** The holder is interrupted, whether it waits or has been granted meanwhile. */
  abandon(ticket: LeaseTicket): void {
    if (ticket.state === "Granted") return this.release(ticket)
    this.core.giveUp(ticket, this.time.now())
    this.perform()
  }

  /** The origin is never to share connections of others again: a server has said so (RFC 9110 §15.5.20). */
  keepApart(origin: Origin): void {
    this.coalescing?.keepApart(origin)
  }

  // ---------------------------------------------------------------------------------------------------------------

  /** One step of the core, and what follows from it. */
  step<A>(decide: (core: PoolCore<Connection>, now: number) => A): A {
    const result = decide(this.core, this.time.now())
    this.perform()
    return result
  }

  /** Interrupted, it gives up the dials that nobody else waits for. */
  readonly warm = (origin: Origin, count: number): Effect.Effect<void, TransportError.TransportError> =>
    Effect.suspend(() => {
      let dialed: ReadonlyArray<Slot<Connection>> = []
      const connecting = Effect.async<void, TransportError.TransportError>((resume) => {
        if (this.core.state.phase !== "Open") return resume(Effect.fail(poolClosed(origin)))
        dialed = this.step((core, now) => {
          const slots = core.warm(this.originState(origin), count, now)
          let left = slots.length
          const onEnd = (error?: TransportError.TransportError) => {
            left--
            if (error !== undefined) resume(Effect.fail(error))
            else if (left === 0) resume(Effect.void)
          }
          // Before the step is carried out: a dial may take no time.
          for (const slot of slots) this.dialWatchers.set(slot, onEnd)
          return slots
        })
        if (dialed.length === 0) resume(Effect.void)
      })
      // The canceler that `async` itself takes is not yet there when a fiber gives way between its first two steps.
      return Effect.onInterrupt(connecting, () =>
        Effect.sync(() => {
          for (const slot of dialed) this.dialWatchers.delete(slot)
          this.step((core, now) => core.stopWarming(dialed, now))
        }))
    })

  setLimits(limits: CoreLimits): Effect.Effect<void> {
    return Effect.sync(() => {
      // In one step with the core: nobody ever waits on a semaphore, so resizing takes no time.
      const run = Runtime.runSync(this.options.runtime)
      run(this.permit.resize(limits.maxConnections))
      for (const state of this.core.state.origins.values()) {
        const place = this.places.get(state)
        if (place !== undefined) run(place.permit.resize(limits.maxConnectionsPerOrigin))
      }
      this.step((core, now) => core.setLimits(limits, now))
    })
  }

  /**
   * Ends the pool: refuses those who wait, closes what is idle, gives the rest `drainTimeout`, closes it, and returns
   * when every permit is back and every fiber has ended.
   */
  shutdown(drainTimeout: number): Effect.Effect<void> {
    return Effect.gen(this, function*() {
      this.step((core, now) => core.close(now))
      this.coalescing?.stop()
      if (drainTimeout > 0) {
        // Finalizers are uninterruptible, and so would the wait be that the timeout is to end. An interrupt of the fiber
        // that closes the pool reaches the children of that fiber even so: then there is no more time to drain.
        yield* Effect.exit(Effect.timeoutOption(Effect.interruptible(this.empty), drainTimeout))
      }
      this.step((core) => core.abort())
      yield* this.empty
      this.time.stop()
      yield* Fiber.awaitAll(this.fibers)
      this.events.close()
    })
  }

  private readonly empty = Effect.async<void>((resume) => {
    if (this.core.state.open === 0) return resume(Effect.void)
    this.onEmpty = () => resume(Effect.void)
  })

  originState(origin: Origin): OriginState<Connection> {
    const known = this.core.state.origins.get(origin.key)
    if (known !== undefined) return known
    const state = this.core.state.origin(origin.key, this.expectedSharing(origin))
    const permit = Effect.unsafeMakeSemaphore(this.core.state.limits.maxConnectionsPerOrigin)
    this.places.set(state, { origin, permit, permits: [this.permit, permit] })
    return state
  }

  private expectedSharing(origin: Origin): Sharing {
    switch (this.options.connector.protocol(origin)) {
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
  perform(): void {
    if (this.performing) return
    if (this.core.state.outbox.length > 0) this.emptyOutbox()
    this.metrics.update(this.core.state)
    if (this.unread.size > 0 && this.core.state.pending > 0) this.unread.check()
  }

  /** All of it, even when a holder of a connection throws: what is one's mistake is not to be another's. */
  private emptyOutbox(): void {
    const outbox = this.core.state.outbox
    let thrown: { readonly error: unknown } | undefined = undefined
    this.performing = true
    for (let i = 0; i < outbox.length; i++) {
      try {
        this.act(outbox[i])
      } catch (error) {
        thrown ??= { error }
      }
    }
    outbox.length = 0
    this.performing = false
    if (thrown !== undefined) throw (thrown as { readonly error: unknown }).error
  }

  private act(action: Action<Connection>): void {
    switch (action._tag) {
      case "Grant":
        if (this.coalescing?.granted(action.ticket as LeaseTicket) === false) return
        this.metrics.waited(action.ticket.grantedAt - action.ticket.waitingSince)
        return action.ticket.owner.granted(action.ticket, action.slot)
      case "Refuse":
        if (this.coalescing?.refused(action.ticket as LeaseTicket, action.refusal) === false) return
        this.metrics.refused(action.refusal._tag)
        return action.ticket.owner.refused(action.ticket, action.refusal)
      case "Dial":
        return this.dial(action.slot, action.timeout ?? this.options.timeouts.connect)
      case "Close":
        return this.close(action.slot)
      case "Emit":
        return this.events.emit(action.event)
    }
  }

  private dial(slot: Slot<Connection>, timeout: number): void {
    const { origin, permits } = this.places.get(slot.origin) as Place
    const listener = new SlotListener(this, slot)
    const open = new OpenConnection(this.options.scope, permits, listener)
    this.connections.set(slot, open)
    const connect = Effect.suspend(() => this.options.connector.connect(origin, listener))
    this.fork(open.open(
      timeout === Infinity ? connect : Effect.timeoutFail(connect, {
        duration: timeout,
        onTimeout: () => new TransportError.ConnectTimeout({ origin: origin.href, timeout })
      }),
      (connection) => {
        if (listener.wasLost) return this.dialFailed(slot, closedAtOnce(origin))
        const shares = connection.protocol === "h2"
        this.step((core, now) => core.dialSucceeded(slot, connection, connection.capacity, shares, now))
        this.dialEnded(slot)
      },
      (cause) => {
        const error = Cause.failureOption(cause)
        this.dialFailed(slot, Option.isSome(error) ? error.value : connectorDied(origin, cause))
      }
    ))
  }

  private dialFailed(slot: Slot<Connection>, error: TransportError.TransportError): void {
    // First: closing what is left of it ends the dial as well, and knows no error.
    this.dialEnded(slot, error)
    this.step((core, now) => core.dialFailed(slot, error, now))
  }

  private dialEnded(slot: Slot<Connection>, error?: TransportError.TransportError): void {
    this.dialWatchers.get(slot)?.(error)
    this.dialWatchers.delete(slot)
  }

  private close(slot: Slot<Connection>): void {
    const { origin } = this.places.get(slot.origin) as Place
    // A limit that leaves no room for it is no failure: `warm` makes what the limits allow.
    this.dialEnded(slot, slot.reason === "PoolClosed" ? poolClosed(origin) : undefined)
    const open = this.connections.get(slot)
    if (open !== undefined) this.fork(open.close())
  }

  /** The socket is closed, the permits are back. */
  connectionGone(slot: Slot<Connection>): void {
    this.connections.delete(slot)
    if (slot.connection !== undefined) this.metrics.closed(this.time.now() - slot.connectedAt)
    this.step((core, now) => core.closed(slot, now))
    if (this.core.state.open === 0) this.onEmpty?.()
  }

  fork(effect: Effect.Effect<void>): Fiber.RuntimeFiber<void, unknown> {
    const fiber = Runtime.runFork(this.options.runtime)(effect)
    this.track(fiber)
    return fiber
  }

  /** The pool does not close before this fiber has ended. */
  track(fiber: Fiber.RuntimeFiber<void, unknown>): void {
    this.fibers.add(fiber)
    fiber.addObserver(() => this.fibers.delete(fiber))
  }

  /** The error that a refusal is for whoever asked. */
  refusalError(ticket: LeaseTicket, refusal: Refusal): TransportError.TransportError {
    const origin = ticket.owner.wanted.href
    const picture = () => pictureOf(this.core.state, ticket.origin, ticket.owner.fiberId, this.time.now())
    switch (refusal._tag) {
      case "PoolTimeout":
        return new TransportError.PoolTimeout({
          origin,
          waited: refusal.waited,
          position: refusal.position,
          pool: picture()
        })
      case "PoolQueueFull":
        return new TransportError.PoolQueueFull({
          origin,
          maxPendingRequests: this.core.state.limits.maxPendingRequests,
          pool: picture()
        })
      case "PoolClosed":
        return new TransportError.PoolClosed({ origin })
      case "DialFailed":
        return refusal.error as TransportError.TransportError
    }
  }
}

const poolClosed = (origin: Origin) => new TransportError.PoolClosed({ origin: origin.href })

const closedAtOnce = (origin: Origin) =>
  new TransportError.ConnectError({
    origin: origin.href,
    reason: "Reset",
    detail: "the connection was made, and closed again before it could be used"
  })

const connectorDied = (origin: Origin, cause: Cause.Cause<unknown>) =>
  new TransportError.ConnectError({
    origin: origin.href,
    reason: "Other",
    detail: "the connector failed in a way that it does not declare",
    cause: Cause.squash(cause)
  })
