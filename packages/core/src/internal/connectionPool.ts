import { countsByOrigin, countsOf } from "@sluice/engine/pool"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ConnectionPool, Options, TypeId as PoolTypeId } from "../ConnectionPool.js"
import { Connector } from "../Connector.js"
import * as Limits from "../Limits.js"
import type { PoolEvent } from "../PoolEvent.js"
import type { PoolStats } from "../PoolStats.js"
import * as Timeouts from "../Timeouts.js"
import { AcquireTicket } from "./AcquireTicket.js"
import { toMillis } from "./duration.js"
import { EffectHost } from "./EffectHost.js"
import { freePermits } from "./OriginPermits.js"
import * as poolCensus from "./poolCensus.js"

const TypeId: PoolTypeId = Symbol.for("@sluice/core/ConnectionPool") as PoolTypeId

/** In milliseconds. */
const defaultGrace = 1000

/**
 * The pool that users see, over the engine's. The client uses the host itself.
 */
export class ConnectionPoolImpl implements ConnectionPool {
  readonly [TypeId]: PoolTypeId = TypeId

  constructor(readonly host: EffectHost) {}

  /** Uninterruptible but for the wait, so that a wait that is interrupted gives its position back at once. */
  readonly acquire: ConnectionPool["acquire"] = (origin, options) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const timeout = poolTimeout(this.host, options?.timeout)
        return Effect.acquireRelease(AcquireTicket.take(this.host, origin, timeout), (ticket) => ticket.end).pipe(
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
          )
        )
      })
    )

  readonly unsafeStats = (): PoolStats => {
    const { state } = this.host.driver.core
    return {
      ...countsOf(state),
      maxConnections: state.limits.maxConnections,
      permitsFree: Runtime.runSync(this.host.options.runtime)(freePermits(this.host.permit)),
      leases: state.leases.size,
      origins: countsByOrigin(state)
    }
  }
  readonly stats = Effect.sync(this.unsafeStats)

  readonly events: Stream.Stream<PoolEvent> = Stream.asyncPush<PoolEvent>((emit) => {
    if (this.host.driver.events.isClosed) return Effect.sync(() => emit.end())
    return Effect.acquireRelease(
      Effect.sync(() =>
        this.host.listen((event) => {
          emit.single(event)
          if (event._tag === "PoolClosed") emit.end()
        })
      ),
      (stop) => Effect.sync(stop)
    )
  }, { bufferSize: "unbounded" })

  readonly warm: ConnectionPool["warm"] = (origin, count) => this.host.warm(origin, count)
  readonly evictIdle = Effect.sync(() => this.host.driver.evictIdle())
  readonly limits = Effect.sync((): Limits.Limits => this.host.driver.core.state.limits)
  readonly setLimits = (limits: Limits.Limits) =>
    Effect.map(Limits.resolve(limits), (resolved) => this.host.setLimits(resolved))
}

const poolTimeout = (
  { options }: EffectHost,
  timeout: Duration.DurationInput | "Infinity" | undefined
): number => timeout === undefined ? options.timeouts.pool : toMillis(timeout) ?? 0

/** Every pool is made here; the client goes past the pool's public face, which costs a Scope for each request. */
export const hostOf = (pool: ConnectionPool): EffectHost => (pool as ConnectionPoolImpl).host

export const make = (options: Options = {}) =>
  Effect.gen(function*() {
    const limits = yield* Limits.resolve(options.limits)
    const timeouts = yield* Timeouts.resolve(options.timeouts)
    const unreadBodyGrace = yield* Timeouts.resolveDuration("unreadBodyGrace", options.unreadBodyGrace, defaultGrace)
    const drainTimeout = yield* Timeouts.resolveDuration("drainTimeout", options.drainTimeout, 0)
    const whenFull = options.whenFull ?? "dial"
    if (whenFull !== "dial" && whenFull !== "wait") {
      return yield* new Limits.InvalidLimits({
        option: "whenFull",
        value: whenFull,
        expected: `expected "dial" or "wait"`
      })
    }
    const connector = yield* Connector
    const clock = yield* Effect.clock
    // Dials can be interrupted, even those of a pool that is made where nothing else can.
    const runtime = Runtime.enableRuntimeFlag(yield* Effect.runtime<never>(), RuntimeFlags.Interruption)
    // Children end when the pool says so, all at once, and not one after the other in the order they were made.
    const scope = yield* Scope.make(ExecutionStrategy.parallel)
    yield* poolCensus.register(options)
    const host = new EffectHost({
      connector,
      limits,
      timeouts,
      whenFull,
      unreadBodyGrace,
      clock,
      runtime,
      scope
    })
    const close = Effect.zipRight(host.shutdown(drainTimeout), Scope.close(scope, Exit.void))
    yield* Effect.addFinalizer(() => Effect.uninterruptible(close))
    return new ConnectionPoolImpl(host) as ConnectionPool
  })
