/** The limits that may be others for one origin; durations in milliseconds, `Infinity` for none. */
export interface OriginLimits {
  readonly maxConnectionsPerOrigin: number
  readonly keepAliveExpiry: number
  readonly maxConnectionAge: number
  readonly maxRequestsPerConnection: number
}
