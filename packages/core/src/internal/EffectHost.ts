import type { CallerContext, Cancel, Host, OpenEvents, OpenHandle } from "@sluice/engine"
import { type PoolMetrics, poolMetrics } from "@sluice/engine/metrics"
import {
  type CoreLimits,
  type DriverOptions,
  PoolDriver,
  type Reserve,
  reserveOf,
  sharesOf,
  withoutReserve
} from "@sluice/engine/pool"
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Runtime from "effect/Runtime"
import type * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import type { Connection } from "../Connection.js"
import type { Connector } from "../Connector.js"
import type { Origin } from "../Origin.js"
import type { PoolEvent } from "../PoolEvent.js"
import type { Resolved } from "../Timeouts.js"
import { fromFailure, type TransportError } from "../TransportError.js"
import { CallerFibers } from "./CallerFibers.js"
import { isLive, live } from "./liveClock.js"
import { registry } from "./metrics/registry.js"
import { OpenConnection } from "./OpenConnection.js"
import { OriginPermits } from "./OriginPermits.js"
import { printable } from "./printable.js"
import { dateOf } from "./wallTime.js"

export interface HostOptions extends Omit<DriverOptions, "connectTimeout" | "share"> {
  readonly connector: Connector
  /** Of its metrics. */
  readonly name: string | undefined
  readonly metrics: boolean
  readonly reserved: { readonly origins: ReadonlyArray<string>; readonly connections: number }
  readonly timeouts: Resolved
  readonly clock: Clock.Clock
  readonly runtime: Runtime.Runtime<never>
  /** The parent of all connections' Scopes. */
  readonly scope: Scope.Scope
}

const millisPerNano = 1e-6

/**
 * What a pool of the engine needs, in terms of Effect: its Clock, its fibers, a Scope and two semaphores for each
 * connection. It decides nothing.
 */
export class EffectHost implements Host {
  readonly driver: PoolDriver
  /** The share of origins that have connections reserved, if there are such. */
  private readonly reserve: Reserve | undefined
  /** One permit for each connection that is open: what `maxConnections` means. */
  readonly permit: Effect.Semaphore
  private readonly permits = new Map<string, OriginPermits>()
  /** Those of the pool: they end when its sockets are gone. */
  private readonly fibers = new Set<Fiber.RuntimeFiber<void, unknown>>()
  /** Those that run code of callers. */
  readonly callers: CallerFibers
  private readonly scheduler: Scheduler.Scheduler
  /** What the platform offers, where time is real. */
  private readonly platform: Connector["runtime"]

  readonly random = Math.random
  readonly meter: Host["meter"]
  /** Undefined where nothing is counted. */
  private readonly metrics: PoolMetrics | undefined
  readonly coalesce: Host["coalesce"]

