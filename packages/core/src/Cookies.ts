/**
 * Cookies that are kept between requests, by the rules of browsers (RFC 6265bis).
 *
 * It is not in the index of this package: it loads the Public Suffix List.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { type Cookie, CookieJar, describeStoreFailure } from "@sluice/engine/client"
import * as optionTable from "@sluice/engine/options"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual, identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { getPublicSuffix } from "tldts"
import { PrintableError } from "./internal/printable.js"
import * as wallTime from "./internal/wallTime.js"
import { type Jar, withJar as around } from "./internal/withJar.js"
import { argument, check } from "./InvalidOptions.js"

const CookieSchema = Schema.Struct({
  name: Schema.String,
  value: Schema.String,
  domain: Schema.String,
  hostOnly: Schema.Boolean,
  path: Schema.String,
  secure: Schema.Boolean,
  httpOnly: Schema.Boolean,
  sameSite: Schema.UndefinedOr(Schema.Literal("Strict", "Lax", "None")),
  partitioned: Schema.Boolean,
  persistent: Schema.Boolean,
  expires: Schema.Number,
  createdAt: Schema.Number,
  usedAt: Schema.Number
})

/**
 * @since 0.1.0
 * @category models
 */
export type { Cookie } from "@sluice/engine/client"

/**
 * @since 0.1.0
 * @category models
 */
export type { Jar } from "./internal/withJar.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Default 3000, as browsers have it. */
  readonly maxCookies?: number | undefined
  /** Default 180. */
  readonly maxCookiesPerDomain?: number | undefined
  /**
   * Whether anybody may register names below a domain: no cookie is for all of it. Default: the Public Suffix List, with
   * its private part, as it was when this version was built.
   */
  readonly isPublicSuffix?: ((domain: string) => boolean) | undefined
}

/**
 * What was kept cannot be read, or cookies cannot be kept.
 *
 * @since 0.1.0
 * @category errors
 */
export class CookieStoreError extends PrintableError("CookieStoreError")<{
  readonly operation: "load" | "save"
  /** Where they are kept: the path of the file, or the key. */
  readonly store?: string | undefined
  readonly cause: unknown
}> {
  override get message(): string {
    return describeStoreFailure(this.operation, this.store, this.cause)
  }
  /** What the cause says may quote what is stored. */
  override toJSON(): unknown {
    const { _tag, message, operation, store } = this
    return { _tag, message, operation, store }
  }
}

/**
 * Where the cookies of a persistent jar are kept.
 *
 * @since 0.1.0
 * @category models
 */
export interface CookieStore {
  readonly load: Effect.Effect<ReadonlyArray<Cookie>, CookieStoreError>
  readonly save: (cookies: ReadonlyArray<Cookie>) => Effect.Effect<void, CookieStoreError>
}

/**
 * @since 0.1.0
 * @category tags
 */
export const CookieStore: Context.Tag<CookieStore, CookieStore> = Context.GenericTag<CookieStore>(
  "@sluice/core/Cookies/CookieStore"
)

const StoredCookies = Schema.parseJson(Schema.Array(CookieSchema))

const storeOf = <E>(
  store: string,
  load: Effect.Effect<Option.Option<string>, E>,
  save: (text: string) => Effect.Effect<void, E>
): CookieStore => ({
  load: Effect.flatMap(
    load,
    (stored) => Option.isNone(stored) ? Effect.succeed([]) : Schema.decode(StoredCookies)(stored.value)
  ).pipe(
    Effect.mapError((cause) => new CookieStoreError({ operation: "load", store, cause }))
  ),
  save: (cookies) =>
    Effect.flatMap(Schema.encode(StoredCookies)(cookies), save).pipe(
      Effect.mapError((cause) => new CookieStoreError({ operation: "save", store, cause }))
    )
})

