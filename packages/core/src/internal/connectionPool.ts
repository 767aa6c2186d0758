import { Origin as EngineOrigin } from "@sluice/engine"
import * as optionTable from "@sluice/engine/options"
import { countsByOrigin, countsOf, inFlight } from "@sluice/engine/pool"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Connector } from "../Connector.js"
import { argument, check, checkGiven, once } from "../InvalidOptions.js"
import * as Limits from "../Limits.js"
import type { Origin } from "../Origin.js"
import type { Counts, InFlight, PoolStats } from "../PoolStats.js"
import type { Timeouts } from "../Timeouts.js"
import type { TransportError } from "../TransportError.js"
import { type AcquireError, AcquireTicket, type Lease } from "./AcquireTicket.js"
import { checked } from "./callersClock.js"
import { EffectHost } from "./EffectHost.js"
import { eventStream } from "./eventStream.js"
import { remember } from "./kin.js"
import { freePermits } from "./OriginPermits.js"
import * as poolCensus from "./poolCensus.js"
import { printable, shownAs, toPlain } from "./printable.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly limits?: Limits.Limits | undefined
  readonly timeouts?: Timeouts | undefined
  /**
   * How long busy connections may go on when the pool is closed. Waiters are refused at once, idle connections
   * close at once. Default 0: requests under way are interrupted.
   */
  readonly drainTimeout?: Duration.DurationInput | "Infinity" | undefined
  /**
   * When an HTTP/2 connection carries all the streams it can: `"dial"` another one if the limits allow, or `"wait"`.
   * Default `"dial"`.
   */
  readonly whenFull?: "dial" | "wait" | undefined
  /**
   * While a request waits that it would help: how long a response of which something is still to come may hold its
   * connection without anybody having begun to read it, and no longer than half of that request's `timeouts.pool`. Then
   * its connection is taken back, and reading it fails with `BodyAbandoned`. `"Infinity"` keeps all of them, whatever waits.
   * Default 1 second.
   */
  readonly unreadBodyGrace?: Duration.DurationInput | "Infinity" | undefined
  /**
   * What the metrics of this pool are distinguished by (`sluice.pool.name`). Pools of the same name add up. Default
   * `"default"`; further pools without a name that are open at the same time are `"default-2"` and so on.
   */
  readonly name?: string | undefined
  /**
   * Origins that have connections of their own: `connections` of `limits.maxConnections` (default 2) are for them and for
   * nobody else, and they have no others. It is for what must work when the pool is full: an exporter of spans over the same
   * client loses exactly those of the outage otherwise. Default: none.
   */
  readonly reserved?: {
    readonly origins?: ReadonlyArray<string> | undefined
    readonly connections?: number | undefined
  } | undefined
  /** Whether the pool and its requests are counted in Effect's metrics: see `docs/observability.md`. Default `true`. */
  readonly metrics?: boolean | undefined
}

export const TypeId: unique symbol = Symbol.for("@sluice/core/ConnectionPool")
export type TypeId = typeof TypeId

const checkOrigin = (of: string, origin: Origin): Origin =>
  argument(`${of}: origin`, origin, EngineOrigin.isOrigin, "an Origin, as Origin.make returns on its right side")

const checkAcquire = once((given) => checkGiven(optionTable.acquire, given, "acquire"))

/**
 * The pool that users see, `ConnectionPool`, over the engine's. The client uses the host itself.
 */
export class ConnectionPoolImpl {
  readonly [TypeId]: TypeId = TypeId

  constructor(readonly host: EffectHost) {
    shownAs(this, () => toPlain({ _id: "@sluice/core/ConnectionPool", ...this.unsafeStats() }))
  }

  /** Uninterruptible but for the wait, so that a wait that is interrupted gives its position back at once. */
  readonly acquire = (
    origin: Origin,
    options: { readonly timeout?: Duration.DurationInput | "Infinity" | undefined } = {}
  ): Effect.Effect<Lease, AcquireError, Scope.Scope> =>
    Effect.flatMap(
      Effect.orDie(checkAcquire(options)),
      ({ timeout }) => checked(this.host, this.acquireWithin(checkOrigin("acquire", origin), timeout))
    )

