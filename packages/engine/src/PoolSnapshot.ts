/**
 * Counts of the pool, or of one origin. A connection is in one of `active`, `idle`, `dialing` and `closing`; their sum
 * is `open`, the permits that are out.
 */
export interface Counts {
  /** Sockets open, being made or being closed: the permits out. */
  readonly open: number
  /** Connections with at least one request. */
  readonly active: number
  /** Connections kept for the next request. */
  readonly idle: number
  readonly dialing: number
  /** Connections being closed: their permits come back when their sockets are gone. */
  readonly closing: number
  /** Requests that wait for a connection. */
  readonly waiting: number
}

/** A request that holds a connection. */
export interface LeaseDescription {
  readonly method: string
  /** Without credentials, query and fragment; its beginning, where it is longer than 200 characters. */
  readonly url: string
  /** How long it has held the connection, in milliseconds. */
  readonly age: number
  /** Whether its response is there and nobody has begun to read the body. */
  readonly bodyUnread: boolean
}

/**
 * What `PoolTimeout` shows of the pool: why there was no connection, and who held them. Leases are those of the origin
 * alone when it has all the connections that `maxConnectionsPerOrigin` allows: others are no reason to wait then.
 */
export interface PoolSnapshot extends Counts {
  /** Of the share of the pool that the origin has its connections from, as the counts are, where some are reserved. */
  readonly maxConnections: number
  readonly maxConnectionsPerOrigin: number
  /** The origin that the request was for. */
  readonly origin: Counts
  /** Where connections are reserved for some origins: how many, and whether this origin is one of those. */
  readonly reserved?: { readonly connections: number; readonly isOwn: boolean } | undefined
  /** How many requests at once the server takes over a connection of the origin, where that is what was full. */
  readonly streamLimit?: number | undefined
  /** The leases held longest, at most five. */
  readonly longestHeld: ReadonlyArray<LeaseDescription>
  /** How many leases the waiting fiber holds itself. */
  readonly heldByThisFiber: number
  /** How many the fibers hold that it was forked from, or that it has joined. */
  readonly heldByKin: number
  /** What the last attempt to connect to the origin failed with, if none has succeeded since, and how long ago. */
  readonly lastFailure?: { readonly detail: string; readonly ago: number } | undefined
}
