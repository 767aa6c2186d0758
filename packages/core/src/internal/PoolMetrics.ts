import type { PoolState } from "@sluice/engine/pool"
import type { Connection } from "../Connection.js"
import * as metrics from "./metrics.js"

const noTags: [] = []

/**
 * Keeps Effect's metrics at what one pool counts. Several pools add up, so each tells only what has changed.
 */
export class PoolMetrics {
  private active = 0
  private idle = 0
  private leases = 0
  private waiting = 0

  update(pool: PoolState<Connection>): void {
    const idle = pool.idle.size
    const active = pool.open - pool.closing - pool.dialing - idle
    if (active !== this.active) {
      metrics.activeConnections.unsafeUpdate(active - this.active, noTags)
      this.active = active
    }
    if (idle !== this.idle) {
      metrics.idleConnections.unsafeUpdate(idle - this.idle, noTags)
      this.idle = idle
    }
    if (pool.leases.size !== this.leases) {
      metrics.activeRequests.unsafeUpdate(pool.leases.size - this.leases, noTags)
      this.leases = pool.leases.size
    }
    if (pool.waiting !== this.waiting) {
      metrics.pendingRequests.unsafeUpdate(pool.waiting - this.waiting, noTags)
      this.waiting = pool.waiting
    }
  }

  waited(millis: number): void {
    metrics.waitTime.unsafeUpdate(millis / 1000, noTags)
  }

  refused(reason: string): void {
    metrics.refusedRequests(reason).unsafeUpdate(1, noTags)
  }

  closed(millis: number): void {
    metrics.connectionDuration.unsafeUpdate(millis / 1000, noTags)
  }
}
