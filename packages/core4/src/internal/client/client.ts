import { Call, TargetCache, UpgradeCall } from "@sluice/engine/call"
import type { Deadline } from "@sluice/engine/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import { type HttpClientRequest, make as makeRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type { Origin } from "../../Origin.js"
import * as Timeouts from "../../Timeouts.js"
import { isTransportError, LocalProtocolError, TotalTimeout, type TransportError } from "../../TransportError.js"
import { checkedClient } from "../callersClock.js"
import * as deadline from "../deadline.js"
import type { EffectHost } from "../EffectHost.js"
import { rememberIn } from "../kin.js"
import { withTotalOf } from "../originTotal.js"
import { scopeOf } from "../scopedRequests.js"
import * as claims from "./claims.js"
import type { ClientOptions } from "./ClientOptions.js"
import { type Decoding, makeDecodable } from "./Decoding.js"
import { FiberListener } from "./FiberListener.js"
import type { HttpResponse } from "./HttpResponse.js"
import type { PlatformRequest } from "./PlatformRequest.js"
import { prepare } from "./prepare.js"
import { redactPathOf } from "./shownRequest.js"
import type { Track } from "./StreamSource.js"
import { totalBy } from "./target.js"
import { isTraced, type Restore, traced } from "./tracing.js"
import { UpgradeListener } from "./UpgradedResponse.js"

const needsTunnel = () =>
  new LocalProtocolError({
    origin: "",
    reason: "NotSupported",
    detail: "what follows CONNECT is no response but a tunnel; open it with Tunnel.connect",
    section: "RFC 9110 §9.3.6"
  })

/** One whose body is still to come holds its connection. */
const settle = (
  fiber: Fiber.Fiber<unknown, unknown>,
  response: HttpResponse,
  decoding: Decoding | undefined
): Exit.Exit<HttpClientResponse> => {
  if (!response.isComplete) rememberIn(fiber)
  return Exit.succeed(decoding === undefined ? response : decoding.decode(response))
}

/**
 * The path of a request: prepare it, ask the pool, send it, wait. `toError` says how a failure appears to the caller.
 */
export const make = <E>(
  host: EffectHost,
  given: Omit<ClientOptions, "targets" | "decoding" | "route">,
  toError: (error: TransportError, request: HttpClientRequest) => E,
  decoding?: Decoding
): HttpClient.HttpClient.With<E> => {
  const { routes } = host.options.connector
  const options = {
    ...given,
    targets: routes?.varies === true ? undefined : new TargetCache(),
    decoding,
    route: routes && ((origin: Origin, url: object | undefined) => host.route(origin, url, false))
  }
  const totalOf = routes?.timeoutsOf && totalBy(routes.timeoutsOf)
  const track: Track = (fiber, of) => host.track(fiber, of)

  const send = (
    fiber: Fiber.Fiber<unknown, unknown>,
    prepared: PlatformRequest,
    restore: Restore
  ): Effect.Effect<HttpClientResponse, E> => {
    const { decoding, request } = prepared
    const driver = host.driverOf(prepared.wire.origin)
    const upgrade = request.headers["upgrade"] === undefined
      ? undefined
      : new UpgradeCall(driver, options, prepared, fiber.id)
    const call = upgrade ?? new Call(driver, options, prepared, fiber.id)
    scopeOf(request)?.signal.addEventListener("abort", () => call.scopeClosed(), { once: true })
    const response = Effect.callback<HttpResponse, TransportError>((resume) => {
      call.start(
        upgrade === undefined
          ? new FiberListener(fiber, request, options.onInformational, resume)
          : new UpgradeListener(upgrade, fiber, request, options.onInformational, resume)
      )
    })
    // Whatever ends the wait, an interrupt in the moment after the response too, the call gives everything back.
    return Effect.matchCauseEffect(restore(response), {
      onFailure: (cause) => {
        call.cancel()
        return Effect.failCause(Cause.map(cause, (error) => toError(error, request)))
      },
      onSuccess: (response) => settle(fiber, response, decoding)
    })
  }

  /** `mark`: what has been claimed since then is its body, or was before somebody put another one in its place. */
  const execute = (request: HttpClientRequest, mark = Infinity) =>
    Effect.withFiber<HttpClientResponse, E>((fiber) => {
      if (options.redactPath !== undefined) redactPathOf(request, options.redactPath)
      const prepared = request.method === "CONNECT" ? needsTunnel() : prepare(request, options, fiber, track)
      if (isTransportError(prepared)) {
        claims.closeSince(fiber, mark, Cause.fail(prepared))
        return Effect.fail(toError(prepared, request))
      }
      claims.releaseOthers(fiber, mark, request)
      return isTraced(fiber, request)
        ? traced(fiber, prepared, (prepared, restore) => send(fiber, prepared, restore))
        : Effect.uninterruptibleMask((restore) => send(fiber, prepared, restore))
    })

  /** One that mappers and wrappers make, which may take its time and fail. */
  const mapped = (request: Effect.Effect<HttpClientRequest, never>) =>
    Effect.withFiber<HttpClientResponse, E>((fiber) => {
      const mark = claims.mark()
      const region = fiber.getRef(Timeouts.current)
      const outer = deadline.ofRegion(region)
      if (outer !== undefined) return sent(fiber, mark, endedBy(fiber, outer, request))
      const ownOf = region?.total === undefined ? totalOf : undefined
      const total = region?.total ?? options.timeouts.total
      if (total === Infinity && ownOf === undefined) return sent(fiber, mark, request)
      return deadline.withDeadline(total, ownOf !== undefined, ownOf !== undefined, (whole) =>
        sent(
          fiber,
          mark,
          Effect.map(endedBy(fiber, whole, request), (request) => {
            whole.settle(ownOf?.(request))
            return request
          })
        ))
    })

  /** The mappers run in a fiber of their own, which may end before what it has claimed is sent. */
  const endedBy = (
    fiber: Fiber.Fiber<unknown, unknown>,
    whole: Deadline,
    request: Effect.Effect<HttpClientRequest>
  ) => {
    const adopted = Effect.flatMap(request, (request) =>
      Effect.withFiber<HttpClientRequest>((own) => {
        claims.adopt(own, fiber, request)
        return Effect.succeed(request)
      }))
    return deadline.endedBy(whole, adopted, (millis) => Effect.fail(tooLate(millis)))
  }

  const sent = (
    fiber: Fiber.Fiber<unknown, unknown>,
    mark: number,
    request: Effect.Effect<HttpClientRequest, E>
  ) =>
    Effect.matchCauseEffect(request, {
      onFailure: (cause) => {
        claims.closeSince(fiber, mark, cause)
        return Exit.failCause(cause)
      },
      onSuccess: (request) => execute(request, mark)
    })

  /** Nobody knows yet what the request would have been. */
  const tooLate = (timeout: number) =>
    toError(
      new TotalTimeout({ origin: "", phase: "pool", written: false, safeToRetry: true, timeout }),
      makeRequest("GET")("")
    )

  const client = HttpClient.makeWith<never, never, E, never>(
    // A request that nothing has been done to is there already.
    (request) =>
      Exit.isExit(request) && Exit.isSuccess(request)
        ? execute(request.value as HttpClientRequest)
        : mapped(request),
    claims.begin
  )
  return makeDecodable(
    withTotalOf(checkedClient(host, client), totalOf),
    (decoding) => make(host, given, toError, decoding)
  )
}
