/**
 * Following redirects as RFC 9110 §15.4 and the Fetch standard say. The platform's own `HttpClient.followRedirects`
 * keeps the method and sends credentials to whatever host it is sent to.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { ResponseError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import { discard } from "./internal/client/discard.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How many redirects in a row are followed. One more is a `ResponseError`. Default 20. */
  readonly maxRedirects?: number | undefined
}

/** They are for the origin that they were given for (RFC 9110 §15.4). */
const credentials = ["authorization", "cookie", "proxy-authorization"]

/** They describe content that is no longer sent. */
const contentFields = ["content-type", "content-length", "content-encoding", "content-language", "content-location"]

/**
 * Follows redirects:
 *
 * - 301 and 302 make a GET of a POST; 303 makes a GET of everything but HEAD; 307 and 308 change nothing.
 * - Credentials (`Authorization`, `Cookie`) are left out when the origin changes, except from http to https on the same
 *   host.
 * - The fragment is kept when the new location has none.
 * - The answer in between is discarded first, so that one connection is enough.
 * - A redirect without a location, and one that would need a streamed body again, are answers like any other; a
 *   location that is no http URL and one redirect too many fail with `ResponseError`.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Redirects from "@sluice/core/Redirects"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const client = Redirects.follow(yield* HttpClient.HttpClient, { maxRedirects: 5 })
 *   return yield* client.get("http://127.0.0.1:8080/old")
 * })
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const follow: {
  (
    options?: Options
  ): <E, R>(client: HttpClient.HttpClient.With<E, R>) => HttpClient.HttpClient.With<E | ResponseError, R>
  <E, R>(
    client: HttpClient.HttpClient.With<E, R>,
    options?: Options
  ): HttpClient.HttpClient.With<E | ResponseError, R>
} = dual(
  (args) => isClient(args[0]),
  <E, R>(client: HttpClient.HttpClient.With<E, R>, options: Options = {}) => {
    const maxRedirects = options.maxRedirects ?? 20
    const step = (
      response: HttpClientResponse,
      followed: number
    ): Effect.Effect<HttpClientResponse, E | ResponseError, R> => {
      const next = nextRequest(response)
      if (next === undefined) return Effect.succeed(response)
      if (Either.isLeft(next)) return Effect.zipRight(discard(response), Effect.fail(next.left))
      if (followed >= maxRedirects) {
        return Effect.zipRight(discard(response), Effect.fail(failure(response, `more than ${maxRedirects} redirects`)))
      }
      return discard(response).pipe(
        Effect.zipRight(send(client, next.right)),
        Effect.flatMap((answer) => step(answer, followed + 1))
      )
    }
    return HttpClient.transformResponse(client, Effect.flatMap((response) => step(response, 0)))
  }
)

const isClient = (value: unknown): value is HttpClient.HttpClient =>
  typeof value === "object" && value !== null && HttpClient.TypeId in value

/**
 * Sends a request as it is. `execute` would first change it as `mapRequest` says: a base URL would be put in front of the
 * location, and credentials that were left out would be added again, for whoever the location names. The second half of
 * `execute` is not in the platform's types; its own `followRedirects` uses it in the same way.
 */
const send = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientResponse, E, R> => {
  const { postprocess } = client as { readonly postprocess?: HttpClient.HttpClient.Postprocess<E, R> }
  return postprocess === undefined
    ? client.execute(request)
    : postprocess(Effect.succeed(request) as Effect.Effect<HttpClientRequest.HttpClientRequest, E, R>)
}

/** The request that a redirect asks for; undefined when the answer is none that we follow. */
const nextRequest = (
  response: HttpClientResponse
): Either.Either<HttpClientRequest.HttpClientRequest, ResponseError> | undefined => {
  const { request, status } = response
  const location = response.headers["location"]
  if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return undefined
  const from = UrlParams.makeUrl(request.url, request.urlParams, request.hash)
  if (Either.isLeft(from)) return undefined
  let to: URL
  try {
    to = new URL(location, from.right)
  } catch {
    return Either.left(failure(response, `the location ${JSON.stringify(location.slice(0, 200))} is not a URL`))
  }
  if (to.protocol !== "http:" && to.protocol !== "https:") {
    return Either.left(failure(response, `the location leads to ${to.protocol}, which is not http`))
  }
  if (to.hash === "") to.hash = from.right.hash
  const becomesGet = status === 303 ? request.method !== "HEAD" && request.method !== "GET" : status < 303 &&
    request.method === "POST"
  if (!becomesGet && request.body._tag === "Stream") return undefined
  return Either.right(redirected(request, from.right, to, becomesGet))
}

const redirected = (
  request: HttpClientRequest.HttpClientRequest,
  from: URL,
  to: URL,
  becomesGet: boolean
): HttpClientRequest.HttpClientRequest => {
  const left = [
    ...(becomesGet ? contentFields : []),
    ...(isSameParty(from, to) ? [] : credentials),
    // It names the host that is left behind.
    "host"
  ]
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !left.includes(name)))
  const next = HttpClientRequest.make(becomesGet ? "GET" : request.method)(to, { headers } as never)
  return becomesGet || request.body._tag === "Empty" ? next : HttpClientRequest.setBody(next, request.body)
}

/** The same origin, or the same host moved from http to https on the usual ports. */
const isSameParty = (from: URL, to: URL): boolean =>
  from.origin === to.origin ||
  (from.hostname === to.hostname && from.protocol === "http:" && to.protocol === "https:" &&
    from.port === "" && to.port === "")

const failure = (response: HttpClientResponse, description: string): ResponseError =>
  new ResponseError({ request: response.request, response, reason: "StatusCode", description })
