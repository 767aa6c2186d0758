/**
 * AWS Signature Version 4, for `Credentials.withCredentials`.
 *
 * @since 0.1.0
 */
import type { Credential } from "@sluice/core4/Credentials"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createHash, createHmac } from "node:crypto"
import { bodyBytes } from "./internal/bodyBytes.js"

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
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Credentials from "@sluice/core4/Credentials"
 * import { AwsSignature } from "@sluice/node4"
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
export const make = <E, R>({ keys, region, service }: Options<E, R>): Credential<E, R> => ({
  authorize: (request) =>
    Effect.flatMap(
      keys,
      (keys) =>
        // The date is part of what is signed.
        // eslint-disable-next-line no-restricted-syntax
        Effect.map(Clock.currentTimeMillis, (now) =>
          Option.match(HttpClientRequest.toUrl(request), {
            onNone: () => request,
            onSome: (url) => signed(unambiguous(request, url), url, keys, region, service, new Date(now))
          }))
    )
})

/**
 * A plus sign in a query is a space for who wrote it and for AWS, but not for who signs what is written. It is sent as what
 * it means, and signed as that.
 */
const unambiguous = (request: HttpClientRequest.HttpClientRequest, url: URL): HttpClientRequest.HttpClientRequest => {
  if (!url.search.includes("+")) return request
  url.search = url.search.replace(/\+/g, "%20")
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, {
    url: url.href.slice(0, url.href.length - url.hash.length),
    urlParams: []
  })
}

const signed = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  keys: Keys,
  region: string,
  service: string,
  now: Date
): HttpClientRequest.HttpClientRequest => {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "")
  const payload = payloadHash(request)
  const added: Record<string, string> = { "x-amz-date": time }
  if (service === "s3" || payload === unsigned) added["x-amz-content-sha256"] = payload
  if (keys.sessionToken !== undefined) added["x-amz-security-token"] = Redacted.value(keys.sessionToken)
  const headers: Record<string, string> = { ...request.headers, ...added, host: request.headers["host"] ?? url.host }
  const names = Object.keys(headers).filter((name) =>
    name === "host" || name === "content-type" || name.startsWith("x-amz-")
  ).sort()
  const canonical = [
    request.method,
    // Its segments are encoded once more, but for S3, whose keys may hold anything.
    // Elsewhere an empty segment counts for nothing.
    service === "s3" ? encodePath(decodePath(url.pathname)) : encodePath(url.pathname.replace(/\/{2,}/g, "/")),
    query(url),
    ...names.map((name) => `${name}:${headers[name].trim().replace(/ +/g, " ")}`),
    "",
    names.join(";"),
    payload
  ].join("\n")
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`
  const key = [region, service, "aws4_request"].reduce(
    hmac,
    hmac(`AWS4${Redacted.value(keys.secretAccessKey)}`, time.slice(0, 8))
  )
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString("hex")
  return HttpClientRequest.setHeaders(request, {
    ...added,
    authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, ` +
      `SignedHeaders=${names.join(";")}, Signature=${signature}`
  })
}

const unsigned = "UNSIGNED-PAYLOAD"

const payloadHash = (request: HttpClientRequest.HttpClientRequest): string => {
  const bytes = bodyBytes(request)
  return bytes === undefined ? unsigned : sha256(bytes)
}

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex")

const hmac = (key: string | Uint8Array, data: string): Buffer => createHmac("sha256", key).update(data).digest()

/** All but the unreserved characters of RFC 3986. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

const encodePath = (path: string): string => path.split("/").map(encode).join("/")

const decodePath = (path: string): string => path.split("/").map(decode).join("/")

/** What is not encoded as it should be is taken as it is. */
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** By encoded name, and those of the same name by encoded value. */
const query = ({ search }: URL): string =>
  search.slice(1).split("&").filter((pair) => pair !== "").map((pair) => {
    const equals = pair.indexOf("=")
    const name = equals < 0 ? pair : pair.slice(0, equals)
    return [encode(decode(name)), equals < 0 ? "" : encode(decode(pair.slice(equals + 1)))] as const
  }).sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0)
    .map(([name, value]) => `${name}=${value}`).join("&")
