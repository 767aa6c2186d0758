import type { Origin } from "../Origin.js"

/** A request as the network in memory has received it so far. */
export interface Received {
  readonly connection: { readonly origin: Origin }
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  /** The chunks of the body that have come. */
  readonly parts: ReadonlyArray<Uint8Array>
}

/**
 * A request that was received, with all of its body.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  readonly method: string
  /** With its query. */
  readonly url: string
  /** Without its query. */
  readonly path: string
  readonly query: URLSearchParams
  /** What the names in the path of its expectation stand for: `id` of `/users/:id`. */
  readonly params: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The body as text. To an `early` expectation, what has come of it. */
  readonly body: string
  readonly bytes: Uint8Array
  /** The body as JSON. Throws when it is none, which is the responder's defect. */
  readonly json: unknown
  /** The body as a form (`application/x-www-form-urlencoded`). */
  readonly form: URLSearchParams
}

/** Which requests are meant. */
export interface Matcher {
  /** One, or several. */
  readonly method?: string | ReadonlyArray<string> | undefined
  /**
   * A whole URL, or what begins at its path: then any host is meant. URLs are compared as URLs: the case of the host,
   * default ports and needless encoding make no difference. `:name` is a segment of the path, `*` what is between two
   * slashes, or, at the end of the path, all that follows. A query is a set of pairs; where the URL has none, the query
   * may be anything; `&*` allows others beside those that are named, and a value of `*` is any. `https://*` is any host.
   *
   * A regular expression is looked for in the whole URL.
   */
  readonly url?: string | URL | RegExp | undefined
  /** Pairs of the query that must be there, whatever else is. */
  readonly query?: Readonly<Record<string, string | RegExp>> | undefined
  /** Headers that must be there, or with `undefined` must not. */
  readonly headers?: Readonly<Record<string, string | RegExp | undefined>> | undefined
  /** The body as text. */
  readonly body?: string | RegExp | undefined
  /** The body as JSON; the order of fields makes no difference. */
  readonly json?: unknown
  /** Fields of a form that must be there. */
  readonly form?: Readonly<Record<string, string | RegExp>> | undefined
  /** A schema that the body, as JSON, is of: a face's. */
  readonly schema?: unknown
  /** Whether it means this request. */
  readonly where?: ((request: Request) => boolean) | undefined
}

/**
 * - `Any`: at least once.
 * - `Optional`: as often as one likes.
 * - `Exactly`: so often; after that it means no request any more, and the next one that matches is asked.
 *
 * @since 0.1.0
 * @category models
 */
export type Times =
  | { readonly _tag: "Any" }
  | { readonly _tag: "Optional" }
  | { readonly _tag: "Exactly"; readonly count: number }

/** Which requests get which responses. What a response is, a face says. */
export interface Expectation {
  readonly matcher: Matcher
  readonly responders: ReadonlyArray<unknown>
  readonly times: Times
  /** Whether it responds before the body of the request has come. */
  readonly early?: boolean | undefined
}

/**
 * What a network does instead of a response: see `refused`, `reset` and `timeout`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Failing {
  readonly _tag: "Failing"
  readonly how: "refused" | "reset" | "timeout"
}

/**
 * What is wrong with the test: a request that nothing was said of, a responder that threw, an expectation that was not
 * met. It is a defect.
 *
 * @since 0.1.0
 * @category errors
 */
export interface MockFailure extends Error {
  readonly _tag: "MockFailure"
}

/**
 * @since 0.1.0
 * @category recording
 */
export interface Recording {
  readonly version: 1
  readonly exchanges: ReadonlyArray<{
    readonly request: {
      readonly method: string
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
    readonly response: {
      readonly status: number
      readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
      readonly body: string
      /** How the bytes of the body became text. */
      readonly encoding: "utf-8" | "base64"
    }
  }>
}
