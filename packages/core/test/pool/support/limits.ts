import type { CoreLimits } from "@sluice/engine/pool"

export const roomy: CoreLimits = {
  maxConnections: 100,
  maxConnectionsPerOrigin: Infinity,
  maxKeepAliveConnections: 100,
  keepAliveExpiry: Infinity,
  maxConnectionAge: Infinity,
  maxRequestsPerConnection: Infinity,
  maxPendingRequests: Infinity
}

export const limits = (some: Partial<CoreLimits>): CoreLimits => ({ ...roomy, ...some })
