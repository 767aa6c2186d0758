import type { CloseReason } from "../CloseReason.js"
import type { Connection } from "../Connection.js"
import type { DialStage } from "../DialStage.js"
import type { Failure } from "../Failure.js"
import type { OpenEvents } from "../Host.js"
import type { Slot } from "./entities.js"
import type { PoolCore } from "./PoolCore.js"

/** What the life of a connection means for its pool. */
export interface SlotObserver {
  readonly step: (decide: (core: PoolCore<Connection>, now: number) => void) => void
  readonly connected: (slot: Slot<Connection>, connection: Connection, wasLost: boolean) => void
  readonly dialFailed: (slot: Slot<Connection>, failure: Failure) => void
  readonly gone: (slot: Slot<Connection>) => void
  readonly dialing: (slot: Slot<Connection>, stage: () => DialStage | undefined) => void
  readonly patience: number
}

/**
 * What becomes of a connection, passed on to the core. A class and not an object of functions, because each idle
 * connection holds one of these.
 */
export class SlotEvents implements OpenEvents {
  /** The connection was made and is gone again, before the core knew it. */
  private wasLost = false

  constructor(private readonly pool: SlotObserver, private readonly slot: Slot<Connection>) {}

  get patience(): number {
    return this.pool.patience
  }

  onConnected(connection: Connection): void {
    this.pool.connected(this.slot, connection, this.wasLost)
  }

  onFailed(failure: Failure): void {
    this.pool.dialFailed(this.slot, failure)
  }

  onDialing(stage: () => DialStage | undefined): void {
    this.pool.dialing(this.slot, stage)
  }

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

  onGone(): void {
    this.pool.gone(this.slot)
  }
}
