/**
 * Fields that come after a body (RFC 9110 §6.5): what is known only when all of it has been sent, such as a checksum or
 * the outcome of a call of gRPC.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Headers from "effect/http/Headers"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { HttpResponse } from "./internal/client/HttpResponse.js"
import { BodyWithTrailers } from "./internal/client/RequestBody.js"
import { originalOf } from "./internal/DerivedResponse.js"
import { argument } from "./InvalidOptions.js"

/**
 * Sends these fields after the body that the request has now. They are asked for when all of it has been sent, each
 * time that it is. Set them after the body: another body has none.
 *
 * Such a body is a stream without a length, in chunks over HTTP/1.1, and as any stream it is not sent again by
 * `Redirects` and `Retry`. A `trailer` header that names the fields is the caller's to set, where the server wants it.
 *
 * A request whose trailers fail, or are none that RFC 9110 §6.5.1 allows, fails with `RequestBodyError`, for its body
 * is on its way by then; its connection is closed (HTTP/1.1) or its stream reset (HTTP/2).
 *
 * @example
 * ```ts
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Trailers from "@sluice/core4/Trailers"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const upload = (chunks: Stream.Stream<Uint8Array>) => {
 *   let size = 0
 *   const counted = Stream.tap(chunks, (chunk) => Effect.sync(() => size += chunk.length))
 *   return HttpClientRequest.post("http://127.0.0.1:8080/files").pipe(
 *     HttpClientRequest.bodyStream(counted),
 *     HttpClientRequest.setHeader("trailer", "x-size"),
 *     Trailers.set(Effect.sync(() => ({ "x-size": String(size) })))
 *   )
 * }
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const set: {
  (
    trailers: Effect.Effect<Readonly<Record<string, string>>, unknown>
  ): (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest
  (
    request: HttpClientRequest.HttpClientRequest,
    trailers: Effect.Effect<Readonly<Record<string, string>>, unknown>
  ): HttpClientRequest.HttpClientRequest
} = dual(
  2,
  (
    request: HttpClientRequest.HttpClientRequest,
    trailers: Effect.Effect<Readonly<Record<string, string>>, unknown>
  ): HttpClientRequest.HttpClientRequest =>
    HttpClientRequest.setBody(
      request,
      new BodyWithTrailers(
        request.body,
        argument("Trailers.set: trailers", trailers, Effect.isEffect, "an Effect of the fields")
      )
    )
)

/**
 * The fields that came after the body of a response. There are none before all of it has arrived, which it has when it
 * has been read to its end, and none of a response that is not this client's.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Trailers from "@sluice/core4/Trailers"
 * import * as Effect from "effect/Effect"
 *
 * const checked = Effect.gen(function*() {
 *   const response = yield* HttpClient.get("http://127.0.0.1:8080/report")
 *   const text = yield* response.text
 *   return { text, checksum: Trailers.get(response)["x-checksum"] }
 * })
 * ```
 *
 * @since 0.1.0
 * @category accessors
 */
export const get = (response: HttpClientResponse): Headers.Headers => {
  const original = originalOf(response)
  return original instanceof HttpResponse ? original.trailers : Headers.empty
}