  constructor(readonly options: HostOptions) {
    const { clock, connector, limits, runtime, timeouts } = options
    this.metrics = options.metrics ? poolMetrics(registry, options.name, this) : undefined
    this.meter = this.metrics?.meter
    this.permit = Effect.unsafeMakeSemaphore(limits.maxConnections)
    this.scheduler = FiberRefs.getOrDefault(runtime.fiberRefs, FiberRef.currentScheduler)
    this.platform = isLive(clock) ? connector.runtime : undefined
    this.callers = new CallerFibers(
      (millis, wake) => this.realSleep(millis, wake),
      (warning) => this.fork(Effect.logWarning(warning))
    )
    const { coalesce } = connector
    this.coalesce = coalesce === undefined
      ? undefined
      : (origin, open, onFound) => this.ask(coalesce(origin, open), onFound)
    this.reserve = reserveOf(options)
    const driver = { ...options, connectTimeout: timeouts.connect }
    const shares = sharesOf(this.reserve, () => this.totals)
    this.driver = new PoolDriver(this, {
      ...driver,
      limits: withoutReserve(limits, this.reserve),
      share: shares?.others
    })
    if (this.reserve !== undefined) {
      const { connections } = this.reserve
      const own = { ...limits, maxConnections: connections }
      this.reserve.driver = new PoolDriver(this, { ...driver, limits: own, share: shares?.own })
    }
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Time
  // ---------------------------------------------------------------------------------------------------------------

  elapsed(): number {
    const { platform } = this
    return platform === undefined
      ? Number(this.options.clock.unsafeCurrentTimeNanos()) * millisPerNano
      : platform.elapsed()
  }

  wallClock(): number {
    return dateOf(this.options.clock)
  }

  sleep(millis: number, wake: () => void, background: boolean): Cancel {
    const { platform } = this
    if (background && platform !== undefined) {
      return this.outsideOfRequests(() => platform.backgroundSleep(millis, wake))
    }
    const sleep = Effect.zipRight(Effect.sleep(millis), Effect.sync(wake))
    // Some clocks take no time at all for a sleep that has no length.
    const fiber = this.fork(millis > 0 ? sleep : Effect.zipRight(Effect.yieldNow(), sleep))
    return () => fiber.unsafeInterruptAsFork(FiberId.none)
  }

  /** On the machine's clock, whatever clock the pool has. */
  private realSleep(millis: number, wake: () => void): Cancel {
    const hooks = this.options.connector.runtime
    if (hooks !== undefined) return this.outsideOfRequests(() => hooks.backgroundSleep(millis, wake))
    const fiber = Effect.runFork(Effect.zipRight(live.sleep(Duration.millis(millis)), Effect.sync(wake)))
    return () => fiber.unsafeInterruptAsFork(FiberId.none)
  }

  afterPoll(then: () => void): void {
    if (this.platform === undefined) then()
    else this.platform.afterPoll(then)
  }

  defer(run: () => void): void {
    this.scheduler.scheduleTask(run, 0)
  }

  captureContext(): CallerContext | undefined {
    return this.options.connector.runtime?.captureContext()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Connections
  // ---------------------------------------------------------------------------------------------------------------

  protocol(origin: Origin): Connection["protocol"] | "unknown" {
    // The pool asks it for an origin that it has not seen.
    this.metrics?.levels.watch(origin)
    return this.options.connector.protocol(origin)
  }

  open(origin: Origin, events: OpenEvents): OpenHandle {
    const connection = new OpenConnection(this.options.scope, this.permitsOf(origin), events)
    const connect = Effect.suspend(() => this.options.connector.connect(origin, events))
    this.fork(connection.open(origin.href, connect))
    return { close: () => this.fork(connection.close()) }
  }

  /** Each share of the pool counts for itself. */
  private permitsOf(origin: Origin): OriginPermits {
    const { key, route } = origin
    const share = this.driverOf(origin) === this.driver ? "" : "reserved "
    const counted = share + (route?.limitKey ?? key)
    let permits = this.permits.get(counted)
    if (permits === undefined) {
      const own = route?.limits?.maxConnectionsPerOrigin
      const most = own ?? this.limits.maxConnectionsPerOrigin
      const onVacant = () => this.permits.delete(counted)
      permits = new OriginPermits(this.permit, most, own !== undefined, () => this.describeCount(), onVacant)
      this.permits.set(counted, permits)
    }
    return permits
  }

  private describeCount(): string {
    const { maxConnections, open } = this.totals
    return `${open} of ${maxConnections} connections open`
  }

  private get totals() {
    return {
      open: this.drivers.reduce((sum, { core }) => sum + core.state.open, 0),
      maxConnections: this.limits.maxConnections
    }
  }

  /** A connector that dies of it will do so again when it dials, and then somebody is notified. */
  private ask<A>(question: Effect.Effect<ReadonlyArray<A>>, onFound: (found: ReadonlyArray<A>) => void): Cancel {
    const fiber = this.fork(
      Effect.map(Effect.catchAllCause(question, () => Effect.succeed<ReadonlyArray<A>>([])), onFound)
    )
    return () => fiber.unsafeInterruptAsFork(FiberId.none)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Operations
  // ---------------------------------------------------------------------------------------------------------------

  setLimits(limits: CoreLimits): void {
    // In one step with the core: nobody ever waits on a semaphore, so resizing takes no time.
    const run = Runtime.runSync(this.options.runtime)
    run(this.permit.resize(limits.maxConnections))
    for (const permits of this.permits.values()) run(permits.resize(limits.maxConnectionsPerOrigin))
    const { reserve } = this
    this.driver.setLimits(withoutReserve(limits, reserve))
    reserve?.driver?.setLimits({ ...limits, maxConnections: reserve.connections })
  }

  /** Which share of the pool an origin has its connections from. */
  driverOf(origin: Origin): PoolDriver {
    return this.reserve?.origins.has(origin.href) === true ? this.reserve.driver ?? this.driver : this.driver
  }

  /** All shares of the pool. */
  get drivers(): ReadonlyArray<PoolDriver> {
    const reserved = this.reserve?.driver
    return reserved === undefined ? [this.driver] : [this.driver, reserved]
  }

  /** Those of the pool as a whole. */
  get limits(): CoreLimits {
    const { limits } = this.driver.core.state
    return this.reserve === undefined
      ? limits
      : { ...limits, maxConnections: limits.maxConnections + this.reserve.connections }
  }

  /** The origin as its connections are made, or why there is no way. */
  route(origin: Origin, url: object | undefined, wantsTunnel: boolean): Origin | TransportError {
    const { routes } = this.options.connector
    if (routes === undefined || origin.route !== undefined) return origin
    const routed = routes.route(origin, url, wantsTunnel)
    return "_tag" in routed ? fromFailure(routed) : routed
  }

  /** Interrupted, it abandons the dials that nobody else waits for. */
  warm(given: Origin, count: number) {
    return Effect.suspend(() => {
      const origin = this.route(given, undefined, false)
      if ("_tag" in origin) return Effect.fail(origin)
      let cancel: Cancel | undefined = undefined
      const connecting = Effect.async<void, ReturnType<typeof fromFailure>>((resume) => {
        cancel = this.driverOf(origin).warm(
          origin,
          count,
          (failure) => resume(failure === undefined ? Effect.void : Effect.fail(fromFailure(failure)))
        )
      })
      // The canceler that `async` itself takes is not yet there when a fiber yields between its first two steps.
      return Effect.onInterrupt(connecting, () => Effect.sync(() => cancel?.()))
    })
  }

  /**
   * Ends the pool: refuses waiters, closes what is idle, gives the rest `drainTimeout`, closes it, and returns
   * when every permit is back, every fiber of the pool has ended, and those of callers have had their grace.
   */
  shutdown(drainTimeout: number): Effect.Effect<void> {
    return Effect.gen(this, function*() {
      const emptied = yield* Effect.makeLatch()
      let left = this.drivers.length
      const hurries = this.drivers.map((driver) =>
        driver.shutdown(drainTimeout, () => {
          if (--left === 0) emptied.unsafeOpen()
        })
      )
      if (drainTimeout > 0) {
        // Finalizers are uninterruptible. An interrupt of the fiber that closes the pool reaches the children of that
        // fiber even so: then there is no more time to drain.
        yield* Fiber.await(yield* Effect.fork(Effect.interruptible(emptied.await)))
        for (const hurry of hurries) hurry()
      }
      yield* emptied.await
      yield* Fiber.awaitAll(this.fibers)
      this.metrics?.close()
      yield* this.callers.leave
    })
  }

  /** What of an event only the engine can say in its own words is said in the face's. */
  listen(listener: (event: PoolEvent) => void): Cancel {
    const stops = this.drivers.map((driver) =>
      driver.events.listen((event) => {
        // The pool is closed once.
        if (event._tag === "PoolClosed" && driver !== this.driver) return
        listener(printable(event._tag === "DialFailed" ? { ...event, error: fromFailure(event.error) } : event))
      })
    )
    return () => {
      for (const stop of stops) stop()
    }
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Fibers
  // ---------------------------------------------------------------------------------------------------------------

  reportDefect(what: string, cause: unknown): void {
    const log = Effect.logError(what, Cause.die(cause))
    this.track(Runtime.runFork(this.options.runtime)(log), what)
  }

  fork(effect: Effect.Effect<void>): Fiber.RuntimeFiber<void, unknown> {
    const fiber = this.outsideOfRequests(() => Runtime.runFork(this.options.runtime)(effect))
    this.fibers.add(fiber)
    fiber.addObserver(() => this.fibers.delete(fiber))
    return fiber
  }

  private outsideOfRequests<A>(run: () => A): A {
    const outside = this.options.connector.runtime?.outsideOfRequests
    return outside === undefined ? run() : outside(run)
  }

  /** A fiber that runs code of a caller, `of` which request; what is returned interrupts it. */
  track(fiber: Fiber.RuntimeFiber<unknown, unknown>, of: string): Cancel {
    return this.callers.track(fiber, of)
  }
}
