/**
 * Credentials that belong to origins: they are sent there and nowhere else.
 *
 * @since 0.1.0
 */
import { hasOwnCredentials, notAnOrigin, originNamed } from "@sluice/engine/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import { discard } from "./internal/client/discard.js"
import { counted } from "./internal/client/sends.js"
import { halvesOf } from "./internal/clientHalves.js"
import { isReplayable } from "./internal/replayableBody.js"
import { inheritScope } from "./internal/scopedRequests.js"
import { argument } from "./InvalidOptions.js"
import * as Redirects from "./Redirects.js"

/**
 * How a request is authorized.
 *
 * @since 0.1.0
 * @category models
 */
export interface Credential<E = never, R = never> {
  /** The request with what authorizes it. It runs for each attempt and hop, and sees the request as it is sent. */
  readonly authorize: (
    request: HttpClientRequest.HttpClientRequest
  ) => Effect.Effect<HttpClientRequest.HttpClientRequest, E, R>
  /** Asked after a 401, once for each request: whether authorizing it anew may help. Default: no. */
  readonly challenged?: ((response: HttpClientResponse) => Effect.Effect<boolean, E, R>) | undefined
  /** Notified of every response to a request that it has authorized, but those that `challenged` is asked about. */
  readonly received?: ((response: HttpClientResponse) => Effect.Effect<void, E, R>) | undefined
}

/**
 * User and password as they are (RFC 7617), in UTF-8.
 *
 * @since 0.1.0
 * @category constructors
 */
export const basic = (username: string, password: Redacted.Redacted): Credential => {
  argument("Credentials.basic: username", username, (given) => typeof given === "string", "text", true)
  redacted("Credentials.basic: password", password)
  return header("authorization", () => `Basic ${Base64.encode(`${username}:${Redacted.value(password)}`)}`)
}

/**
 * A token that does not change (RFC 6750). For one that expires see `tokenSource`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bearer = (token: Redacted.Redacted): Credential => {
  redacted("Credentials.bearer: token", token)
  return header("authorization", () => `Bearer ${Redacted.value(token)}`)
}

/**
 * A key in a header of its own. A request that has this header already keeps it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const apiKey = (key: Redacted.Redacted, name = "x-api-key"): Credential => {
  redacted("Credentials.apiKey: key", key)
  argument("Credentials.apiKey: name", name, isFieldName, "the name of a header, as \"x-api-key\"")
  return header(name, () => Redacted.value(key))
}

const isFieldName = (given: unknown): boolean => typeof given === "string" && /^[!#$%&'*+.^_`|~\w-]+$/.test(given)

/** Who gives the secret itself has it in every log and inspection on the way here. */
const redacted = (name: string, secret: Redacted.Redacted): Redacted.Redacted =>
  argument(name, secret, Redacted.isRedacted, "a secret as Redacted.make makes it of a text", true)

const header = (name: string, value: () => string): Credential => ({
  authorize: (request) =>
    Effect.sync(() =>
      request.headers[name.toLowerCase()] === undefined ? HttpClientRequest.setHeader(request, name, value()) : request
    )
})

/**
 * Bearer tokens from an effect that gets a new one. It runs when the first token is needed and when the server has refused
 * the one at hand with a 401; once for all requests that wait for it, whose failure is theirs too. A 401 to a request that
 * was sent with an older token gets no new one. The effect must use another client than the one that it authorizes.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Credentials from "@sluice/core4/Credentials"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * const client = Effect.gen(function*() {
 *   const plain = yield* HttpClient.HttpClient
 *   const login = plain.post("http://127.0.0.1:8080/token").pipe(
 *     Effect.flatMap((response) => response.text),
 *     Effect.map(Redacted.make)
 *   )
 *   return plain.pipe(Credentials.withCredentials({
 *     "http://127.0.0.1:8080": yield* Credentials.tokenSource(login)
 *   }))
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const tokenSource = <E, R>(
  refresh: Effect.Effect<Redacted.Redacted, E, R>
): Effect.Effect<Credential<E, R>> => {
  const given = argument("Credentials.tokenSource: refresh", refresh, Effect.isEffect, "an Effect of a token", true)
  return sourceOf(Effect.map(given, (token) => redacted("Credentials.tokenSource: the token", token)))
}

const sourceOf = <E, R>(refresh: Effect.Effect<Redacted.Redacted, E, R>): Effect.Effect<Credential<E, R>> =>
  Effect.map(Semaphore.make(1), (lock) => {
    let last: Exit.Exit<Redacted.Redacted, E> | undefined = undefined
    let refreshes = 0
    /** A token that is not this one. Who has waited while another refreshed takes what that came to. */
    const other = (than: string | undefined): Effect.Effect<Redacted.Redacted, E, R> =>
      Effect.suspend(() => {
        const seen = refreshes
        return lock.withPermits(1)(Effect.suspend(() => {
          // What another one's refresh came to counts, though it be the same token again.
          if (last !== undefined && refreshes > seen) return last
          if (last !== undefined && Exit.isSuccess(last) && Redacted.value(last.value) !== than) return last
          return Effect.onExit(refresh, (exit) =>
            Effect.sync(() => {
              if (Exit.hasInterrupts(exit)) return
              last = exit
              refreshes++
            }))
        }))
      })
    const token = Effect.suspend(() => last !== undefined && Exit.isSuccess(last) ? last : other(undefined))
    return {
      authorize: (request) =>
        Effect.map(
          token,
          (token) => HttpClientRequest.setHeader(request, "authorization", `Bearer ${Redacted.value(token)}`)
        ),
      challenged: ({ request }) => Effect.as(other(request.headers["authorization"]?.slice("Bearer ".length)), true)
    }
  })

