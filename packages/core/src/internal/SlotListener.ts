import type { CloseReason } from "@sluice/engine"
import type { Slot } from "@sluice/engine/pool"
import type { Connection, ConnectionListener } from "../Connection.js"
import type { PoolInterpreter } from "./PoolInterpreter.js"

/**
 * What becomes of a connection, passed on to the core. A class and not three functions, because each idle connection
 * holds one of these.
 */
export class SlotListener implements ConnectionListener {
  /** Before the core knows it: the connection was made and is gone again. */
  wasLost = false

  constructor(private readonly pool: PoolInterpreter, private readonly slot: Slot<Connection>) {}

  onCapacity(capacity: number): void {
    this.pool.step((core, now) => core.capacityChanged(this.slot, capacity, now))
  }

  onDraining(): void {
    this.wasLost = true
    this.pool.step((core, now) => core.draining(this.slot, now))
  }

  onClosed(reason: CloseReason): void {
    this.wasLost = true
    this.pool.step((core, now) => core.lost(this.slot, reason, now))
  }

  /** Its permits are back. */
  onGone(): void {
    this.pool.connectionGone(this.slot)
  }
}
