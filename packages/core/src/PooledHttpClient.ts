/**
 * A pool seen as the platform's `HttpClient`.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { type HttpClientError, RequestError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { formatValue } from "@sluice/engine"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ExchangeHead, Protocol } from "./Connection.js"
import * as ConnectionPool from "./ConnectionPool.js"
import type { Connector } from "./Connector.js"
import * as client from "./internal/client/client.js"
import { type ClientOptions, defaultOptions } from "./internal/client/ClientOptions.js"
import { discard as discardResponse } from "./internal/client/discard.js"
import { HttpResponse } from "./internal/client/HttpResponse.js"
import { shownRequest } from "./internal/client/shownRequest.js"
import { hostOf } from "./internal/connectionPool.js"
import { originalOf } from "./internal/DerivedResponse.js"
import type { InvalidLimits } from "./Limits.js"
import * as Timeouts from "./Timeouts.js"
import type { TransportError } from "./TransportError.js"

/**
 * The platform's client with the transport's errors in its type.
 *
 * @since 0.1.0
 * @category models
 */
export interface PooledHttpClient extends HttpClient.HttpClient.With<TransportError> {}

/**
 * @since 0.1.0
 * @category tags
 */
export const PooledHttpClient: Context.Tag<PooledHttpClient, PooledHttpClient> = Context.GenericTag<PooledHttpClient>(
  "@sluice/core/PooledHttpClient"
)

/**
 * How an answer came.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectionInfo {
  /** The connection's number in its pool, as in events. */
  readonly id: number
  readonly protocol: Protocol
  readonly remoteAddress: string | undefined
  /** Whether the connection had served another request before. */
  readonly reused: boolean
  /** How long the request waited for its connection, in milliseconds; the making of a new one is part of it. */
  readonly waitTime: number
  /** How long making the connection took, TLS included, in milliseconds; undefined when it was reused. */
  readonly connectTime: number | undefined
  /** How much of that was the TLS handshake. */
  readonly tlsTime: number | undefined
}

/**
 * How an answer came; none when it is not an answer of this client.
 *
 * @since 0.1.0
 * @category accessors
 */
export const connectionInfo = (response: HttpClientResponse): Option.Option<ConnectionInfo> => {
  const original = originalOf(response)
  return original instanceof HttpResponse ? Option.some(original.connection) : Option.none()
}

/**
 * Nobody will read this answer: its connection is free for the next request, at once or after a short rest of the body
 * (see `maxDiscardedBody`). Small bodies free their connection by themselves.
 *
 * @since 0.1.0
 * @category combinators
 */
export const discard: (response: HttpClientResponse) => Effect.Effect<void> = discardResponse

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly timeouts?: Timeouts.Timeouts | undefined
  /**
   * How much of a body is kept for a reader that has not come yet, or is slow, in bytes. A body that fits frees its
   * connection whether anybody reads it or not; a larger one exerts backpressure. Default 256 KiB.
   */
  readonly maxBufferedBody?: number | undefined
  /**
   * How much of a body that nobody wants is read and thrown away to keep its connection, in bytes. When more is to
   * come, the connection is closed (HTTP/1.1) or the stream reset (HTTP/2). Default 64 KiB.
   */
  readonly maxDiscardedBody?: number | undefined
  /** The largest body of an answer, in bytes; a larger one fails with `ResponseTooLarge`. Default `Infinity`. */
  readonly maxResponseSize?: number | undefined
  /**
   * How long a request with `Expect: 100-continue` waits for the server's word before it sends its body anyway
   * (RFC 9110 §10.1.1). Default 1 second.
   */
  readonly expectContinueTimeout?: Duration.DurationInput | "Infinity" | undefined
  /** Called for interim answers such as 103 Early Hints. Must not throw. */
  readonly onInformational?: ((request: HttpClientRequest, head: ExchangeHead) => void) | undefined
}

/**
 * A size makes no sense. Nothing was built.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidOptions extends Data.TaggedError("InvalidOptions")<{
  readonly option: string
  readonly value: unknown
}> {
  override get message(): string {
    return `${this.option} is ${formatValue(this.value)}: expected a number of bytes, or Infinity`
  }
}

/**
 * The client of a pool, failing with `TransportError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options?: Options
): Effect.Effect<PooledHttpClient, Timeouts.InvalidTimeouts | InvalidOptions, ConnectionPool.ConnectionPool> =>
  makeWith(options, (error) => error)

/**
 * The client of a pool as the platform's `HttpClient`: the transport's errors are the causes of `RequestError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeHttpClient = (
  options?: Options
): Effect.Effect<HttpClient.HttpClient, Timeouts.InvalidTimeouts | InvalidOptions, ConnectionPool.ConnectionPool> =>
  makeWith(options, toRequestError)

/**
 * Everything that can be set of a pool and its client.
 *
 * @since 0.1.0
 * @category models
 */
export interface LayerOptions extends ConnectionPool.Options, Options {}

/**
 * A pool, and its client in both forms, over a connector of one's own. `HttpClientLayer` of `@sluice/node` is this over
 * Node's sockets.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: LayerOptions = {}
): Layer.Layer<
  HttpClient.HttpClient | PooledHttpClient | ConnectionPool.ConnectionPool,
  InvalidLimits | Timeouts.InvalidTimeouts | InvalidOptions,
  Connector
> =>
  Layer.mergeAll(
    Layer.effect(HttpClient.HttpClient, makeHttpClient(options)),
    Layer.effect(PooledHttpClient, make(options))
  ).pipe(Layer.provideMerge(ConnectionPool.layer(options)))

const makeWith = <E>(
  options: Options = {},
  toError: (error: TransportError, request: HttpClientRequest) => E
) =>
  Effect.gen(function*() {
    const pool = yield* ConnectionPool.ConnectionPool
    return client.make(hostOf(pool), yield* resolve(options), toError)
  })

const resolve = (options: Options) =>
  Effect.gen(function*() {
    return {
      timeouts: yield* Timeouts.resolve(options.timeouts),
      maxBufferedBody: yield* size(options, "maxBufferedBody"),
      maxDiscardedBody: yield* size(options, "maxDiscardedBody"),
      maxResponseSize: yield* size(options, "maxResponseSize"),
      expectContinueTimeout: yield* Timeouts.resolveDuration(
        "expectContinueTimeout",
        options.expectContinueTimeout,
        defaultOptions.expectContinueTimeout
      ),
      onInformational: options.onInformational
    } satisfies Omit<ClientOptions, "targets">
  })

const size = (
  options: Options,
  option: "maxBufferedBody" | "maxDiscardedBody" | "maxResponseSize"
): Effect.Effect<number, InvalidOptions> => {
  const value = options[option] ?? defaultOptions[option]
  return value >= 0 ? Effect.succeed(value) : Effect.fail(new InvalidOptions({ option, value }))
}

/** What the platform's `retryTransient` takes for transient is what may go better the next time. */
const reasonOf = (error: TransportError): RequestError["reason"] => {
  switch (error._tag) {
    case "UnsupportedProtocol":
      return "InvalidUrl"
    case "LocalProtocolError":
      return error.reason === "InvalidUrl" ? "InvalidUrl" : "Encode"
    case "RequestBodyError":
      return "Encode"
    default:
      return "Transport"
  }
}

const toRequestError = (cause: TransportError, request: HttpClientRequest): HttpClientError =>
  new RequestError({ request: shownRequest(request), reason: reasonOf(cause), cause, description: cause.message })
