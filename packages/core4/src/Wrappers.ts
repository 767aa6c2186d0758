/**
 * Everything that a client does around a request, put together in the one order that is right. `HttpClientLayer` of
 * `@sluice/node4` does it by its options; this is the same for another client, as for that of a test.
 *
 * @since 0.1.0
 */
import * as optionTable from "@sluice/engine/options"
import type * as Duration from "effect/Duration"
import { identity } from "effect/Function"
import type * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Result from "effect/Result"
import * as ContentCoding from "./ContentCoding.js"
import type { Jar } from "./Cookies.js"
import * as Credentials from "./Credentials.js"
import { totalOf } from "./internal/originTotal.js"
import { withJar } from "./internal/withJar.js"
import { withTotal } from "./internal/withTotal.js"
import { check } from "./InvalidOptions.js"
import * as Redirects from "./Redirects.js"
import * as Retry from "./Retry.js"

/**
 * What is left out is not there at all, and costs nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<E = never, R = never> {
  /**
   * How long a call may take with all that it does: `timeouts.total` of a region replaces it, and so does that of the origin
   * that is called first.
   */
  readonly total?: Duration.Input | "Infinity" | undefined
  /** `Redirects.follow`. Default `false`. */
  readonly redirects?: boolean | Redirects.Options<E, R> | undefined
  /** `Retry.safely`. Default `false`. */
  readonly retry?: boolean | Retry.Options | undefined
  /** `Cookies.withJar`. Default: no cookies are kept. */
  readonly cookies?: Jar | undefined
  /** `ContentCoding.encode`, with an encoder of the platform. Default: bodies are sent as they are. */
  readonly compress?: ContentCoding.EncodeOptions & { readonly encoder: ContentCoding.Encoder } | undefined
  /** `Credentials.withCredentials`. Default: none. */
  readonly credentials?: Credentials.Lookup<E, R> | undefined
  /** `ContentCoding.decode`, with the codecs of the platform. Default: what came is what is read. */
  readonly decompress?: ContentCoding.Options & { readonly codecs: ReadonlyArray<ContentCoding.Codec> } | undefined
}

/**
 * Puts wrappers around a client. Outermost first: `total`, `redirects`, for each hop `retry`, for each attempt `cookies`,
 * `compress`, `credentials`, `decompress`. Mappers that the client has, and that are added afterwards (`HttpClient.mapRequest` and
 * the like), run for each attempt of each hop, before cookies and credentials are added: a signature is over what is sent.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Credentials from "@sluice/core4/Credentials"
 * import * as Wrappers from "@sluice/core4/Wrappers"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * const client = Effect.map(HttpClient.HttpClient, (client) => Wrappers.wrap(client, {
 *   total: "30 seconds",
 *   redirects: true,
 *   retry: { times: 5, attempt: "5 seconds" },
 *   credentials: { "https://api.example.com": Credentials.bearer(Redacted.make("token")) }
 * }))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const wrap = <E, R, E2 extends HttpClientError = never, R2 = never>(
  client: HttpClient.HttpClient.With<E, R>,
  options: Options<E2, R2>
): HttpClient.HttpClient.With<E | E2 | HttpClientError, R | R2> => {
  Result.getOrThrowWith(check(optionTable.wrap, options, "Wrappers"), identity)
  const { compress, cookies, credentials, decompress, redirects = false, retry = false, total } = options
  // Innermost first.
  let wrapped: HttpClient.HttpClient.With<E | E2 | HttpClientError, R | R2> = client as never
  if (decompress !== undefined) {
    const { codecs, ...limits } = decompress
    wrapped = ContentCoding.decode(wrapped, codecs, limits)
  }
  if (credentials !== undefined) wrapped = Credentials.withCredentials(wrapped, credentials)
  if (compress !== undefined) {
    const { encoder, ...sizes } = compress
    wrapped = ContentCoding.encode(wrapped, encoder, sizes)
  }
  if (cookies !== undefined) wrapped = withJar(wrapped, cookies)
  if (retry !== false) wrapped = Retry.safely(wrapped, retry === true ? {} : retry)
  if (redirects !== false) wrapped = Redirects.follow(wrapped, redirects === true ? {} : redirects)
  return total === undefined ? wrapped : withTotal(wrapped, total, totalOf(client))
}
