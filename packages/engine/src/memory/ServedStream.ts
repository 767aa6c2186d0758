import type { Cancel } from "../Host.js"
import type { RequestHead } from "./RequestReader.js"
import type { ServedRequest } from "./Served.js"

/** What follows the content that waits. */
export type StreamEnd = { readonly trailers: ReadonlyArray<string> }

/** A request of HTTP/2 at its server, and what waits to be written. */
export class ServedStream<Request extends ServedRequest> {
  /** Stops whoever responds. */
  stop: Cancel = () => {}
  /** Our side is complete. */
  hasReplied = false
  isTunnel = false
  /** Content that was received. */
  received = 0
  /** What waits for the client's windows, or for room on the wire. */
  readonly pending: Array<Uint8Array> = []
  end: StreamEnd | undefined = undefined
  private onFlushed: (() => void) | undefined = undefined

  constructor(
    readonly id: number,
    readonly head: RequestHead,
    readonly request: Request,
    /** What the client takes. */
    public sendWindow: number,
    /** What the client may send. */
    public receiveWindow: number
  ) {}

  get hasPending(): boolean {
    return this.pending.length > 0 || (this.end !== undefined && !this.hasReplied)
  }

  readonly whenFlushed = (then: () => void): Cancel => {
    this.onFlushed = then
    return () => {}
  }

  /** Nothing waits any more. */
  notifyFlushed(): void {
    const { onFlushed } = this
    this.onFlushed = undefined
    onFlushed?.()
  }

  /** As much of the first piece as there is room for. */
  take(length: number): Uint8Array {
    const [first] = this.pending
    if (length === first.length) this.pending.shift()
    else this.pending[0] = first.subarray(length)
    return first.subarray(0, length)
  }
}
