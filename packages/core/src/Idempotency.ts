/**
 * Keys that let a server recognise a request that it has seen before, so that one sent twice has one effect.
 *
 * The field is `Idempotency-Key` of the IETF draft "The Idempotency-Key HTTP Header Field", which many services
 * understand.
 *
 * @since 0.1.0
 */
import type { HttpBody } from "@effect/platform/HttpBody"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import { type Content, IdempotencyKeys, rawContent, withoutFragment } from "@sluice/engine/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as Option from "effect/Option"
import { sourceOf } from "./internal/derivedBody.js"

/**
 * The keys of one call: a request that is sent again gets the key that it had.
 *
 * @since 0.1.0
 * @category models
 */
export interface Keys {
  readonly keyFor: (request: HttpClientRequest) => string
}

/**
 * The keys of the call that the fiber is in.
 *
 * @since 0.1.0
 * @category fiber refs
 */
export const current: FiberRef.FiberRef<Keys | undefined> = globalValue(
  Symbol.for("@sluice/core/Idempotency/current"),
  () => FiberRef.unsafeMake<Keys | undefined>(undefined)
)

/**
 * Gives the POST and PATCH requests of a call an `Idempotency-Key`, unless they have one: a key for each request, made
 * anew each time the call is run, and the same for all its retries, wherever the retrying happens, as long as it is within
 * the call. With a key such a request counts as safe to retry.
 *
 * Two requests are the same when method, URL with its query and user, and body are: bytes, text and the fields of a form
 * by what they say, files and streams by being the same object. So three different orders in a `forEach` get three keys,
 * and an order that is built anew for a retry keeps its own. Two orders that are alike in all of it look like a retry: put
 * `withKey` around each of them.
 *
 * @example
 * ```ts
 * import * as HttpBody from "@effect/platform/HttpBody"
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Idempotency from "@sluice/core/Idempotency"
 * import * as Effect from "effect/Effect"
 *
 * const order = (item: string) =>
 *   HttpClient.post("http://127.0.0.1:8080/orders", { body: HttpBody.unsafeJson({ item }) }).pipe(
 *     Effect.retry({ times: 3 }),
 *     Idempotency.withKey
 *   )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withKey = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.locally(call, current, makeKeys()))

const makeKeys = (): Keys => {
  const keys = new IdempotencyKeys(() => crypto.randomUUID())
  return { keyFor: (request) => keys.keyFor(`${request.method} ${urlOf(request)}`, contentOf(sourceOf(request.body))) }
}

/** All of the URL but its fragment, which is not sent. */
const urlOf = ({ url, urlParams }: HttpClientRequest): string =>
  Either.match(UrlParams.makeUrl(url, urlParams, Option.none()), {
    onLeft: () => url,
    onRight: withoutFragment
  })

/** What a body consists of, to be compared. */
const contentOf = (body: HttpBody): Content => {
  switch (body._tag) {
    case "Empty":
      return []
    case "Uint8Array":
      return [body.body]
    case "Raw":
      return rawContent(body.body)
    case "FormData":
      return rawContent(body.formData)
    case "Stream":
      return [body]
  }
}