/**
 * Keeps cookies in the platform's `KeyValueStore`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyValueStore = (
  key = "cookies"
): Layer.Layer<CookieStore, never, KeyValueStore.KeyValueStore> => {
  argument("Cookies.layerKeyValueStore: key", key, isText, "a key, as \"cookies\"")
  return Layer.effect(
    CookieStore,
    Effect.map(
      KeyValueStore.KeyValueStore,
      (store) => storeOf(`the key ${key}`, store.get(key), (text) => store.set(key, text))
    )
  )
}

/**
 * Keeps cookies in a file, which its owner alone may read, and which is whole at any moment: it is written beside and then
 * put instead of the old one. A file that is not there is an empty one.
 *
 * @example
 * ```ts
 * import * as Cookies from "@sluice/core/Cookies"
 * import { HttpClientLayer } from "@sluice/node"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const Client = Layer.unwrapEffect(
 *   Effect.map(Cookies.makePersistent(), (jar) => HttpClientLayer.layer({ cookies: { jar } }))
 * ).pipe(Layer.provide(Cookies.layerFile("cookies.json")))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFile = (path: string): Layer.Layer<CookieStore, never, FileSystem.FileSystem> => {
  argument("Cookies.layerFile: path", path, isText, "the path of a file")
  return Layer.effect(
    CookieStore,
    Effect.map(FileSystem.FileSystem, (files) => {
      const written = `${path}.new`
      return storeOf(
        path,
        Effect.flatMap(
          files.exists(path),
          (exists) => exists ? Effect.asSome(files.readFileString(path)) : Effect.succeedNone
        ),
        (text) =>
          files.writeFileString(written, text, { mode: 0o600 }).pipe(Effect.zipRight(files.rename(written, path)))
      )
    })
  )
}

const isText = (given: unknown): boolean => typeof given === "string" && given !== ""

/**
 * An empty jar in memory. Options that make no sense are the defect `InvalidOptions`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: Options): Effect.Effect<Jar> => Effect.sync(() => fromCookies([], options, Effect.void))

/**
 * A jar whose persistent cookies are kept in the `CookieStore`: read when it is made, written when they change, and once
 * for all changes that were made meanwhile. A failure to write them is logged; requests do not fail of it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makePersistent = (options?: Options): Effect.Effect<Jar, CookieStoreError, CookieStore> =>
  Effect.gen(function*() {
    const store = yield* CookieStore
    const lock = yield* Effect.makeSemaphore(1)
    let isSaved = true
    const save = Effect.suspend(() => {
      if (isSaved) return Effect.void
      isSaved = true
      return Effect.flatMap(jar.all, (cookies) => store.save(cookies.filter(({ persistent }) => persistent))).pipe(
        Effect.onError(() => Effect.sync(() => isSaved = false)),
        Effect.catchAll((error) => Effect.logWarning(error.message))
      )
    })
    const jar: Jar = fromCookies(
      yield* store.load,
      options,
      Effect.suspend(() => {
        isSaved = false
        return lock.withPermits(1)(save)
      })
    )
    return jar
  })

const fromCookies = (
  cookies: ReadonlyArray<Cookie>,
  options: Options = {},
  onChange: Effect.Effect<void>
): Jar => {
  const { maxCookies, maxCookiesPerDomain } = Either.getOrThrowWith(
    check(optionTable.cookies, options, "Cookies"),
    identity
  )
  const isPublicSuffix = options.isPublicSuffix ?? isListed
  const jar = new CookieJar({ maxCookies, maxCookiesPerDomain }, isPublicSuffix, cookies)
  return {
    header: (url) => Effect.map(wallTime.date, (now) => Option.fromNullable(jar.header(url, now))),
    store: (url, setCookies) =>
      Effect.flatMap(wallTime.date, (now) => jar.store(url, setCookies, now) ? onChange : Effect.void),
    all: Effect.sync(() => jar.all)
  }
}

const isListed = (domain: string): boolean => getPublicSuffix(domain, { allowPrivateDomains: true }) === domain

/**
 * Asks and tells a jar with each request and response. Put it below `Redirects.follow`, so that what a redirect sets is
 * sent on the next hop, and below `Retry.safely`. Cookies that the request has itself are sent first.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Cookies from "@sluice/core/Cookies"
 * import * as Redirects from "@sluice/core/Redirects"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const jar = yield* Cookies.make()
 *   const client = (yield* HttpClient.HttpClient).pipe(Cookies.withJar(jar), Redirects.follow())
 *   yield* client.post("http://127.0.0.1:8080/login")
 *   return yield* client.get("http://127.0.0.1:8080/account")
 * })
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withJar: {
  (jar: Jar): <E, R>(client: HttpClient.HttpClient.With<E, R>) => HttpClient.HttpClient.With<E, R>
  <E, R>(client: HttpClient.HttpClient.With<E, R>, jar: Jar): HttpClient.HttpClient.With<E, R>
} = dual(2, <E, R>(client: HttpClient.HttpClient.With<E, R>, jar: Jar): HttpClient.HttpClient.With<E, R> => {
  argument("Cookies.withJar: jar", jar, isJar, "a jar, as Cookies.make makes it in an Effect")
  return around(client, jar)
})

const isJar = (given: unknown): boolean =>
  typeof given === "object" && given !== null && "header" in given && typeof given.header === "function" &&
  "store" in given && typeof given.store === "function"
