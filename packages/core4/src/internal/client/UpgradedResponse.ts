import type { CallResponse, UpgradeCall } from "@sluice/engine/call"
import * as Effect from "effect/Effect"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { Socket } from "effect/socket/Socket"
import { FiberListener } from "./FiberListener.js"
import { HttpResponse } from "./HttpResponse.js"
import { socketOf } from "./tunnelSocket.js"

/** A response that opened a tunnel: `upgrade` hands it over. */
class UpgradedResponse extends HttpResponse {
  constructor(sent: HttpClientRequest, response: CallResponse, private readonly call: UpgradeCall) {
    super(sent, response)
  }

  /** It holds its connection, whatever there is to read. */
  override get isComplete(): boolean {
    return !this.call.isOpen
  }

  override get upgrade(): Effect.Effect<Socket> {
    return Effect.sync(() => socketOf(this.call))
  }

  override discard(): void {
    this.call.cancel()
  }
}

/** Of a request that asks for an upgrade. Refused, its response is one as any other. */
export class UpgradeListener extends FiberListener {
  constructor(private readonly call: UpgradeCall, ...given: ConstructorParameters<typeof FiberListener>) {
    super(...given)
  }

  protected override toResponse(response: CallResponse): HttpResponse {
    return this.call.wasOpened
      ? new UpgradedResponse(this.request, response, this.call)
      : super.toResponse(response)
  }
}
