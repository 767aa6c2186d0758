import type { Cookie } from "@sluice/engine/client"
import * as Effect from "effect/Effect"
import * as PlatformCookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import { HttpResponse } from "./client/HttpResponse.js"
import { halvesOf } from "./clientHalves.js"
import { originalOf } from "./DerivedResponse.js"
import { inheritScope } from "./scopedRequests.js"

/**
 * A jar of cookies. It is in memory; see `makePersistent` for one that is kept.
 */
export interface Jar {
  /** The value of the `Cookie` field for a request to this URL. */
  readonly header: (url: URL) => Effect.Effect<Option.Option<string>>
  /** Takes the `Set-Cookie` fields of a response from this URL, as they were received. */
  readonly store: (url: URL, setCookies: Iterable<string>) => Effect.Effect<void>
  /** Everything in it, expired or not. */
  readonly all: Effect.Effect<ReadonlyArray<Cookie>>
}

/** `Cookies.withJar`, without the Public Suffix List. */
export const withJar = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  jar: Jar
): HttpClient.HttpClient.With<E, R> => {
  const { postprocess, preprocess } = halvesOf(client)
  return HttpClient.makeWith<E, R, E, R>(
    (request) => Effect.tap(postprocess(Effect.flatMap(request, ask(jar))), tell(jar)),
    preprocess
  )
}

const ask = (jar: Jar) => (request: HttpClientRequest.HttpClientRequest) =>
  Option.match(HttpClientRequest.toUrl(request), {
    onNone: () => Effect.succeed(request),
    onSome: (url) =>
      Effect.map(
        jar.header(url),
        Option.match({
          onNone: () => request,
          onSome: (cookies) => {
            const given = Headers.get(request.headers, "cookie")
            return inheritScope(
              request,
              HttpClientRequest.setHeader(
                request,
                "cookie",
                Option.isSome(given) ? `${given.value}; ${cookies}` : cookies
              )
            )
          }
        })
      )
  })

const tell = (jar: Jar) => (response: HttpClientResponse): Effect.Effect<void> => {
  const fields = setCookiesOf(response)
  return fields.length === 0
    ? Effect.void
    : Option.match(HttpClientRequest.toUrl(response.request), {
      onNone: () => Effect.void,
      onSome: (url) => jar.store(url, fields)
    })
}

/** Another client has parsed them already; then what it has kept is all that there is. */
const setCookiesOf = (response: HttpClientResponse): ReadonlyArray<string> => {
  const original = originalOf(response)
  return original instanceof HttpResponse
    ? original.setCookies
    : PlatformCookies.toSetCookieHeaders(response.cookies)
}
