import type { OriginLimits } from "../OriginLimits.js"

/**
 * The limits as the core uses them: plain numbers, durations in milliseconds, `Infinity` for none. The public module
 * `Limits` documents and validates them.
 */
export interface CoreLimits extends OriginLimits {
  readonly maxConnections: number
  readonly maxKeepAliveConnections: number
  readonly maxPendingRequests: number
}
