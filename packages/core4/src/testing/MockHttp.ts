/**
 * For a test that only wants to say "this request gets that response". The client and the pool are the real ones, over a
 * network in memory, so timeouts, retries and limits behave as they do, and `TestClock` moves them.
 *
 * A mock fails loudly. A request that nothing was said of is a defect that names the nearest expectation and what
 * differs; so is a responder that throws. Both are not to be retried, and a program that catches them does not hide them:
 * the layer fails with them when it ends, and also with expectations that no request ever met.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import { MockHttp } from "@sluice/core4/testing"
 * import * as Effect from "effect/Effect"
 *
 * const program = HttpClient.get("https://api.test/users/1").pipe(
 *   Effect.flatMap((response) => response.json),
 *   Effect.provide(MockHttp.layer([
 *     MockHttp.on("GET", "https://api.test/users/:id", ({ params }) => ({ json: { id: params.id, name: "Ada" } })),
 *     // The first call gets the first response, all others the second.
 *     MockHttp.optional(
 *       MockHttp.on("POST", "/orders", { status: 503, headers: { "retry-after": "2" } }, { status: 201 })
 *     )
 *   ]))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as mock from "@sluice/engine/mock"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type { ConnectionPool } from "../ConnectionPool.js"
import { slowed } from "../internal/testing/mock/faults.js"
import { MockSession } from "../internal/testing/mock/MockSession.js"
import type {
  Expectation,
  Failing,
  Matcher,
  MockFailure,
  MockHttp as MockHttpModel,
  Recording as RecordingModel,
  Reply,
  Responder
} from "../internal/testing/mock/models.js"
import * as passing from "../internal/testing/mock/passThrough.js"
import * as recordings from "../internal/testing/mock/recording.js"
import type { InvalidOptions } from "../InvalidOptions.js"
import * as PooledHttpClient from "../PooledHttpClient.js"
import * as MemoryNetwork from "./MemoryNetwork.js"

/**
 * @since 0.1.0
 * @category models
 */
export type {
  Exchange,
  Expectation,
  Failing,
  Matcher,
  MockFailure,
  Reply,
  Request,
  Responder,
  Times
} from "../internal/testing/mock/models.js"

/**
 * The mock, for the test.
 *
 * @since 0.1.0
 * @category models
 */
export interface MockHttp extends MockHttpModel {}

/**
 * @since 0.1.0
 * @category tags
 */
export const MockHttp: Context.Service<MockHttp, MockHttp> = Context.Service<MockHttp, MockHttp>(
  "@sluice/core4/testing/MockHttp"
)

/**
 * @since 0.1.0
 * @category errors
 */
export const isMockFailure = (value: unknown): value is MockFailure => value instanceof mock.MockFailure

/**
 * Requests of this method to this URL get these responses, one after the other, the last one for ever. `"*"` is any
 * method; what a URL may be is said at `Matcher`. More than method and URL is said with a `Matcher` instead.
 *
 * @example
 * ```ts
 * import { MockHttp } from "@sluice/core4/testing"
 *
 * const created = MockHttp.on(
 *   { method: "POST", url: "/users", json: { name: "Ada" }, headers: { authorization: /^Bearer / } },
 *   { status: 201, json: { id: 1 } }
 * )
 * const anyOther = MockHttp.on("*", "/users/*", { status: 404 })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const on: {
  <R = never>(
    method: string,
    url: string | URL | RegExp,
    ...responders: readonly [Responder<R>, ...Array<Responder<R>>]
  ): Expectation<NoInfer<R>>
  <R = never>(matcher: Matcher, ...responders: readonly [Responder<R>, ...Array<Responder<R>>]): Expectation<NoInfer<R>>
} = mock.on as never

/**
 * It means one request. With several responses, it gives the first.
 *
 * @since 0.1.0
 * @category combinators
 */
export const once = <R>(expectation: Expectation<R>): Expectation<NoInfer<R>> => times(expectation, 1)

/**
 * It means so many requests, and no more and no fewer.
 *
 * @since 0.1.0
 * @category combinators
 */
export const times = <R>(expectation: Expectation<R>, count: number): Expectation<NoInfer<R>> => ({
  ...expectation,
  times: { _tag: "Exactly", count }
})

/**
 * It gives each of its responses once, and then means no request any more: a sequence that runs out.
 *
 * @since 0.1.0
 * @category combinators
 */
export const sequence = <R>(expectation: Expectation<R>): Expectation<NoInfer<R>> =>
  times(expectation, expectation.responders.length)

/**
 * It need not be met.
 *
 * @since 0.1.0
 * @category combinators
 */
export const optional = <R>(expectation: Expectation<R>): Expectation<NoInfer<R>> => ({
  ...expectation,
  times: { _tag: "Optional" }
})

/**
 * It responds as soon as the headers of a request have come, while the body is still being sent: as a server does that says
 * 413, or 401. So it cannot be told apart by the body, and `body` of the request is what has come of it by then.
 *
 * @example
 * ```ts
 * import { MockHttp } from "@sluice/core4/testing"
 *
 * const full = MockHttp.layer([
 *   MockHttp.early(MockHttp.on("PUT", "https://files.test/*", { status: 413, headers: { connection: "close" } }))
 * ])
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const early = <R>(expectation: Expectation<R>): Expectation<NoInfer<R>> => ({ ...expectation, early: true })

/**
 * What a server can do, of which a test uses a part: none of them need be met.
 *
 * @since 0.1.0
 * @category combinators
 */
