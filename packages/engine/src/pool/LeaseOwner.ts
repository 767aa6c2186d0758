import type { Connection } from "../Connection.js"
import type { Failure, Phase } from "../Failure.js"
import type { CallerContext } from "../Host.js"
import type { Origin } from "../Origin.js"
import type { LeaseDescription } from "../PoolSnapshot.js"
import type { Slot, Ticket } from "./entities.js"

/**
 * Who asks the pool for a connection and holds it: a request, or `acquire` of a face.
 */
export interface LeaseOwner {
  /** Where its request goes. */
  readonly wanted: Origin
  /** False: only a connection of its own origin will do, not one that several share. */
  readonly sharesConnections?: boolean
  /** The caller, a fiber for example; compared by identity, for `PoolSnapshot.heldByThisFiber`. */
  readonly caller: unknown
  /** Others whose leases are as good as its own: they may be unable to go on before it does. */
  readonly kin?: (() => ReadonlyArray<unknown>) | undefined
  /** What `PoolTimeout` says of it. */
  readonly describe: () => Omit<LeaseDescription, "age">
  /** How far its request is, for the list of those in flight. Absent for an owner that has no request. */
  readonly progress?: () => { readonly phase: Phase; readonly received: number }
  /**
   * Since when its response is there and nobody has begun to read the body, of which something is still to come; undefined
   * while that is not so. Absent for an owner that has no response.
   */
  readonly unreadSince?: number | undefined
  /** Abandons the unread body, and the connection at once: a request waits that it helps. */
  readonly abandonUnread?: () => void
  /** What its notifications run in; undefined where no context was captured. */
  readonly context: CallerContext | undefined
  /** It holds the connection from now on. Not called after `PoolDriver.abandon`, and never inside of a step. */
  granted(ticket: LeaseTicket, slot: Slot<Connection>): void
  /** It gets none. Not called after `PoolDriver.abandon`, and never inside of a step. */
  refused(ticket: LeaseTicket, failure: Failure): void
}

export type LeaseTicket = Ticket<Connection, LeaseOwner>
