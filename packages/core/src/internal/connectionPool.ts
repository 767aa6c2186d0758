import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { ConnectionPool, Lease, Options, TypeId as PoolTypeId } from "../ConnectionPool.js"
import { Connector } from "../Connector.js"
import * as Limits from "../Limits.js"
import type { Origin } from "../Origin.js"
import type { PoolEvent } from "../PoolEvent.js"
import * as Timeouts from "../Timeouts.js"
import { toMillis } from "./duration.js"
import { LeaseRequest } from "./LeaseRequest.js"
import * as poolCensus from "./poolCensus.js"
import { PoolInterpreter } from "./PoolInterpreter.js"
import { statsOf } from "./poolStats.js"

const TypeId: PoolTypeId = Symbol.for("@sluice/core/ConnectionPool") as PoolTypeId

/** In milliseconds. */
const defaultGrace = 1000

/**
 * The pool that users see, over the interpreter that does the work. The client uses the interpreter itself.
 */
export class ConnectionPoolImpl implements ConnectionPool {
  readonly [TypeId]: PoolTypeId = TypeId
  readonly events: Stream.Stream<PoolEvent>
  readonly warm: ConnectionPool["warm"]

  constructor(readonly interpreter: PoolInterpreter) {
    this.events = interpreter.events.stream
    this.warm = interpreter.warm
  }

  readonly acquire = (
    origin: Origin,
    options?: { readonly timeout?: Duration.DurationInput | "Infinity" | undefined }
  ) =>
    // Uninterruptible but for the wait: between having a connection and the finalizer that gives it back there is no
    // moment for an interrupt (keypool #708, Effect #8390).
    Effect.uninterruptibleMask((restore) =>
      Effect.fiberIdWith((fiberId) => {
        const timeout = options?.timeout === undefined
          ? this.interpreter.options.timeouts.pool
          : toMillis(options.timeout) ?? 0
        const request = new LeaseRequest(this.interpreter, origin, timeout, fiberId)
        return restore(request.wait).pipe(
          Effect.onError(() => request.end),
          Effect.tap((_: Lease) => Effect.addFinalizer(() => request.end))
        )
      })
    )

  readonly unsafeStats = () => statsOf(this.interpreter.core.state)
  readonly stats = Effect.sync(this.unsafeStats)
  readonly evictIdle = Effect.sync(() => this.interpreter.step((core, now) => core.evictIdle(now)))
  readonly limits = Effect.sync((): Limits.Limits => this.interpreter.core.state.limits)
  readonly setLimits = (limits: Limits.Limits) =>
    Effect.flatMap(Limits.resolve(limits), (resolved) => this.interpreter.setLimits(resolved))
}

/** Every pool is made here; the client goes past the pool's public face, which costs a Scope for each request. */
export const interpreterOf = (pool: ConnectionPool): PoolInterpreter => (pool as ConnectionPoolImpl).interpreter

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
    const interpreter = new PoolInterpreter({
      connector,
      limits,
      timeouts,
      whenFull,
      unreadBodyGrace,
      clock,
      runtime,
      scope
    })
    const close = Effect.zipRight(interpreter.shutdown(drainTimeout), Scope.close(scope, Exit.void))
    yield* Effect.addFinalizer(() => Effect.uninterruptible(close))
    return new ConnectionPoolImpl(interpreter) as ConnectionPool
  })
