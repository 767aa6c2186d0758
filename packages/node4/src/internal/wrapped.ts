import type { ConnectionPool } from "@sluice/core4/ConnectionPool"
import * as ContentCoding from "@sluice/core4/ContentCoding"
import type * as Cookies from "@sluice/core4/Cookies"
import type * as Credentials from "@sluice/core4/Credentials"
import { InvalidOptions } from "@sluice/core4/InvalidOptions"
import { PooledHttpClient } from "@sluice/core4/PooledHttpClient"
import type * as Redirects from "@sluice/core4/Redirects"
import type * as Retry from "@sluice/core4/Retry"
import type { Timeouts } from "@sluice/core4/Timeouts"
import * as Wrappers from "@sluice/core4/Wrappers"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import type * as Scope from "effect/Scope"

export interface WrapperOptions {
  /**
   * Whether compressed responses are asked for and decoded, and within which bounds: see `ContentCoding.decode`. A request
   * that sets `accept-encoding` itself gets what came. Default `true`.
   */
  readonly decompress?: boolean | ContentCoding.Options | undefined
  /** Whether redirects are followed, and how: see `Redirects.follow`. Default `false`. */
  readonly redirects?: boolean | Redirects.Options<HttpClientError> | undefined
  /**
   * Whether what is safe to retry is retried, and how often: see `Retry.safely`. `timeouts.total` then holds over all
   * attempts and redirects together, `retry.attempt` for each attempt. Default `false`.
   */
  readonly retry?: boolean | Retry.Options | undefined
  /** Whether cookies are kept and sent: in memory, by `Cookies.make`, or in a jar of one's own. Default `false`. */
  readonly cookies?: boolean | CookieOptions | undefined
  /**
   * Whether, and in which coding, the bodies of requests are compressed: see `ContentCoding.encode`. Not every server takes
   * it. Default `false`.
   */
  readonly compress?: false | Coding | CompressOptions | undefined
  /**
   * What authorizes the requests to an origin: see `Credentials.withCredentials`. An Effect is run once, with this very
   * client as its `HttpClient`, but without credentials: a token source logs in by it. Default: nothing does.
   */
  readonly credentials?:
    | Credentials.Lookup<HttpClientError>
    | Effect.Effect<Credentials.Lookup<HttpClientError>, never, HttpClient.HttpClient | Scope.Scope>
    | undefined
}

export type Coding = "gzip" | "deflate" | "br" | "zstd"

export interface CompressOptions extends ContentCoding.EncodeOptions {
  /** zstd is in Node from 22.15 on. Default `"gzip"`. */
  readonly coding?: Coding | undefined
}

export interface CookieOptions extends Cookies.Options {
  /** As from `Cookies.makePersistent`. Default: a new one, in memory. */
  readonly jar?: Cookies.Jar | undefined
}

export type Provided = HttpClient.HttpClient | PooledHttpClient | ConnectionPool

/** The clients of a pool, with what the options put around them. */
export const wrapped = (
  provided: Context.Context<Provided>,
  { compress = false, cookies, credentials, decompress: mode = true, redirects = false, retry = false }: WrapperOptions,
  total: Timeouts["total"],
  { codecs, encoders }: {
    readonly codecs: ReadonlyArray<ContentCoding.Codec>
    readonly encoders: ReadonlyArray<ContentCoding.Encoder>
  },
  maxResponseSize: number | undefined
): Effect.Effect<Context.Context<Provided>, InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    // What bounds the body that comes bounds what comes of it too.
    const limits = mode === false ? undefined : { maxSize: maxResponseSize, ...(mode === true ? {} : mode) }
    const options: Wrappers.Options<HttpClientError> = {
      compress: compress === false ? undefined : yield* encoderOf(compress, encoders),
      decompress: limits === undefined ? undefined : { ...limits, codecs },
      retry,
      redirects,
      cookies: cookies === undefined || cookies === false ? undefined : yield* jarOf(cookies),
      // Who sends one request for a call has the transport end it. An origin may have a total where the layer has none.
      total: redirects || retry || credentials ? total ?? "Infinity" : undefined
    }
    const bare = Context.get(provided, HttpClient.HttpClient)
    const plain = Wrappers.wrap(bare, options)
    const typed = Context.get(provided, PooledHttpClient)
    return provided.pipe(
      Context.add(
        HttpClient.HttpClient,
        credentials === undefined ? plain : yield* authorized(bare, plain, options, credentials)
      ),
      Context.add(
        PooledHttpClient,
        limits === undefined ? typed : ContentCoding.decode(typed, codecs, limits)
      )
    )
  })

const encoderOf = (
  compress: Coding | CompressOptions,
  encoders: ReadonlyArray<ContentCoding.Encoder>
): Effect.Effect<ContentCoding.EncodeOptions & { readonly encoder: ContentCoding.Encoder }, InvalidOptions> => {
  const options: CompressOptions = typeof compress === "string" ? { coding: compress } : compress
  const { coding = "gzip", minSize } = options
  const encoder = encoders.find(({ name }) => name === coding)
  return encoder === undefined
    ? new InvalidOptions({
      problems: [{
        _tag: "InvalidValue",
        option: "compress",
        received: `"${coding}", which this Node does not have`,
        expected: encoders.map(({ name }) => `"${name}"`).join(" or ")
      }]
    })
    : Effect.succeed({ minSize, encoder })
}

/** The Public Suffix List is loaded by those alone who have a jar. */
const jarOf = (options: Exclude<WrapperOptions["cookies"], undefined | false>): Effect.Effect<Cookies.Jar> => {
  if (options !== true && options.jar !== undefined) return Effect.succeed(options.jar)
  return Effect.flatMap(
    Effect.promise(() => import("@sluice/core4/Cookies")),
    ({ make }) => make(options === true ? {} : options)
  )
}

const authorized = (
  bare: HttpClient.HttpClient,
  plain: HttpClient.HttpClient,
  options: Wrappers.Options<HttpClientError>,
  credentials: NonNullable<WrapperOptions["credentials"]>
): Effect.Effect<HttpClient.HttpClient, InvalidOptions, Scope.Scope> => {
  const lookup = Effect.isEffect(credentials)
    ? Effect.provideService(credentials, HttpClient.HttpClient, plain)
    : Effect.succeed(credentials)
  return Effect.flatMap(lookup, (credentials) =>
    Effect.suspend(() => {
      try {
        return Effect.succeed(Wrappers.wrap(bare, { ...options, credentials }))
      } catch (thrown) {
        if (Cause.isIllegalArgumentError(thrown)) return new InvalidOptions({ problems: [notAnOrigin] })
        throw thrown
      }
    }))
}

/** It is not shown: whoever mistakes a URL for an origin may have left a password in it. */
const notAnOrigin = {
  _tag: "InvalidValue",
  option: "credentials",
  received: "for what is no origin",
  expected: "scheme, host and port, as in \"https://api.example.com\", for each of them"
} as const