/**
 * Which credential is for a URL: by origin, as in `{ "https://api.example.com": credential }`, or as a function says.
 *
 * @since 0.1.0
 * @category models
 */
export type Lookup<E = never, R = never> =
  | Readonly<Record<string, Credential<E, R>>>
  | ((url: URL) => Credential<E, R> | undefined)

/**
 * Authorizes the requests to the origins that have a credential. Put it below `Redirects.follow` and `Retry.safely`, and
 * after all that changes headers or body: each attempt and hop is authorized anew, for the origin that it goes to.
 *
 * A request with an `authorization` of its own, or with user and password in its URL, keeps that. After a redirect has led away from an origin, its credential is
 * not sent any more in that chain, though a later hop come back. After a 401 the credential is asked once whether to try
 * again, if the body can be sent again.
 *
 * What is no origin throws `Cause.IllegalArgumentError` where the client is made.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withCredentials: {
  <E2 = never, R2 = never>(
    credentials: Lookup<E2, R2>
  ): <E, R>(client: HttpClient.HttpClient.With<E, R>) => HttpClient.HttpClient.With<E | E2, R | R2>
  <E, R, E2 = never, R2 = never>(
    client: HttpClient.HttpClient.With<E, R>,
    credentials: Lookup<E2, R2>
  ): HttpClient.HttpClient.With<E | E2, R | R2>
} = dual(2, <E, R, E2, R2>(client: HttpClient.HttpClient.With<E, R>, credentials: Lookup<E2, R2>) => {
  const lookup = lookupOf(credentials)
  const { postprocess, preprocess } = halvesOf<E | E2, R | R2>(client as HttpClient.HttpClient.With<E | E2, R | R2>)
  return HttpClient.makeWith<E | E2, R | R2, E | E2, R | R2>(
    (request) =>
      counted(Effect.suspend(() => {
        let credential: Credential<E2, R2> | undefined
        const authorized = Effect.flatMap(request, (request) =>
          Effect.flatMap(Redirects.departedOrigins, (departed) => {
            const url = Option.getOrUndefined(HttpClientRequest.toUrl(request))
            const isOpen = url !== undefined && !hasOwnCredentials(request.headers, url) && !departed.has(url.origin)
            credential = isOpen ? lookup(url) : undefined
            return credential === undefined
              ? Effect.succeed(request)
              : Effect.map(credential.authorize(request), (authorized) => inheritScope(request, authorized))
          }))
        const notified = (response: HttpClientResponse) =>
          credential?.received === undefined
            ? Effect.succeed(response)
            : Effect.as(credential.received(response), response)
        return Effect.flatMap(postprocess(authorized), (response) => {
          const challenged = credential?.challenged
          return response.status !== 401 || challenged === undefined || !isReplayable(response.request.body)
            ? notified(response)
            : Effect.flatMap(challenged(response), (again) =>
              again
                ? Effect.andThen(discard(response), Effect.flatMap(postprocess(authorized), notified))
                : Effect.succeed(response))
        })
      })),
    preprocess
  )
})

const isCredential = (given: unknown): boolean =>
  typeof given === "object" && given !== null && "authorize" in given && typeof given.authorize === "function"

const lookupOf = <E, R>(credentials: Lookup<E, R>): (url: URL) => Credential<E, R> | undefined => {
  if (typeof credentials !== "function") return byOrigin(credentials)
  return (url) => {
    const found = credentials(url)
    return argument(
      "Credentials: what the function returned",
      found,
      (given) => given === undefined || isCredential(given),
      "a credential or undefined",
      true
    )
  }
}

const byOrigin = <E, R>(
  credentials: Readonly<Record<string, Credential<E, R>>>
): (url: URL) => Credential<E, R> | undefined => {
  const isPlain = (given: unknown) => typeof given === "object" && given !== null && !Array.isArray(given)
  argument("Credentials", credentials, isPlain, "an object of credentials by origin, or a function", true)
  for (const [origin, credential] of Object.entries(credentials)) {
    argument(`Credentials: that of ${originOf(origin)}`, credential, isCredential, "a credential", true)
  }
  const known = new Map(Object.entries(credentials).map(([origin, credential]) => [originOf(origin), credential]))
  return (url) => known.get(url.origin)
}

const originOf = (text: string): string => {
  const origin = originNamed(text)
  if (origin === undefined) throw new Cause.IllegalArgumentError(notAnOrigin)
  return origin
}
