import type { Numbers } from "./PoolState.js"

/** What a driver knows of the pool that it is a share of. */
export interface Share {
  /** A connection is told apart by its number over all of the pool. */
  readonly numbers: Numbers
  /** How many connections are reserved, and whether this is the share that has them. */
  readonly reserved: { readonly connections: number; readonly isOwn: boolean }
  /** Of the pool as a whole. */
  readonly totals: () => { readonly open: number; readonly maxConnections: number }
}
