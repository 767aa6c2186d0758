/**
 * The limits as the core uses them: plain numbers, durations in milliseconds, `Infinity` for none. The public module
 * `Limits` documents and validates them.
 */
export interface CoreLimits {
  readonly maxConnections: number
  readonly maxConnectionsPerOrigin: number
  readonly maxKeepAliveConnections: number
  readonly keepAliveExpiry: number
  readonly maxConnectionAge: number
  readonly maxRequestsPerConnection: number
  readonly maxPendingRequests: number
}
