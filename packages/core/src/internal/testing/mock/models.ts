import type * as Mock from "@sluice/engine/mock"
import type { Failing, Request, Times } from "@sluice/engine/mock"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { InvalidOptions } from "../../../InvalidOptions.js"
import type * as MemoryNetwork from "../memoryModels.js"

export type { Failing, MockFailure, Recording, Request, Times } from "@sluice/engine/mock"

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
  readonly delay?: Duration.DurationInput | undefined
  /** Up to so much longer, at random (Effect's `Random`), in whole milliseconds. Default: no time. */
  readonly jitter?: Duration.DurationInput | undefined
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
 * Which requests are meant. All that is said must be so; what is not said may be anything.
 *
 * @since 0.1.0
 * @category models
 */
export interface Matcher extends Mock.Matcher {
  /** A schema that the body, as JSON, is of. */
  readonly schema?: Schema.Schema.AnyNoContext | undefined
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
