import type { RequestTimeouts } from "@sluice/engine"
import { type BodySource, copyHeaders, PreparedRequest, type Target, WireRequest } from "@sluice/engine/call"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { Decoding } from "./Decoding.js"

/**
 * A request of the platform made ready to send. A class and not a literal: see `PreparedRequest`.
 */
export class PlatformRequest extends PreparedRequest {
  constructor(
    readonly request: HttpClientRequest,
    readonly target: Target,
    wire: WireRequest,
    source: BodySource | undefined,
    expect: number | undefined,
    timeouts: RequestTimeouts,
    /** Its response is decoded by this. */
    readonly decoding: Decoding | undefined = undefined
  ) {
    super(wire, source, expect, target.display, timeouts)
  }

  /** The same with these headers besides its own. */
  withHeaders(headers: Readonly<Record<string, string>>): PlatformRequest {
    const { body, method, origin, retryable, target } = this.wire
    const all = Object.assign(copyHeaders(this.wire.headers), headers)
    const wire = new WireRequest(origin, method, target, all, body, retryable)
    return new PlatformRequest(this.request, this.target, wire, this.source, this.expect, this.timeouts, this.decoding)
  }
}
