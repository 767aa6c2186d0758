import { hrefOf } from "../Origin.js"
import type { CoreLimits } from "./CoreLimits.js"
import type { PoolDriver } from "./PoolDriver.js"
import type { Numbers } from "./PoolState.js"
import type { Share } from "./Share.js"

/**
 * Connections that are for some origins and for nobody else, as an exporter's, which has most to say when the pool is
 * full. It is a share of the pool with a driver of its own: what is reserved is taken off what the others may have, so
 * that the limit over all holds by addition, and neither waits for the other.
 */
export interface Reserve {
  /** Their `href`. */
  readonly origins: ReadonlySet<string>
  readonly connections: number
  driver: PoolDriver | undefined
}

/** What the drivers of both shares know of the pool; undefined where nothing is reserved. */
export const sharesOf = (
  reserve: Reserve | undefined,
  totals: Share["totals"]
): { readonly own: Share; readonly others: Share } | undefined => {
  if (reserve === undefined) return undefined
  const { connections } = reserve
  const numbers: Numbers = { next: 1 }
  return {
    own: { numbers, totals, reserved: { connections, isOwn: true } },
    others: { numbers, totals, reserved: { connections, isOwn: false } }
  }
}

export const reserveOf = (
  { reserved: { connections, origins } }: {
    readonly reserved: { readonly origins: ReadonlyArray<string>; readonly connections: number }
  }
): Reserve | undefined =>
  origins.length === 0
    ? undefined
    : { origins: new Set(origins.map((url) => hrefOf(url) ?? url)), connections, driver: undefined }

/** What is left for the others: one connection at least. */
export const withoutReserve = (limits: CoreLimits, reserve: Reserve | undefined): CoreLimits =>
  reserve === undefined
    ? limits
    : { ...limits, maxConnections: Math.max(1, limits.maxConnections - reserve.connections) }
