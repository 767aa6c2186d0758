import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { globalValue } from "effect/GlobalValue"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { isTransportError, LocalProtocolError, type TransportError } from "../../TransportError.js"
import type { EffectHost } from "../EffectHost.js"
import { Call } from "./Call.js"
import type { ClientOptions } from "./ClientOptions.js"
import type { HttpResponse } from "./HttpResponse.js"
import { prepare } from "./prepare.js"
import type { PreparedRequest } from "./PreparedRequest.js"
import { isTraced, traced } from "./tracing.js"

/**
 * The platform's own record of the requests whose Scope decides how long their answer lives (`HttpClient.withScope`).
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
    detail: "what follows CONNECT is no answer but a tunnel; open it with Tunnel.connect",
    section: "RFC 9110 §9.3.6"
  })

/**
 * The path of a request: prepare it, ask the pool, send it, wait. `toError` says how a failure appears to the caller.
 */
export const make = <E>(
  host: EffectHost,
  options: ClientOptions,
  toError: (error: TransportError, request: HttpClientRequest) => E
): HttpClient.HttpClient.With<E> => {
  const send = (
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    prepared: PreparedRequest,
    isInterruptible: boolean
  ): Effect.Effect<HttpResponse, E> => {
    const { request } = prepared
    const call = new Call(host, options, prepared, fiber)
    scopedRequests.get(request)?.signal.addEventListener("abort", () => call.scopeClosed(), { once: true })
    const answer = Effect.async<HttpResponse, TransportError>((resume) => call.start(resume))
    // Whatever ends the wait, an interrupt in the moment after the answer too, the call gives everything back. That is
    // `Effect.async` with a canceler, at half the cost, and `uninterruptibleMask`, of which each waiting request would
    // hold 200 bytes more.
    const wait = Effect.matchCauseEffect(isInterruptible ? Effect.interruptible(answer) : answer, {
      onFailure: (cause) => {
        call.cancel()
        return Effect.failCause(Cause.map(cause, (error) => toError(error, request)))
      },
      onSuccess: Effect.succeed
    })
    return isInterruptible ? Effect.uninterruptible(wait) : wait
  }

  const execute = (request: HttpClientRequest) =>
    Effect.withFiberRuntime<HttpResponse, E>((fiber, { runtimeFlags }) => {
      const prepared = (request.method as string) === "CONNECT" ? needsTunnel() : prepare(request, options, fiber)
      if (isTransportError(prepared)) return Effect.fail(toError(prepared, request))
      const isInterruptible = RuntimeFlags.interruption(runtimeFlags)
      return isTraced(fiber, request)
        ? traced(fiber, prepared, (prepared) => send(fiber, prepared, isInterruptible))
        : send(fiber, prepared, isInterruptible)
    })

  return HttpClient.makeWith<never, never, E, never>(
    // A request that nothing has been done to is there already.
    (request) =>
      Exit.isExit(request) && Exit.isSuccess(request)
        ? execute(request.value as HttpClientRequest)
        : Effect.flatMap(request, execute),
    Effect.succeed
  )
}
