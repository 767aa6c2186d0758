import type { Cancel, Failure } from "@sluice/engine"
import { copyHeaders, type Inbox, TunnelCall, WireRequest } from "@sluice/engine/call"
import { checkTarget } from "@sluice/engine/http1"
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ExchangeRequest } from "../../Connection.js"
import { fromFailure, isTransportError, LocalProtocolError, type TransportError } from "../../TransportError.js"
import type { EffectHost } from "../EffectHost.js"
import { remember } from "../kin.js"
import { callback } from "../soon.js"
import { type ClientOptions, defaultOptions } from "./ClientOptions.js"
import { FiberListener } from "./FiberListener.js"
import type { HttpResponse } from "./HttpResponse.js"
import { PlatformRequest } from "./PlatformRequest.js"
import { basic, prepare } from "./prepare.js"
import { isTraced, type Restore, traced } from "./tracing.js"

/**
 * Both directions of an open tunnel. Each ends by itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tunnel {
  /**
   * The response that opened it: its status and headers, and by `PooledHttpClient.connectionInfo` how it came. It has no
   * body: what comes after it is `stream`.
   */
  readonly response: HttpClientResponse
  /**
   * What the other side sends, from the first byte after the head on, until it ends its side. It can be run again, and
   * goes on where it was left. Up to 256 KiB are kept for a reader that is slow; then the other side has to wait.
   */
  readonly stream: Stream.Stream<Uint8Array, TransportError>
  /**
   * Hands bytes to the connection, and waits while it has no room. They must not be changed afterwards. An interrupt
   * leaves open how many of them were sent.
   */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, TransportError>
  /**
   * Ends our side, and waits until all that was written has been handed to the system. The other side may go on. Without
   * it, the end of the Scope throws away what has not been sent.
   */
  readonly end: Effect.Effect<void, TransportError>
}

/** A request that names the protocol to go on with. */
export const asUpgrade = (prepared: PlatformRequest): PlatformRequest | LocalProtocolError => {
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
  { request, source, target, timeouts, wire }: PlatformRequest,
  authority: string
): PlatformRequest | LocalProtocolError => {
  if (wire.body._tag !== "None") return withBody(wire.origin.href, "RFC 9110 §9.3.6")
  // What is no text is no authority either.
  const invalid = checkTarget("CONNECT", typeof authority === "string" ? authority : "")
  if (invalid !== undefined) {
    const { message: detail, section } = invalid
    return new LocalProtocolError({ origin: wire.origin.href, reason: "InvalidTarget", detail, section })
  }
  const headers = copyHeaders(wire.headers)
  const given = request.headers["proxy-authorization"]
  if (given !== undefined) headers["proxy-authorization"] = given
  if (target.credentials !== undefined && request.headers["authorization"] === undefined) {
    delete headers["authorization"]
    headers["proxy-authorization"] ??= basic(target.credentials)
  }
  return new PlatformRequest(
    HttpClientRequest.setMethod(request, "CONNECT" as never),
    target,
    // Nothing has gone through a tunnel that was not opened, so to ask for it again does no harm.
    new WireRequest(wire.origin, "CONNECT", authority, headers, wire.body, true),
    source,
    undefined,
    timeouts
  )
}

const withBody = (origin: string, section: string): LocalProtocolError =>
  new LocalProtocolError({ origin, reason: "InvalidBody", detail: "a request for a tunnel has no body", section })

/**
 * Opens a tunnel for as long as the Scope lasts. Uninterruptible but for the wait, so that there is no moment between
 * the response and the finalizer.
 */
export const open = <E>(
  host: EffectHost,
  request: HttpClientRequest.HttpClientRequest,
  become: (prepared: PlatformRequest) => PlatformRequest | LocalProtocolError,
  refused: (request: ExchangeRequest, response: HttpResponse) => E
): Effect.Effect<Tunnel, TransportError | E, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiber((fiber) => {
      const options: ClientOptions = {
        ...defaultOptions,
        timeouts: host.options.timeouts,
        route: host.options.connector.routes && ((origin, url) => host.route(origin, url, true))
      }
      const given = prepare(request, options, fiber, (fiber, of) => host.track(fiber, of))
      const prepared = isTransportError(given) ? given : become(given)
      if (isTransportError(prepared)) {
        if (!isTransportError(given)) given.source?.destroy(prepared)
        return Effect.fail(prepared)
      }
      let opening: TunnelCall
      const send = (prepared: PlatformRequest, restore: Restore) => {
        const call = opening = new TunnelCall(host.driverOf(prepared.wire.origin), options, prepared, fiber.id)
        const response = Effect.callback<HttpResponse, TransportError>((resume) => {
          call.start(new FiberListener(fiber, prepared.request, undefined, resume))
        })
        return Effect.matchCauseEffect(restore(response), {
          onFailure: (cause) => {
            call.cancel()
            return Effect.failCause(cause)
          },
          onSuccess: (response) => Effect.as(remember, response)
        })
      }
      const sent = isTraced(fiber, prepared.request)
        ? traced(fiber, prepared, (prepared) => send(prepared, restore))
        : send(prepared, restore)
      return Effect.flatMap(sent, (response) => {
        const call = opening
        // One that has broken since was opened all the same: its stream says so.
        if (!call.wasOpened) return Effect.fail(refused(prepared.wire, response))
        const tunnel: Tunnel = {
          response,
          stream: streamOf(call.inbox),
          write: (bytes) => waitFor((done) => call.write(bytes, done)),
          end: waitFor((done) => call.finish(done))
        }
        return Effect.as(Effect.addFinalizer(() => Effect.sync(() => call.close())), tunnel)
      })
    })
  )

const waitFor = (
  start: (done: (failure: Failure.Failure | undefined) => void) => Cancel
): Effect.Effect<void, TransportError> =>
  callback((resume) => {
    const cancel = start((failure) => resume(failure === undefined ? Exit.void : Exit.fail(fromFailure(failure))))
    return Effect.sync(cancel)
  })

type Pull = Effect.Effect<Arr.NonEmptyReadonlyArray<Uint8Array>, TransportError | Cause.Done>

/** Run again it goes on where it was left: each of its chunks holds one of the tunnel's, and none is taken in advance. */
const streamOf = (inbox: Inbox): Stream.Stream<Uint8Array, TransportError> => {
  const pull: Pull = callback((resume) => {
    const cancel = inbox.whenReadable(() => resume(Effect.suspend(take)))
    return Effect.sync(cancel)
  })
  const take = (): Pull => {
    const chunk = inbox.take()
    if (chunk !== undefined) return Effect.succeed([chunk])
    switch (inbox.state._tag) {
      case "Open":
        // Another reader was first.
        return pull
      case "Ended":
        return Cause.done()
      case "Failed":
        return Effect.fail(fromFailure(inbox.state.failure))
    }
  }
  return Stream.fromPull(Effect.succeed(pull))
}