  private acquireWithin(
    given: Origin,
    ownTimeout: number | undefined
  ): Effect.Effect<Lease, AcquireError, Scope.Scope> {
    const origin = this.host.route(given, undefined, false)
    if ("_tag" in origin) return Effect.fail(origin)
    const timeout = ownTimeout ?? origin.route?.timeouts?.pool ?? this.host.options.timeouts.pool
    return Effect.uninterruptibleMask((restore) =>
      Effect.acquireRelease(AcquireTicket.take(this.host, origin, timeout), (ticket) => ticket.end).pipe(
        Effect.flatMap((ticket) =>
          ticket.isSettled ? ticket.lease : ticket.lease.pipe(
            Effect.timeoutTo({
              // A wait of 0 is none: the pool has refused already what a dial is not meant for.
              duration: timeout > 0 ? timeout : Infinity,
              onSuccess: Effect.succeed,
              onTimeout: () => ticket.afterPoolTimeout
            }),
            Effect.flatten,
            restore,
            Effect.onError(() => ticket.end)
          )
        ),
        Effect.tap(remember)
      )
    )
  }

  readonly unsafeStats = (): PoolStats => {
    const { drivers, limits, options, permit } = this.host
    const states = drivers.map(({ core }) => core.state)
    return printable({
      ...sumOf(states.map(countsOf)),
      maxConnections: limits.maxConnections,
      permitsFree: Runtime.runSync(options.runtime)(freePermits(permit)),
      leases: states.reduce((sum, { leases }) => sum + leases.size, 0),
      origins: new Map(states.flatMap((state) => [...countsByOrigin(state)]))
    })
  }
  readonly stats = Effect.sync(this.unsafeStats)

  readonly inFlight = Effect.sync((): ReadonlyArray<InFlight> => {
    const all = this.host.drivers.flatMap(({ core, time }) => inFlight(core.state, time.now()))
    return all.map(({ caller, ...request }) => ({
      ...request,
      fiber: FiberId.isFiberId(caller) ? FiberId.threadName(caller) : ""
    }))
  })

  readonly events = Stream.suspend(() => eventStream(this.host))

  readonly warm = (origin: Origin, count: number): Effect.Effect<void, TransportError> =>
    Effect.zipRight(
      Effect.orDie(Effect.suspend(() => check(optionTable.warm, { count }, "warm"))),
      Effect.suspend(() => this.host.warm(checkOrigin("warm", origin), count))
    )
  readonly evictIdle = Effect.sync(() => this.host.drivers.reduce((sum, driver) => sum + driver.evictIdle(), 0))
  readonly limits = Effect.sync((): Limits.Limits => printable(this.host.limits))
  readonly setLimits = (limits: Limits.Limits) =>
    Effect.map(
      Effect.suspend(() => Limits.resolve(limits, this.host.limits)),
      (resolved) => this.host.setLimits(resolved)
    )
}

const sumOf = (all: ReadonlyArray<Counts>): Counts =>
  all.reduce((sum, counts) => ({
    open: sum.open + counts.open,
    active: sum.active + counts.active,
    idle: sum.idle + counts.idle,
    dialing: sum.dialing + counts.dialing,
    closing: sum.closing + counts.closing,
    waiting: sum.waiting + counts.waiting
  }))

/** Every pool is made here; the client goes past the pool's public face, which costs a Scope for each request. */
export const hostOf = (pool: { readonly [TypeId]: TypeId }): EffectHost => (pool as ConnectionPoolImpl).host

export const make = (options: Options = {}) =>
  Effect.gen(function*() {
    const { drainTimeout, ...settings } = yield* check(optionTable.pool, options)
    const connector = yield* Connector
    const clock = yield* Effect.clock
    // Dials can be interrupted, even those of a pool that is made where nothing else can.
    const runtime = Runtime.enableRuntimeFlag(yield* Effect.runtime<never>(), RuntimeFlags.Interruption)
    // Children end when the pool says so, all at once, and not one after the other in the order they were made.
    const scope = yield* Scope.make(ExecutionStrategy.parallel)
    yield* poolCensus.register({ ...settings, drainTimeout })
    const host = new EffectHost({
      ...settings,
      connector,
      clock,
      runtime,
      scope
    })
    const close = Effect.zipRight(host.shutdown(drainTimeout), Scope.close(scope, Exit.void))
    yield* Effect.addFinalizer(() => Effect.uninterruptible(close))
    return new ConnectionPoolImpl(host)
  })
