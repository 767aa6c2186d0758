import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { Failure } from "@sluice/engine"
import type { CallListener, CallResponse } from "@sluice/engine/call"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { ExchangeHead } from "../../Connection.js"
import { fromFailure, type TransportError } from "../../TransportError.js"
import { kinOf } from "../kin.js"
import type { ClientOptions } from "./ClientOptions.js"
import { HttpResponse } from "./HttpResponse.js"

/** What `Effect.async` gives. */
type Resume = (exit: Exit.Exit<HttpResponse, TransportError>) => void

/**
 * Resumes a fiber with what has become of its call.
 */
export class FiberListener implements CallListener {
  constructor(
    private readonly fiber: Fiber.RuntimeFiber<unknown, unknown>,
    private readonly request: HttpClientRequest,
    private readonly hook: ClientOptions["onInformational"],
    private readonly resume: Resume
  ) {}

  onResponse(response: CallResponse): void {
    this.resume(Exit.succeed(new HttpResponse(this.request, response)))
  }

  onFailure(failure: Failure.Failure): void {
    this.resume(Exit.fail(fromFailure(failure)))
  }

  kin(): ReadonlyArray<unknown> {
    return kinOf(this.fiber)
  }

  onInformational(head: ExchangeHead): unknown {
    return this.hook?.(this.request, head)
  }
}
