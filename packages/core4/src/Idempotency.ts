/**
 * Keys that let a server recognise a request that it has seen before, so that one sent twice has one effect.
 *
 * The field is `Idempotency-Key` of the IETF draft "The Idempotency-Key HTTP Header Field", which many services
 * understand.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpBody } from "effect/http/HttpBody"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Url from "effect/http/Url"
import * as Result from "effect/Result"
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
export const current: Context.Reference<Keys | undefined> = Context.Reference(
  "@sluice/core4/Idempotency/current",
  { defaultValue: (): Keys | undefined => undefined }
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
 * import * as HttpBody from "effect/http/HttpBody"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Idempotency from "@sluice/core4/Idempotency"
 * import * as Effect from "effect/Effect"
 *
 * const order = (item: string) =>
 *   HttpClient.post("http://127.0.0.1:8080/orders", { body: HttpBody.jsonUnsafe({ item }) }).pipe(
 *     Effect.retry({ times: 3 }),
 *     Idempotency.withKey
 *   )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withKey = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.provideService(call, current, makeKeys()))

const makeKeys = (): Keys => {
  /** The requests seen at a method and URL, distinguished by their bodies. */
  const seen = new Map<string, Array<{ readonly content: ReadonlyArray<unknown>; readonly key: string }>>()
  return {
    keyFor: (request) => {
      const target = `${request.method} ${urlOf(request)}`
      const requests = seen.get(target) ?? []
      seen.set(target, requests)
      const content = contentOf(sourceOf(request.body))
      const known = requests.find((other) => isSame(other.content, content))
      if (known !== undefined) return known.key
      const key = crypto.randomUUID()
      requests.push({ content, key })
      return key
    }
  }
}

/** All of the URL but its fragment, which is not sent. */
const urlOf = ({ url, urlParams }: HttpClientRequest): string =>
  Result.match(Url.make(url, urlParams, undefined), {
    onFailure: () => url,
    onSuccess: ({ hash, href }) => hash === "" ? href : href.slice(0, -hash.length)
  })

/** What a body consists of, to be compared. It is kept, not hashed: two orders must never be taken for one. */
const contentOf = (body: HttpBody): ReadonlyArray<unknown> => {
  switch (body._tag) {
    case "Empty":
      return []
    case "Uint8Array":
      return [body.body]
    case "Raw":
      return rawContent(body.body)
    case "FormData":
      return formContent(body.formData)
    case "Stream":
      return [body]
  }
}

const rawContent = (raw: unknown): ReadonlyArray<unknown> =>
  raw instanceof URLSearchParams
    ? [String(raw)]
    : raw instanceof FormData
    ? formContent(raw)
    : raw instanceof ArrayBuffer
    ? [new Uint8Array(raw)]
    : [raw]

const formContent = (form: FormData): ReadonlyArray<unknown> => [...form.entries()].flat()

const isSame = (a: ReadonlyArray<unknown>, b: ReadonlyArray<unknown>): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i] || isSameBytes(value, b[i]))

const isSameBytes = (a: unknown, b: unknown): boolean =>
  a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i])
