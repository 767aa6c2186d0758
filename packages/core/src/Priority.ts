/**
 * Extensible priorities (RFC 9218): which answers a server that has several to send is to send first.
 *
 * @since 0.1.0
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { dual } from "effect/Function"

/**
 * @since 0.1.0
 * @category models
 */
export interface Priority {
  /** From 0, the most urgent, to 7. Default 3 (RFC 9218 §4.1). */
  readonly urgency?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | undefined
  /** Whether a part of the answer is of use before all of it is there, as of an image. Default false (§4.2). */
  readonly incremental?: boolean | undefined
}

/**
 * Sends the priority with the request, as its `priority` header. It is a hint, over HTTP/2 as over HTTP/1.1.
 *
 * @example
 * ```ts
 * import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
 * import * as Priority from "@sluice/core/Priority"
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
    { incremental = false, urgency = 3 }: Priority
  ): HttpClientRequest.HttpClientRequest =>
    HttpClientRequest.setHeader(request, "priority", incremental ? `u=${urgency}, i` : `u=${urgency}`)
)
