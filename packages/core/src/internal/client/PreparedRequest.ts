import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { ExchangeBody, ExchangeRequest } from "../../Connection.js"
import type { Origin } from "../../Origin.js"
import type { Resolved } from "../../Timeouts.js"
import type { RequestBody } from "./RequestBody.js"
import type { Target } from "./target.js"

// Classes where literals would do: V8 makes literals that it has once seen survive in the old generation from then on,
// and there each keeps a request's whole garbage alive until the next full collection (see docs/performance.md).

/**
 * A request made ready to send.
 */
export class PreparedRequest {
  constructor(
    readonly request: HttpClientRequest,
    readonly target: Target,
    readonly wire: ExchangeRequest,
    readonly body: RequestBody,
    /** How long to wait for `100 Continue`, where the request asks for it. */
    readonly expect: number | undefined,
    readonly timeouts: Resolved
  ) {}

  /** The same with these headers besides its own. */
  withHeaders(headers: Readonly<Record<string, string>>): PreparedRequest {
    const { body, method, origin, retryable, target } = this.wire
    const wire = new WireRequest(origin, method, target, { ...this.wire.headers, ...headers }, body, retryable)
    return new PreparedRequest(this.request, this.target, wire, this.body, this.expect, this.timeouts)
  }
}

/** What a connection sees of it. */
export class WireRequest implements ExchangeRequest {
  constructor(
    readonly origin: Origin,
    readonly method: string,
    readonly target: string,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: ExchangeBody,
    readonly retryable: boolean
  ) {}
}
