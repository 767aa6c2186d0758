/**
 * Digest access authentication (RFC 7616), for `Credentials.withCredentials`.
 *
 * @since 0.1.0
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { Credential } from "@sluice/core/Credentials"
import { argument } from "@sluice/core/InvalidOptions"
import { DigestCredentials } from "@sluice/engine/node"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { signedRequest } from "./internal/signedRequest.js"

/**
 * Responds to the Digest challenges of one origin: SHA-512-256, SHA-256 and MD5, with `-sess`, `auth`, `auth-int` and
 * `userhash`; the strongest that the server offers. The first request is sent without credentials and gets the challenge;
 * those after it use its nonce until the server gives another one. Where a server wants `auth-int` alone, a body that is not
 * there as bytes or text is not authorized, and its 401 is the response.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Credentials from "@sluice/core/Credentials"
 * import { Digest } from "@sluice/node"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * const client = Effect.gen(function*() {
 *   const digest = yield* Digest.make("ada", Redacted.make("secret"))
 *   return (yield* HttpClient.HttpClient).pipe(Credentials.withCredentials({ "http://127.0.0.1:8080": digest }))
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (username: string, password: Redacted.Redacted): Effect.Effect<Credential> =>
  Effect.sync(() => {
    argument("Digest.make: username", username, (given) => typeof given === "string", "text", true)
    argument(
      "Digest.make: password",
      password,
      Redacted.isRedacted,
      "a secret as Redacted.make makes it of a text",
      true
    )
    const digest = new DigestCredentials(username, () => Redacted.value(password))
    return {
      authorize: (request) =>
        Effect.sync(() => {
          const signed = signedRequest(request)
          const value = signed && digest.authorization(signed)
          return value === undefined ? request : HttpClientRequest.setHeader(request, "authorization", value)
        }),
      challenged: ({ headers, request }) =>
        Effect.sync(() => {
          const signed = signedRequest(request)
          return signed !== undefined &&
            digest.challenged(headers["www-authenticate"], request.headers["authorization"], signed)
        }),
      received: ({ headers }) => Effect.sync(() => digest.received(headers["authentication-info"]))
    }
  })
