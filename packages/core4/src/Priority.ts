/**
 * Extensible priorities (RFC 9218): which responses a server that has several to send is to send first.
 *
 * @since 0.1.0
 */
import * as options from "@sluice/engine/options"
import { dual, identity } from "effect/Function"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Result from "effect/Result"
import { check, once } from "./InvalidOptions.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Priority {
  /** From 0, the most urgent, to 7. Default 3 (RFC 9218 §4.1). */
  readonly urgency?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | undefined
  /** Whether a part of the response is of use before all of it is there, as of an image. Default false (§4.2). */
  readonly incremental?: boolean | undefined
}

const checkPriority = once((given) => check(options.priority, given, "Priority"))

/**
 * Sends the priority with the request, as its `priority` header. It is a hint, over HTTP/2 as over HTTP/1.1. A priority
 * that makes no sense is a mistake of the program: `InvalidOptions` is thrown.
 *
 * @example
 * ```ts
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Priority from "@sluice/core4/Priority"
 *
 * // priority: u=6, i
 * export const photograph = HttpClientRequest.get("http://127.0.0.1:8080/large.jpg").pipe(
 *   Priority.set({ urgency: 6, incremental: true })
 * )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const set: {
  (priority: Priority): (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest
  (request: HttpClientRequest.HttpClientRequest, priority: Priority): HttpClientRequest.HttpClientRequest
} = dual(
  2,
  (
    request: HttpClientRequest.HttpClientRequest,
    priority: Priority
  ): HttpClientRequest.HttpClientRequest => {
    const { incremental, urgency } = Result.getOrThrowWith(checkPriority(priority), identity)
    return HttpClientRequest.setHeader(request, "priority", incremental ? `u=${urgency}, i` : `u=${urgency}`)
  }
)
