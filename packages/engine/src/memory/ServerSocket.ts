import type { Cancel } from "../Host.js"
import { Outlet } from "./Outlet.js"
import type { Pipe, PipeReader } from "./Pipe.js"

/** Whether what was written has been taken: undefined when it has, or else what waits for it. */
export type Taken = undefined | ((then: () => void) => Cancel)

/** It never will be: nobody is there to take it. */
export const neverTaken: Taken = () => () => {}

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

  write(bytes: Uint8Array): Taken {
    if (!this.isOpen) return neverTaken
    this.outlet.write(bytes)
    return this.hasRoom ? undefined : this.whenEmpty
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

  private readonly whenEmpty = (then: () => void): Cancel => {
    this.waiters.push(then)
    return () => {
      this.waiters = this.waiters.filter((waiter) => waiter !== then)
    }
  }

  private wake(): void {
    const { waiters } = this
    this.waiters = []
    for (const waiter of waiters) waiter()
    this.onRoom()
  }
}
