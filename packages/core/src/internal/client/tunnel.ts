import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { checkTarget } from "@sluice/engine/http1"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ExchangeRequest } from "../../Connection.js"
import { isTransportError, LocalProtocolError, type TransportError } from "../../TransportError.js"
import type { Tunnel } from "../../Tunnel.js"
import type { EffectHost } from "../EffectHost.js"
import { defaultOptions } from "./ClientOptions.js"
import type { HttpResponse } from "./HttpResponse.js"
import { prepare } from "./prepare.js"
import { PreparedRequest, WireRequest } from "./PreparedRequest.js"
import { isTraced, traced } from "./tracing.js"
import { TunnelCall } from "./TunnelCall.js"

/** A request that names the protocol to go on with. */
export const asUpgrade = (prepared: PreparedRequest): PreparedRequest | LocalProtocolError => {
  const { body, headers, origin } = prepared.wire
  const section = "RFC 9110 §7.8"
  if (headers["upgrade"] === undefined) {
    const detail = "it has no upgrade header, which names the protocol to go on with"
    return new LocalProtocolError({ origin: origin.href, reason: "InvalidHeader", detail, section })
  }
  return body._tag === "None" ? prepared : withBody(origin.href, section)
}

/** The same as a CONNECT to the authority. What the URL has of credentials is for the proxy. */
export const asConnect = (
  { body, request, target, timeouts, wire }: PreparedRequest,
  authority: string
): PreparedRequest | LocalProtocolError => {
  if (wire.body._tag !== "None") return withBody(wire.origin.href, "RFC 9110 §9.3.6")
  const invalid = checkTarget("CONNECT", authority)
  if (invalid !== undefined) {
    const { message: detail, section } = invalid
    return new LocalProtocolError({ origin: wire.origin.href, reason: "InvalidTarget", detail, section })
  }
  const headers = { ...wire.headers }
  if (target.authorization !== undefined && request.headers["authorization"] === undefined) {
    delete headers["authorization"]
    headers["proxy-authorization"] ??= target.authorization
  }
  return new PreparedRequest(
    HttpClientRequest.setMethod(request, "CONNECT" as never),
    target,
    // Nothing has gone through a tunnel that was not opened, so to ask for it again does no harm.
    new WireRequest(wire.origin, "CONNECT", authority, headers, wire.body, true),
    body,
    undefined,
    timeouts
  )
}

const withBody = (origin: string, section: string): LocalProtocolError =>
  new LocalProtocolError({ origin, reason: "InvalidBody", detail: "a request for a tunnel has no body", section })

/**
 * Opens a tunnel for as long as the Scope lasts. Uninterruptible but for the wait, so that there is no moment between
 * the answer and the finalizer.
 */
export const open = <E>(
  host: EffectHost,
  request: HttpClientRequest.HttpClientRequest,
  become: (prepared: PreparedRequest) => PreparedRequest | LocalProtocolError,
  refused: (request: ExchangeRequest, response: HttpResponse) => E
): Effect.Effect<Tunnel, TransportError | E, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiberRuntime((fiber) => {
      const options = { ...defaultOptions, timeouts: host.options.timeouts }
      const given = prepare(request, options, fiber)
      const prepared = isTransportError(given) ? given : become(given)
      if (isTransportError(prepared)) return Effect.fail(prepared)
      let opening: TunnelCall
      const send = (prepared: PreparedRequest) => {
        const call = opening = new TunnelCall(host, options, prepared, fiber)
        const answer = Effect.async<HttpResponse, TransportError>((resume) => call.start(resume))
        return Effect.matchCauseEffect(restore(answer), {
          onFailure: (cause) => {
            call.cancel()
            return Effect.failCause(cause)
          },
          onSuccess: Effect.succeed
        })
      }
      const sent = isTraced(fiber, prepared.request) ? traced(fiber, prepared, send) : send(prepared)
      return Effect.flatMap(sent, (response) => {
        const call = opening
        // One that has broken since was opened all the same: its stream tells.
        if (!call.wasOpened) return Effect.fail(refused(prepared.wire, response))
        const { finish: end, inbox: { stream } } = call
        const tunnel: Tunnel = { response, stream, write: (bytes) => call.write(bytes), end }
        return Effect.as(Effect.addFinalizer(() => Effect.sync(() => call.close())), tunnel)
      })
    })
  )
