import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { globalValue } from "effect/GlobalValue"
import type { TransportError } from "../../TransportError.js"
import type { PoolInterpreter } from "../PoolInterpreter.js"
import { Call, type PreparedRequest } from "./Call.js"
import type { ClientOptions } from "./ClientOptions.js"
import { HttpResponse } from "./HttpResponse.js"
import { prepare } from "./prepare.js"
import { isTraced, traced } from "./tracing.js"

/**
 * The platform's own record of the requests whose Scope decides how long their answer lives (`HttpClient.withScope`).
 * `HttpClient.make` would look here too, at many times the cost of `makeWith`.
 */
const scopedRequests = globalValue(
  "@effect/platform/HttpClient/scopedRequests",
  () => new WeakMap<HttpClientRequest, AbortController>()
)

/**
 * The path of a request: prepare it, ask the pool, send it, wait. `toError` says how a failure appears to the caller.
 */
export const make = <E>(
  pool: PoolInterpreter,
  options: ClientOptions,
  toError: (error: TransportError, request: HttpClientRequest) => E
): HttpClient.HttpClient.With<E> => {
  const send = (fiber: Fiber.RuntimeFiber<unknown, unknown>, prepared: PreparedRequest) =>
    Effect.async<HttpResponse, E>((resume) => {
      const { request } = prepared
      const call = new Call(
        pool,
        options,
        prepared,
        fiber,
        (answer) => resume(Exit.succeed(new HttpResponse(request, answer))),
        (error) => resume(Exit.fail(toError(error, request)))
      )
      scopedRequests.get(request)?.signal.addEventListener("abort", () => call.scopeClosed(), { once: true })
      call.start()
      return Effect.sync(() => call.cancel())
    })

  const execute = (request: HttpClientRequest) =>
    Effect.withFiberRuntime<HttpResponse, E>((fiber) => {
      const prepared = prepare(request, options, fiber)
      if (Either.isLeft(prepared)) return Effect.fail(toError(prepared.left, request))
      if (!isTraced(fiber, request)) return send(fiber, prepared.right)
      return traced(fiber, prepared.right, (headers) => {
        const { wire } = prepared.right
        return send(fiber, { ...prepared.right, wire: { ...wire, headers: { ...wire.headers, ...headers } } })
      })
    })

  return HttpClient.makeWith<never, never, E, never>(Effect.flatMap(execute), Effect.succeed)
}
