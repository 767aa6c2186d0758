import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { InvalidOptions } from "../../../InvalidOptions.js"
import type * as MemoryNetwork from "../memoryModels.js"

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

/**
 * A response: status 200 and no body where nothing is said.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reply extends MemoryNetwork.Reply {
  /** A body of JSON, with its content type. */
  readonly json?: unknown
  /** A body as forms are encoded, with its content type. */
  readonly form?: Readonly<Record<string, string>> | undefined
  /** How long it takes until the first byte. Default: no time. */
  readonly delay?: Duration.Input | undefined
  /** Up to so much longer, at random (Effect's `Random`), in whole milliseconds. Default: no time. */
  readonly jitter?: Duration.Input | undefined
  /** How fast the body comes. Default: at once. */
  readonly bytesPerSecond?: number | undefined
  /** After so many bytes of the body the connection ends. The body must not be a stream. Default: never. */
  readonly cutAfter?: number | undefined
}

/**
 * How a request is responded to: a reply; a function that makes one, or an Effect that makes one, which may take its
 * time, never end, and use services; or a failure, as `refused`. An Effect that fails with a `TransportError` fails the
 * request with it; whatever else it fails with, and what is thrown, is a defect of the test.
 *
 * @since 0.1.0
 * @category models
 */
export type Responder<R = never> =
  | Reply
  | Failing
  | ((request: Request) => Reply | Failing | Effect.Effect<Reply | Failing, unknown, R>)

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
 * Which requests are meant. All that is said must be so; what is not said may be anything.
 *
 * @since 0.1.0
 * @category models
 */
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
  /** A schema that the body, as JSON, is of. */
  readonly schema?: Schema.ConstraintDecoder<unknown> | undefined
  /** Whether it means this request. */
  readonly where?: ((request: Request) => boolean) | undefined
}

/**
 * Which requests get which responses, and how often.
 *
 * @since 0.1.0
 * @category models
 */
export interface Expectation<out R = never> {
  readonly matcher: Matcher
  readonly responders: ReadonlyArray<Responder<R>>
  readonly times: Times
  /** Whether it responds before the body of the request has come: see `early`. Default `false`. */
  readonly early?: boolean | undefined
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

/**
 * @since 0.1.0
 * @category models
 */
export declare namespace Expectation {
  /**
   * What the responders of expectations need.
   *
   * @since 0.1.0
   * @category models
   */
  type Services<E extends ReadonlyArray<Expectation<unknown>>> = E[number] extends Expectation<infer R> ? R : never
}

/**
 * A request, and what became of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  readonly request: Request
  /** None for a request that nothing was said of. */
  readonly expectation: Expectation<unknown> | undefined
  /** `Cancelled`: whoever sent it abandoned it. */
  readonly outcome:
    | { readonly _tag: "Pending" }
    | { readonly _tag: "Replied"; readonly reply: Reply }
    | { readonly _tag: "Failed"; readonly error: unknown }
    | { readonly _tag: "Cancelled" }
}

/**
 * The mock, for the test.
 *
 * @since 0.1.0
 * @category models
 */
export interface MockHttp {
  /** What was received, oldest first. */
  readonly requests: ReadonlyArray<Request>
  /** The same with what became of it. */
  readonly history: ReadonlyArray<Exchange>
  /** The request of that number, 1 for the first; waits until it has come. */
  readonly awaitRequest: (number: number) => Effect.Effect<Request>
  /**
   * Puts expectations before those that are there, until the Scope ends: then they must have been met. For one test over
   * a layer that several share.
   */
  readonly override: <const E extends ReadonlyArray<Expectation<unknown>>>(
    ...expectations: E
  ) => Effect.Effect<void, InvalidOptions, Scope.Scope | Expectation.Services<E>>
  /** Forgets what has happened: requests, failures, how often an expectation was met. */
  readonly reset: Effect.Effect<void>
  /** Dies of what the layer would die of at its end, and forgets it. */
  readonly verify: Effect.Effect<void>
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
