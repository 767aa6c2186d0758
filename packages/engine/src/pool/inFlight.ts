import type { Connection } from "../Connection.js"
import type { Phase } from "../Failure.js"
import type { LeaseTicket } from "./LeaseOwner.js"
import type { PoolState } from "./PoolState.js"

/** A request that has not ended. */
export interface InFlight {
  readonly method: string
  /** Without credentials, query and fragment. */
  readonly url: string
  /** What it waits for: see `Failure.Details`. */
  readonly phase: Phase
  /** How long ago it asked for a connection, in milliseconds. */
  readonly age: number
  /** The connection's number, as in events; undefined while it has none. */
  readonly connection: number | undefined
  /** How many bytes of the response's body have come. */
  readonly received: number
  /** Whether its response is there and nobody has begun to read the body. */
  readonly bodyUnread: boolean
  /** The caller that waits for it. */
  readonly caller: unknown
}

/** All of them: first those that hold a connection, longest first, then those that wait for one. */
export const inFlight = (pool: PoolState<Connection>, now: number): ReadonlyArray<InFlight> => {
  const all: Array<InFlight> = []
  for (const ticket of pool.leases as Iterable<LeaseTicket>) all.push(describe(ticket, now))
  for (const origin of pool.origins.values()) {
    for (const ticket of origin.waiters as Iterable<LeaseTicket>) all.push(describe(ticket, now))
  }
  return all
}

const describe = ({ isConnecting, owner, slot, waitingSince }: LeaseTicket, now: number): InFlight => {
  const { bodyUnread, method, url } = owner.describe()
  // One without a request of its own, `acquire`, is in no phase but for its wait.
  const { phase, received } = owner.progress?.() ?? { phase: slot === undefined ? "pool" : "send", received: 0 }
  return {
    method,
    url,
    phase: slot === undefined && isConnecting ? "connect" : phase,
    age: now - waitingSince,
    connection: slot?.id,
    received,
    bodyUnread,
    caller: owner.caller
  }
}
