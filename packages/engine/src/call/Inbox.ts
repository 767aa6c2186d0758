import type { Failure } from "../Failure.js"
import type { CallerContext, Cancel } from "../Host.js"
import { Waiters } from "./Waiters.js"

/** What an inbox asks of the exchange that its bytes come from. */
export interface InboxOwner {
  readonly pause: () => void
  readonly resume: () => void
  /** Of a waiting reader. */
  readonly captureContext: () => CallerContext | undefined
}

/**
 * - `Open`: more may come.
 * - `Ended`: the other side has said that nothing more comes.
 * - `Failed`: nothing more comes; `failure` says why.
 */
export type InboxState =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Ended" }
  | { readonly _tag: "Failed"; readonly failure: Failure }

/**
 * What has come through a tunnel and has not been read. It holds up to `maxBuffered` bytes and then exerts backpressure.
 */
export class Inbox {
  state: InboxState = { _tag: "Open" }
  private readonly chunks: Array<Uint8Array> = []
  private size = 0
  private paused = false
  private readonly waiters: Waiters

  constructor(private readonly owner: InboxOwner, private readonly maxBuffered: number) {
    this.waiters = new Waiters(() => owner.captureContext())
  }

  push(bytes: Uint8Array): void {
    this.chunks.push(bytes)
    this.size += bytes.length
    if (this.size > this.maxBuffered && !this.paused) {
      this.paused = true
      this.owner.pause()
    }
    this.waiters.notify()
  }

  end(): void {
    this.become({ _tag: "Ended" })
  }

  /** What has come before can still be read. */
  fail(failure: Failure): void {
    this.become({ _tag: "Failed", failure })
  }

  /** Calls `ready` when there is a chunk to take, or there will be none. Another reader may be first all the same. */
  whenReadable(ready: () => void): Cancel {
    return this.waiters.until(() => this.chunks.length > 0 || this.state._tag !== "Open", ready)
  }

  take(): Uint8Array | undefined {
    const chunk = this.chunks.shift()
    if (chunk === undefined) return undefined
    this.size -= chunk.length
    if (this.paused && this.size <= this.maxBuffered) {
      this.paused = false
      this.owner.resume()
    }
    return chunk
  }

  private become(state: InboxState): void {
    if (this.state._tag !== "Open") return
    this.state = state
    this.waiters.notify()
  }
}
