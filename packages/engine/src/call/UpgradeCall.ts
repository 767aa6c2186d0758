import * as Failure from "../Failure.js"
import { TunnelCall } from "./TunnelCall.js"

/**
 * An upgrade that was asked for by a request as any other: whoever gets the response may go on with its connection, later
 * or never. Until then it may be let go for a request that waits, as a body that nobody reads.
 */
export class UpgradeCall extends TunnelCall {
  private openedAt = 0
  private holders = 0

  /** Somebody uses the connection, until the result is called. */
  hold(): () => void {
    this.holders++
    let held = true
    return () => {
      if (held) this.holders--
      held = false
    }
  }

  private get isUnclaimed(): boolean {
    return this.isOpen && this.holders === 0
  }

  protected override opened(): void {
    this.openedAt = this.pool.time.now()
  }

  override get unreadSince(): number | undefined {
    return this.isUnclaimed ? this.openedAt : super.unreadSince
  }

  override abandonUnread(): void {
    if (!this.isOpen) return super.abandonUnread()
    this.pool.host.meter?.abandoned(this.wanted)
    this.fail(Failure.bodyAbandoned({ ...this.details(), reason: "Unread" }))
  }

  override describe() {
    const described = super.describe()
    return { ...described, bodyUnread: described.bodyUnread || this.isUnclaimed }
  }

  override scopeClosed(): void {
    if (this.isOpen) this.close()
    else super.scopeClosed()
  }
}
