import * as HttpClient from "@effect/platform/HttpClient"
import { type HttpClientRequest, make as makeRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { Call, TargetCache } from "@sluice/engine/call"
import type { Deadline } from "@sluice/engine/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { globalValue } from "effect/GlobalValue"
import * as RuntimeFlags from "effect/RuntimeFlags"
import type { Origin } from "../../Origin.js"
import * as Timeouts from "../../Timeouts.js"
import { isTransportError, LocalProtocolError, TotalTimeout, type TransportError } from "../../TransportError.js"
import { checkedClient } from "../callersClock.js"
import * as deadline from "../deadline.js"
import type { EffectHost } from "../EffectHost.js"
import { remember } from "../kin.js"
import { withTotalOf } from "../originTotal.js"
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
import { isTraced, traced } from "./tracing.js"

/**
 * The platform's own record of the requests whose Scope decides how long their response lives (`HttpClient.withScope`).
 * `HttpClient.make` would look here too, at many times the cost of `makeWith`.
 */
const scopedRequests = globalValue(
  "@effect/platform/HttpClient/scopedRequests",
  () => new WeakMap<HttpClientRequest, AbortController>()
)

const needsTunnel = () =>
  new LocalProtocolError({
    origin: "",
    reason: "NotSupported",
    detail: "what follows CONNECT is no response but a tunnel; open it with Tunnel.connect",
    section: "RFC 9110 §9.3.6"
  })

/** One whose body is still to come holds its connection. */
const settle = (response: HttpResponse, decoding: Decoding | undefined): Effect.Effect<HttpClientResponse> => {
  const read = decoding === undefined ? response : decoding.decode(response)
  return response.isComplete ? Exit.succeed(read) : Effect.as(remember, read)
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
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    prepared: PlatformRequest,
    isInterruptible: boolean
  ): Effect.Effect<HttpClientResponse, E> => {
    const { decoding, request } = prepared
    const call = new Call(host.driverOf(prepared.wire.origin), options, prepared, fiber.id())
    scopedRequests.get(request)?.signal.addEventListener("abort", () => call.scopeClosed(), { once: true })
    const response = Effect.async<HttpResponse, TransportError>((resume) =>
      call.start(new FiberListener(fiber, request, options.onInformational, resume))
    )
    // Whatever ends the wait, an interrupt in the moment after the response too, the call gives everything back. That is
    // `Effect.async` with a canceler, at half the cost, and `uninterruptibleMask`, of which each waiting request would
    // hold 200 bytes more.
    const wait = Effect.matchCauseEffect(isInterruptible ? Effect.interruptible(response) : response, {
      onFailure: (cause) => {
        call.cancel()
        return Effect.failCause(Cause.map(cause, (error) => toError(error, request)))
      },
      onSuccess: (response) => settle(response, decoding)
    })
    return isInterruptible ? Effect.uninterruptible(wait) : wait
  }

  /** `mark`: what has been claimed since then is its body, or was before somebody put another one in its place. */
  const execute = (request: HttpClientRequest, mark = Infinity) =>
    Effect.withFiberRuntime<HttpClientResponse, E>((fiber, { runtimeFlags }) => {
      if (options.redactPath !== undefined) redactPathOf(request, options.redactPath)
      const prepared = (request.method as string) === "CONNECT"
        ? needsTunnel()
        : prepare(request, options, fiber, track)
      if (isTransportError(prepared)) {
        claims.closeSince(fiber, mark, Cause.fail(prepared))
        return Effect.fail(toError(prepared, request))
      }
      claims.releaseOthers(fiber, mark, request)
      const isInterruptible = RuntimeFlags.interruption(runtimeFlags)
      return isTraced(fiber, request)
        ? traced(fiber, prepared, (prepared) => send(fiber, prepared, isInterruptible))
        : send(fiber, prepared, isInterruptible)
    })

  /** One that mappers and wrappers make, which may take its time and fail. */
  const mapped = (request: Effect.Effect<HttpClientRequest, never>) =>
    Effect.withFiberRuntime<HttpClientResponse, E>((fiber) => {
      const mark = claims.mark()
      const region = fiber.getFiberRef(Timeouts.current)
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
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    whole: Deadline,
    request: Effect.Effect<HttpClientRequest>
  ) => {
    const adopted = Effect.flatMap(request, (request) =>
      Effect.withFiberRuntime<HttpClientRequest>((own) => {
        claims.adopt(own, fiber, request)
        return Effect.succeed(request)
      }))
    return deadline.endedBy(whole, adopted, (millis) => Effect.fail(tooLate(millis)))
  }

  const sent = (
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
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
