import { Outlet, type Pipe, type PipeReader } from "@sluice/engine/memory"
import * as Effect from "effect/Effect"

/** The server's end of a connection in memory. */
export class ServerSocket {
  /** Both directions work. */
  isOpen = true
  /** There is room again. */
  onRoom: () => void = () => {}
  private readonly outlet: Outlet
  private waiters: Array<() => void> = []

  constructor(private readonly incoming: Pipe, private readonly outgoing: Pipe) {
    this.outlet = new Outlet(outgoing, () => this.wake())
  }

  /** Whether nothing waits for the wire. */
  get hasRoom(): boolean {
    return this.outlet.length === 0
  }

  readWith(reader: PipeReader): void {
    this.incoming.readWith(reader)
  }

  pause(): void {
    this.incoming.pause()
  }

  resume(): void {
    this.incoming.resume()
  }

  /** Writes without waiting for room. */
  unsafeWrite(bytes: Uint8Array): void {
    if (this.isOpen) this.outlet.write(bytes)
  }

  /** Ends when the bytes have been taken. */
  write(bytes: Uint8Array): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.isOpen) return Effect.never
      this.outlet.write(bytes)
      return this.outlet.length === 0 ? Effect.void : this.emptied
    })
  }

  /** Ends its own direction; the other one may go on (a tunnel). */
  end(): void {
    if (this.isOpen) this.outlet.end(() => {})
  }

  /** Closes both, after what was written. With bytes that nobody has read it is a reset, as it is of TCP. */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    if (this.incoming.hasUnread) this.outgoing.reset()
    else this.outlet.end(() => {})
    this.incoming.leave()
  }

  /** Breaks it, after what has been taken. */
  reset(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.outlet.drop()
    this.outgoing.reset()
    this.incoming.leave()
  }

  private readonly emptied = Effect.callback<void>((resume) => {
    const wake = () => resume(Effect.void)
    this.waiters.push(wake)
    return Effect.sync(() => {
      this.waiters = this.waiters.filter((waiter) => waiter !== wake)
    })
  })

  private wake(): void {
    const { waiters } = this
    this.waiters = []
    for (const waiter of waiters) waiter()
    this.onRoom()
  }
}
