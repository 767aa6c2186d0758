import type * as Fiber from "effect/Fiber"
import type { MemoryRequest } from "../MemoryRequest.js"

/** What follows the content that waits. */
export type StreamEnd = { readonly trailers: ReadonlyArray<string> }

/** A request of HTTP/2 at its server: the fiber that responds to it, and what waits to be written. */
export class ServedStream {
  fiber: Fiber.Fiber<void> | undefined = undefined
  /** Our side is complete. */
  hasReplied = false
  isTunnel = false
  /** Content that was received. */
  received = 0
  /** What waits for the client's windows, or for room on the wire. */
  readonly pending: Array<Uint8Array> = []
  end: StreamEnd | undefined = undefined
  /** Nothing waits any more. */
  onFlushed: (() => void) | undefined = undefined

  constructor(
    readonly id: number,
    readonly request: MemoryRequest,
    /** What the client takes. */
    public sendWindow: number,
    /** What the client may send. */
    public receiveWindow: number
  ) {}

  get hasPending(): boolean {
    return this.pending.length > 0 || (this.end !== undefined && !this.hasReplied)
  }

  /** As much of the first piece as there is room for. */
  take(length: number): Uint8Array {
    const [first] = this.pending
    if (length === first.length) this.pending.shift()
    else this.pending[0] = first.subarray(length)
    return first.subarray(0, length)
  }
}