export const stubs: <const E extends ReadonlyArray<Expectation<unknown>>>(expectations: E) => E = mock.stubs as never

/**
 * Puts a URL before those of expectations that begin at their path.
 *
 * @example
 * ```ts
 * import { MockHttp } from "@sluice/core4/testing"
 *
 * const live = MockHttp.layer(MockHttp.baseUrl("https://api.test/v1", [
 *   MockHttp.on("GET", "/users", { json: [] }),
 *   MockHttp.on("GET", "/users/:id", { status: 404 })
 * ]))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const baseUrl: <const E extends ReadonlyArray<Expectation<unknown>>>(url: string, expectations: E) => E = mock
  .baseUrl as never

/**
 * Nobody listens there: `ConnectError`, and nothing of the request was written.
 *
 * @since 0.1.0
 * @category failures
 */
export const refused: Failing = new mock.Fault("refused")

/**
 * The server resets the connection when it has the request: `ReadError`.
 *
 * @since 0.1.0
 * @category failures
 */
export const reset: Failing = new mock.Fault("reset")

/**
 * The server has the request and never responds, so that the client's own timeouts end it.
 *
 * @since 0.1.0
 * @category failures
 */
export const timeout: Failing = new mock.Fault("timeout")

/**
 * The first byte comes so late. `slow("2 seconds", { json: [] })` is `{ json: [], delay: "2 seconds" }`.
 *
 * @since 0.1.0
 * @category failures
 */
export const slow: (delay: Duration.Input, reply?: Reply) => Reply = slowed

/**
 * The connection ends in the middle of the body: after `bytes`, by default after half of it. The reply's body must be
 * text, bytes, JSON or a form.
 *
 * @since 0.1.0
 * @category failures
 */
export const truncated: (reply: Reply, bytes?: number) => Reply = mock.truncatedReply

/**
 * Asks the real network, by the `HttpClient` that the layer is given. What was asked and responded is in the history: see
 * `recording`.
 *
 * @example
 * ```ts
 * import { MockHttp } from "@sluice/core4/testing"
 * import { HttpClientLayer } from "@sluice/node4"
 * import * as Layer from "effect/Layer"
 *
 * const live = MockHttp.layer([
 *   MockHttp.on("POST", "https://api.test/orders", { status: 201 }),
 *   MockHttp.optional(MockHttp.on("*", "*", MockHttp.passThrough))
 * ]).pipe(Layer.provide(HttpClientLayer.layer()))
 * ```
 *
 * @since 0.1.0
 * @category recording
 */
export const passThrough: Responder<HttpClient.HttpClient> = passing.passThrough

/**
 * Requests and responses as they were, to be kept in a file as JSON.
 *
 * @since 0.1.0
 * @category recording
 */
export const Recording: Schema.Codec<RecordingModel> = recordings.Recording

/**
 * @since 0.1.0
 * @category recording
 */
export interface Recording extends RecordingModel {}

/**
 * What `passThrough` has asked and got so far, to be replayed. Secrets are replaced by `REDACTED`: headers of requests but
 * the harmless ones; headers of responses, values of queries, fields of JSON and of forms whose names say so (`token`,
 * `apiKey`, `password`, …). Text of other kinds is kept as it is: look at it before it is committed.
 *
 * @since 0.1.0
 * @category recording
 */
export const recording: Effect.Effect<Recording, never, MockHttp> = Effect.map(
  MockHttp,
  ({ history }) => recordings.record(history)
)

/**
 * Gives what was recorded: requests of the same method, URL and body get the same responses, in the same order, the last
 * one for ever. What was redacted may be anything.
 *
 * @since 0.1.0
 * @category recording
 */
export const replay: (recording: Recording) => ReadonlyArray<Expectation> = recordings.replay

/**
 * The client with nothing behind it but these expectations. Of several that mean a request, the first one counts that has
 * not run out. A URL that can never match, and an expectation that can never be reached, fail the layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <const E extends ReadonlyArray<Expectation<unknown>>>(
  expectations: E,
  options?: PooledHttpClient.LayerOptions
): Layer.Layer<
  HttpClient.HttpClient | PooledHttpClient.PooledHttpClient | ConnectionPool | MockHttp,
  InvalidOptions,
  Expectation.Services<E>
> =>
  Layer.unwrap(Effect.gen(function*() {
    const session = new MockSession(yield* Clock.Clock)
    yield* session.expect(expectations, (yield* Effect.context<Expectation.Services<E>>()) as Context.Context<unknown>)
    yield* Effect.addFinalizer((exit) => session.verifyAfter(exit))
    const client = PooledHttpClient.layer(options).pipe(
      Layer.provide(MemoryNetwork.layer({ respond: (request) => session.respond(request) }))
    )
    // A failure of the test reaches the fiber that asked, whatever it would do with an error.
    const loud = Layer.effectContext(Effect.map(
      Effect.all([HttpClient.HttpClient, PooledHttpClient.PooledHttpClient]),
      ([platform, pooled]) =>
        Context.make(HttpClient.HttpClient, HttpClient.transformResponse(platform, session.raise)).pipe(
          Context.add(PooledHttpClient.PooledHttpClient, HttpClient.transformResponse(pooled, session.raise))
        )
    ))
    return Layer.merge(
      Layer.succeed(MockHttp, session),
      Layer.provideMerge(loud, client)
    )
  }))
