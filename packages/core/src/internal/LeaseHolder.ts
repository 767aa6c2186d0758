import type { Ticket, TicketOwner } from "@sluice/engine/pool"
import type * as FiberId from "effect/FiberId"
import type { Connection } from "../Connection.js"
import type { Origin } from "../Origin.js"
import type { LeaseDescription } from "../PoolStats.js"

/**
 * Who asks the pool for a connection and holds it: a request of the client, or `ConnectionPool.acquire`.
 */
export interface LeaseHolder extends TicketOwner<Connection> {
  readonly fiberId: FiberId.FiberId
  /** Where its request goes. */
  readonly wanted: Origin
  /** What `PoolTimeout` tells of it. */
  readonly describe: () => Omit<LeaseDescription, "age">
}

export type LeaseTicket = Ticket<Connection, LeaseHolder>
