import type { Connection } from "../Connection.js"
import type { Meter } from "../Host.js"
import type { PoolState } from "./PoolState.js"

/**
 * Keeps a meter at what one pool counts. Several pools add up, so each reports only what has changed.
 */
export class Gauges {
  private active = 0
  private idle = 0
  private leases = 0
  private waiting = 0

  constructor(private readonly meter: Meter) {}

  update(pool: PoolState<Connection>): void {
    const idle = pool.idle.size
    const active = pool.open - pool.closing - pool.dialing - idle
    if (active !== this.active) {
      this.meter.activeConnections(active - this.active)
      this.active = active
    }
    if (idle !== this.idle) {
      this.meter.idleConnections(idle - this.idle)
      this.idle = idle
    }
    if (pool.leases.size !== this.leases) {
      this.meter.activeRequests(pool.leases.size - this.leases)
      this.leases = pool.leases.size
    }
    if (pool.waiting !== this.waiting) {
      this.meter.pendingRequests(pool.waiting - this.waiting)
      this.waiting = pool.waiting
    }
  }
}
