import type { ExchangeBody, ExchangeRequest } from "../Connection.js"
import type { Origin } from "../Origin.js"
import type { RequestTimeouts } from "../RequestTimeouts.js"
import type { BodySource } from "./BodySource.js"

// Classes where literals would do: V8 makes literals that it has once seen survive in the old generation from then on,
// and there each keeps a request's whole garbage alive until the next full collection (see docs/performance.md).

/** What is the same for all requests of a client, in bytes. */
export interface CallOptions {
  readonly maxBufferedBody: number
  readonly maxDiscardedBody: number
  readonly maxResponseSize: number
}

/**
 * A request made ready to send.
 */
export class PreparedRequest {
  /** How often it was sent again, because its connection turned out to be closed. */
  retries = 0

  constructor(
    readonly wire: WireRequest,
    /** Where its body comes from, when that is not there in one piece. */
    readonly source: BodySource | undefined,
    /** How long to wait for `100 Continue`, where the request asks for it. */
    readonly expect: number | undefined,
    /** What a snapshot of the pool shows of it: origin and path. */
    readonly url: string,
    readonly timeouts: RequestTimeouts
  ) {}
}

/** What a connection sees of it. */
export class WireRequest implements ExchangeRequest {
  constructor(
    readonly origin: Origin,
    readonly method: string,
    readonly target: string,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: ExchangeBody,
    /** No longer once something was read of a body that can be read once. */
    public retryable: boolean
  ) {}

  /** The server of this origin is asked for a host of another name: it, and no other (RFC 9110 §7.4). */
  get hasOwnHost(): boolean {
    const { host } = this.headers
    return host !== undefined && host.toLowerCase() !== this.origin.authority.toLowerCase()
  }
}
