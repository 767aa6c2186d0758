import type { CallerContext, Failure } from "@sluice/engine"
import type { LeaseOwner, LeaseTicket, Slot } from "@sluice/engine/pool"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { Connection } from "../Connection.js"
import type { Origin } from "../Origin.js"
import {
  fromFailure,
  type PoolClosed,
  type PoolQueueFull,
  type PoolTimeout,
  type TransportError
} from "../TransportError.js"
import type { EffectHost } from "./EffectHost.js"
import { kinOf } from "./kin.js"
import { shownAs } from "./printable.js"

/**
 * A connection of the pool, held until the Scope it was acquired in ends. What the connection says of itself decides
 * then whether it is kept (`Connection.reusable`).
 *
 * @since 0.1.0
 * @category models
 */
export interface Lease {
  readonly connection: Connection
  /** Whether it had served another request before. */
  readonly reused: boolean
  /** How long it had been idle, in milliseconds. */
  readonly idleTime: number
}

/**
 * Why a connection could not be had: `PoolTimeout`, `PoolClosed`, `PoolQueueFull`, or what dialing failed with.
 *
 * @since 0.1.0
 * @category errors
 */
export type AcquireError = PoolTimeout | PoolClosed | PoolQueueFull | TransportError

/**
 * The claim of `ConnectionPool.acquire` on a connection: a position in the queue, then the connection, until `end`. For
 * how long it waits is decided by the waiter: see `afterPoolTimeout`.
 */
export class AcquireTicket implements LeaseOwner {
  readonly context: CallerContext | undefined
  private readonly ticket: LeaseTicket
  private settled: Exit.Exit<Lease, AcquireError> | undefined = undefined
  private onSettled: ((exit: Exit.Exit<Lease, AcquireError>) => void) | undefined = undefined

  /** Takes a position in the queue, or a connection at once; with a `timeout` of 0 it may be refused at once as well. */
  static take(host: EffectHost, origin: Origin, timeout: number): Effect.Effect<AcquireTicket> {
    return Effect.withFiberRuntime((fiber) => Effect.sync(() => new AcquireTicket(host, origin, timeout, fiber)))
  }

  private constructor(
    private readonly host: EffectHost,
    readonly wanted: Origin,
    timeout: number,
    private readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  ) {
    this.context = host.captureContext()
    const connect = wanted.route?.timeouts?.connect ?? host.options.timeouts.connect
    this.ticket = host.driverOf(wanted).request(wanted, this, timeout > 0 ? Infinity : 0, connect)
    if (this.ticket.state === "Granted" && this.ticket.slot !== undefined) this.granted(this.ticket, this.ticket.slot)
  }

  get caller(): FiberId.FiberId {
    return this.fiber.id()
  }

  kin(): ReadonlyArray<unknown> {
    return kinOf(this.fiber)
  }

  get isSettled(): boolean {
    return this.settled !== undefined
  }

  /** Waits for the connection. Interrupting this alone gives nothing back. */
  readonly lease = Effect.async<Lease, AcquireError>((resume) => {
    if (this.settled === undefined) this.onSettled = resume
    else resume(this.settled)
  })

  /**
   * It has waited for the pool for as long as it may. What has happened meanwhile counts: a connection that was given
   * back and that the sockets have not reported yet is a lease. One that a connection is being made for waits for that.
   */
  get afterPoolTimeout(): Effect.Effect<Lease, AcquireError> {
    return Effect.zipRight(
      Effect.async<void>((resume) => this.host.afterPoll(() => resume(Effect.void))),
      Effect.suspend(() => {
        this.host.driverOf(this.wanted).poolTimeUp(this.ticket)
        return this.lease
      })
    )
  }

  /**
   * Gives the connection back, or the position in the queue; harmless when it has. In a Scope that has ended already it
   * comes before the wait, which then ends as one that was interrupted: there is nothing left to wait in.
   */
  readonly end = Effect.sync(() => {
    this.host.driverOf(this.wanted).abandon(this.ticket)
    this.settle(Exit.interrupt(FiberId.none))
  })

  granted({ idleTime, reused }: LeaseTicket, slot: Slot<Connection>): void {
    const connection = slot.connection as Connection
    const { protocol, remoteAddress } = connection
    this.settle(Exit.succeed(shownAs(
      { connection, reused, idleTime },
      () => ({ connection: { id: slot.id, protocol, remoteAddress }, reused, idleTime })
    )))
  }

  refused(_ticket: LeaseTicket, failure: Failure.Failure): void {
    this.settle(Exit.fail(fromFailure(failure)))
  }

  describe() {
    return { method: "ACQUIRE", url: this.wanted.href, bodyUnread: false }
  }

  private settle(exit: Exit.Exit<Lease, AcquireError>): void {
    if (this.settled !== undefined) return
    this.settled = exit
    this.onSettled?.(exit)
  }
}
