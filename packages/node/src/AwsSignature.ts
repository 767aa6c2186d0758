/**
 * AWS Signature Version 4, for `Credentials.withCredentials`.
 *
 * @since 0.1.0
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { Credential } from "@sluice/core/Credentials"
import { check } from "@sluice/core/InvalidOptions"
import { withoutFragment } from "@sluice/engine/client"
import { type AwsScope, awsSignature, unambiguous } from "@sluice/engine/node"
import * as optionTable from "@sluice/engine/options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Redacted from "effect/Redacted"
import { signedRequest } from "./internal/signedRequest.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options<E = never, R = never> {
  readonly region: string
  /** As in `s3` or `execute-api`. */
  readonly service: string
  /** Run for each attempt, so that keys may expire. */
  readonly keys: Effect.Effect<Keys, E, R>
}

/**
 * Signs each attempt anew, over method, path, query, host, `x-amz-*`, `content-type` and the body. A body that is not at
 * hand as bytes is sent as `UNSIGNED-PAYLOAD`, which S3 takes over https.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Credentials from "@sluice/core/Credentials"
 * import { AwsSignature } from "@sluice/node"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * const keys = Effect.succeed({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: Redacted.make("secret") })
 * const client = Effect.map(HttpClient.HttpClient, Credentials.withCredentials({
 *   "https://bucket.s3.eu-central-1.amazonaws.com": AwsSignature.make({ region: "eu-central-1", service: "s3", keys })
 * }))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E, R>(options: Options<E, R>): Credential<E, R> => {
  Either.getOrThrowWith(check(optionTable.awsSignature, options, "AwsSignature"), identity)
  return signedBy(options)
}

const signedBy = <E, R>({ keys, region, service }: Options<E, R>): Credential<E, R> => ({
  authorize: (request) =>
    Effect.flatMap(
      keys,
      (keys) =>
        // The date is part of what is signed.
        // eslint-disable-next-line no-restricted-syntax
        Effect.map(Clock.currentTimeMillis, (now) => signed(request, keys, { region, service }, new Date(now)))
    )
})

const signed = (
  request: HttpClientRequest.HttpClientRequest,
  { accessKeyId, secretAccessKey, sessionToken }: Keys,
  scope: AwsScope,
  now: Date
): HttpClientRequest.HttpClientRequest => {
  const given = signedRequest(request)
  if (given === undefined) return request
  const url = unambiguous(given.url)
  const fields = awsSignature(
    url === undefined ? given : { ...given, url },
    request.headers,
    {
      accessKeyId,
      secretAccessKey: Redacted.value(secretAccessKey),
      sessionToken: sessionToken && Redacted.value(sessionToken)
    },
    scope,
    now
  )
  return HttpClientRequest.setHeaders(url === undefined ? request : withUrl(request, url), fields)
}

const withUrl = (request: HttpClientRequest.HttpClientRequest, url: URL): HttpClientRequest.HttpClientRequest =>
  Object.assign(Object.create(Object.getPrototypeOf(request)), request, { url: withoutFragment(url), urlParams: [] })
