import type { OpenEvents } from "@sluice/engine"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { Connection } from "../Connection.js"
import { ConnectError, type TransportError } from "../TransportError.js"
import type { OriginPermits } from "./OriginPermits.js"

/**
 * A connection's life is the life of one Scope, a child of the pool's. In it are, in this order,
 *
 * 1. the permits, taken here and given back by the Scope's finalizer and nowhere else,
 * 2. whatever the connector acquires: the socket.
 *
 * Scopes end in reverse order. So whatever ends a connection, a failed dial, an interrupt, expiry, eviction, the
 * closing of the pool, its socket is closed first, then its permits come back, then the pool learns of it (`onGone`).
 */
export class OpenConnection {
  private scope: Scope.CloseableScope | undefined = undefined
  private dial: Fiber.RuntimeFiber<unknown> | undefined = undefined
  private isClosing = false
  private holdsPermits = false

  constructor(
    private readonly pool: Scope.Scope,
    private readonly permits: OriginPermits,
    private readonly events: OpenEvents
  ) {}

  /**
   * Takes the permits and runs `connect` in the connection's Scope. `onConnected` and `onFailed` decide, synchronously,
   * what becomes of it; neither is called when it failed because it was closed.
   */
  open(origin: string, connect: Effect.Effect<Connection, TransportError, Scope.Scope>): Effect.Effect<void> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen(this, function*() {
        this.dial = yield* Effect.withFiberRuntime<Fiber.RuntimeFiber<unknown>>(Effect.succeed)
        const scope = yield* Scope.fork(this.pool, ExecutionStrategy.sequential)
        this.scope = scope
        yield* this.promiseToGiveBack(scope)
        // It may have been abandoned before its fiber came to its first step.
        const dial = Effect.suspend(() => this.isClosing ? Effect.interrupt : Scope.extend(connect, scope))
        const exit = yield* Effect.exit(Effect.zipRight(this.takePermits(), restore(dial)))
        this.dial = undefined
        if (Exit.isSuccess(exit)) this.events.onConnected(exit.value)
        else if (!this.isClosing) this.events.onFailed(failureOf(origin, exit.cause))
        if (this.isClosing || Exit.isFailure(exit)) yield* Scope.close(scope, exit)
      })
    )
  }

  /** A method of its own: what else is in reach where a finalizer is written lives as long as the connection. */
  private promiseToGiveBack(scope: Scope.Scope): Effect.Effect<void> {
    return Scope.addFinalizerExit(scope, () => this.giveBack())
  }

  private takePermits(): Effect.Effect<void> {
    return Effect.map(this.permits.take, () => {
      this.holdsPermits = true
    })
  }

  private giveBack(): Effect.Effect<void> {
    return Effect.map(this.holdsPermits ? this.permits.giveBack : Effect.void, () => this.events.onGone())
  }

  /** Closes the connection; one that is still being made stops being made. Completes when it is gone. */
  close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isClosing = true
      if (this.dial !== undefined) {
        this.dial.unsafeInterruptAsFork(FiberId.none)
        return Effect.void
      }
      return this.scope === undefined ? Effect.void : Scope.close(this.scope, Exit.void)
    })
  }
}

/** What the connector failed with, or that it died. */
const failureOf = (origin: string, cause: Cause.Cause<TransportError>): TransportError =>
  Option.getOrElse(Cause.failureOption(cause), () => {
    const defect = Cause.squash(cause)
    const what = defect instanceof Error ? defect.message : String(defect)
    const detail = `the connector failed in a way that it does not declare: ${what}`
    return new ConnectError({ origin, reason: "Other", detail, cause: defect })
  })
