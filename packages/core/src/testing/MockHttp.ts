/**
 * For a test that only wants to say "this request gets that answer". The client and the pool are the real ones, over a
 * network in memory, so timeouts, retries and limits behave as they do, and `TestClock` moves them.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import { MockHttp } from "@sluice/core/testing"
 * import * as Effect from "effect/Effect"
 *
 * const program = HttpClient.get("https://api.test/users/1").pipe(
 *   Effect.flatMap((response) => response.json),
 *   Effect.provide(MockHttp.layer([
 *     MockHttp.on("GET", "https://api.test/users/1", { json: { name: "Ada" } }),
 *     // The first call gets the first answer, all others the second.
 *     MockHttp.on("POST", /\/orders$/, { status: 503, headers: { "retry-after": "2" } }, { status: 201 })
 *   ]))
 * )
 * ```
 *
 * @since 0.1.0
 */
import type { HttpClient } from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ConnectionPool } from "../ConnectionPool.js"
import type { InvalidOptions } from "../InvalidOptions.js"
import * as PooledHttpClient from "../PooledHttpClient.js"
import { LocalProtocolError, type TransportError } from "../TransportError.js"
import * as MemoryNetwork from "./MemoryNetwork.js"

/**
 * A request that was received.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * An answer: status 200 and no body where nothing is said. `json` sets the content type.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer extends Omit<MemoryNetwork.Reply, "interim"> {
  readonly json?: unknown
}

/**
 * An answer, or how it is made: an Effect may take its time, never end, or fail with a `TransportError`.
 *
 * @since 0.1.0
 * @category models
 */
export type Responder = Answer | ((request: Request) => Answer | Effect.Effect<Answer, TransportError>)

/**
 * @since 0.1.0
 * @category models
 */
export interface Expectation {
  readonly method: string
  readonly url: string | RegExp
  readonly responders: readonly [Responder, ...Array<Responder>]
}

/**
 * What was received, oldest first.
 *
 * @since 0.1.0
 * @category models
 */
export interface MockHttp {
  readonly requests: ReadonlyArray<Request>
}

/**
 * @since 0.1.0
 * @category tags
 */
export const MockHttp: Context.Tag<MockHttp, MockHttp> = Context.GenericTag<MockHttp>("@sluice/core/testing/MockHttp")

/**
 * Requests of this method to this URL get these answers, one after the other, the last one for ever. The URL is given
 * whole, or without its query, or as a pattern.
 *
 * @since 0.1.0
 * @category constructors
 */
export const on = (
  method: string,
  url: string | RegExp,
  ...responders: readonly [Responder, ...Array<Responder>]
): Expectation => ({ method: method.toUpperCase(), url, responders })

/**
 * The client with nothing behind it but these answers. A request that nothing was said of fails with
 * `LocalProtocolError`, which lists what was expected.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  expectations: ReadonlyArray<Expectation>,
  options?: PooledHttpClient.LayerOptions
): Layer.Layer<
  HttpClient | PooledHttpClient.PooledHttpClient | ConnectionPool | MockHttp,
  InvalidOptions
> =>
  Layer.unwrapEffect(Effect.sync(() => {
    const requests: Array<Request> = []
    const answered = new Map<Expectation, number>()
    const respond = (received: MemoryNetwork.Request) =>
      Effect.gen(function*() {
        const request: Request = {
          method: received.method,
          url: received.connection.origin.href + received.target,
          headers: received.headers,
          body: yield* received.text
        }
        requests.push(request)
        const expectation = expectations.find((candidate) => matches(candidate, request))
        if (expectation === undefined) return yield* unexpected(request, expectations)
        const times = answered.get(expectation) ?? 0
        answered.set(expectation, times + 1)
        const { responders } = expectation
        const responder = responders[Math.min(times, responders.length - 1)]
        const answer = typeof responder === "function" ? responder(request) : responder
        return toReply(Effect.isEffect(answer) ? yield* answer : answer)
      })
    return Layer.merge(
      Layer.succeed(MockHttp, { requests }),
      Layer.provide(PooledHttpClient.layer(options), MemoryNetwork.layer({ respond }))
    )
  }))

const matches = ({ method, url }: Expectation, request: Request): boolean =>
  method === request.method &&
  (typeof url === "string" ? url === request.url || url === request.url.replace(/\?.*$/, "") : url.test(request.url))

const unexpected = (request: Request, expectations: ReadonlyArray<Expectation>) =>
  new LocalProtocolError({
    origin: "",
    reason: "NotSupported",
    detail: `nothing was said of ${request.method} ${request.url}; expected is ` +
      (expectations.map(({ method, url }) => `${method} ${String(url)}`).join(", ") || "no request at all")
  })

const toReply = ({ json, ...reply }: Answer): MemoryNetwork.Reply =>
  json === undefined
    ? reply
    : {
      ...reply,
      headers: { "content-type": "application/json", ...reply.headers },
      body: JSON.stringify(json)
    }
