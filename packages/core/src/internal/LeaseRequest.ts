import type { Refusal, Slot } from "@sluice/engine/pool"
import * as Effect from "effect/Effect"
import type * as FiberId from "effect/FiberId"
import type { Connection } from "../Connection.js"
import type { AcquireError, Lease } from "../ConnectionPool.js"
import type { Origin } from "../Origin.js"
import type { LeaseHolder, LeaseTicket } from "./LeaseHolder.js"
import type { PoolInterpreter } from "./PoolInterpreter.js"

/**
 * `ConnectionPool.acquire` under way, and the lease that it leads to.
 */
export class LeaseRequest implements LeaseHolder {
  private ticket: LeaseTicket | undefined = undefined
  private resume: ((effect: Effect.Effect<Lease, AcquireError>) => void) | undefined = undefined

  constructor(
    private readonly pool: PoolInterpreter,
    readonly wanted: Origin,
    private readonly timeout: number,
    readonly fiberId: FiberId.FiberId
  ) {}

  /** Waits for the connection. Interrupting this alone gives nothing back: see `end`. */
  readonly wait = Effect.async<Lease, AcquireError>((resume) => {
    this.resume = resume
    const ticket = this.pool.request(this.wanted, this, this.timeout, this.pool.options.timeouts.connect)
    this.ticket = ticket
    if (ticket.state === "Granted" && ticket.slot !== undefined) this.granted(ticket, ticket.slot)
  })

  /** Gives the connection back, or the place in the queue. */
  readonly end = Effect.sync(() => {
    if (this.ticket !== undefined) this.pool.abandon(this.ticket)
  })

  granted(ticket: LeaseTicket, slot: Slot<Connection>): void {
    this.ticket = ticket
    this.resume?.(Effect.succeed({
      connection: slot.connection as Connection,
      reused: ticket.reused,
      idleTime: ticket.idleTime
    }))
  }

  refused(ticket: LeaseTicket, refusal: Refusal): void {
    this.resume?.(Effect.fail(this.pool.refusalError(ticket, refusal)))
  }

  describe() {
    return { method: "ACQUIRE", url: this.wanted.href, bodyUnread: false }
  }
}
