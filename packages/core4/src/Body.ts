/**
 * The bodies of responses, and how long they hold their connections.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { HttpResponse } from "./internal/client/HttpResponse.js"
import { originalOf } from "./internal/DerivedResponse.js"

/**
 * The body of this response will be read, however late: it is never abandoned for a request that waits. Without it a body
 * that nobody has begun to read holds its connection for `unreadBodyGrace` at most while others wait. It is for who has a
 * response long before its reader: a gateway that responds first and pipes later.
 *
 * What is held counts against the limits until it has been read or discarded (`PooledHttpClient.discard`); a
 * `PoolTimeout` names it. Nothing happens to a response that is not this client's.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Body from "@sluice/core4/Body"
 * import * as Effect from "effect/Effect"
 *
 * const later = Effect.gen(function*() {
 *   const response = yield* HttpClient.get("http://127.0.0.1:8080/export")
 *   yield* Body.hold(response)
 *   return response.stream
 * })
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const hold = (response: HttpClientResponse): Effect.Effect<void> =>
  Effect.sync(() => {
    const original = originalOf(response)
    if (original instanceof HttpResponse) original.hold()
  })
