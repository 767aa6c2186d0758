/**
 * A pool seen as the platform's `HttpClient`.
 *
 * @since 0.1.0
 */
import { summarizeFailure } from "@sluice/engine"
import { guarded } from "@sluice/engine/client"
import * as optionTable from "@sluice/engine/options"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import {
  EncodeError,
  type HttpClientError,
  type HttpClientErrorReason,
  InvalidUrlError,
  TransportError as HttpTransportError
} from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { ExchangeHead } from "./Connection.js"
import * as ConnectionPool from "./ConnectionPool.js"
import type { Connector } from "./Connector.js"
import * as client from "./internal/client/client.js"
import { discard as discardResponse } from "./internal/client/discard.js"
import { clientError } from "./internal/client/errors.js"
import { type ConnectionInfo, HttpResponse } from "./internal/client/HttpResponse.js"
import { shownRequest } from "./internal/client/shownRequest.js"
import { hostOf } from "./internal/connectionPool.js"
import { originalOf } from "./internal/DerivedResponse.js"
import { setScope } from "./internal/scopedRequests.js"
import { check, type InvalidOptions } from "./InvalidOptions.js"
import type { Timeouts } from "./Timeouts.js"
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
export const PooledHttpClient: Context.Service<PooledHttpClient, PooledHttpClient> = Context.Service<
  PooledHttpClient,
  PooledHttpClient
>(
  "@sluice/core4/PooledHttpClient"
)

/**
 * @since 0.1.0
 * @category models
 */
export type { ConnectionInfo } from "./internal/client/HttpResponse.js"

/**
 * How a response came; none when it is not a response of this client.
 *
 * @since 0.1.0
 * @category accessors
 */
export const connectionInfo = (response: HttpClientResponse): Option.Option<ConnectionInfo> => {
  const original = originalOf(response)
  return original instanceof HttpResponse ? Option.some(original.connection) : Option.none()
}

/**
 * Nobody will read this response: its connection is free for the next request, at once or after a short rest of the body
 * (see `maxDiscardedBody`). Small bodies free their connection by themselves.
 *
 * @since 0.1.0
 * @category combinators
 */
export const discard: (response: HttpClientResponse) => Effect.Effect<void> = discardResponse

/**
 * Ends the responses of a client with the Scope in which their requests were made: what has not been read by then is
 * abandoned, and reading it fails with `BodyAbandoned`. It is for responses that are streamed on, and read by others.
 *
 * Effect's own `HttpClient.withScope` keeps to itself which requests it has wrapped, and does nothing to the responses of
 * this client.
 *
 * @example
 * ```ts
 * import * as PooledHttpClient from "@sluice/core4/PooledHttpClient"
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const client = PooledHttpClient.withScope(yield* HttpClient.HttpClient)
 *   const response = yield* client.get("http://127.0.0.1:8080/events")
 *   return response.status
 * }))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withScope = <E, R>(
  client: HttpClient.HttpClient.With<E, R>
): HttpClient.HttpClient.With<E, R | Scope.Scope> =>
  HttpClient.transform(client, (response, request) => {
    const scope = new AbortController()
    setScope(request, scope)
    return Effect.andThen(Effect.addFinalizer(() => Effect.sync(() => scope.abort())), response)
  })

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly timeouts?: Timeouts | undefined
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
  /** The largest body of a response, in bytes; a larger one fails with `ResponseTooLarge`. Default `Infinity`. */
  readonly maxResponseSize?: number | undefined
  /**
   * How long a request with `Expect: 100-continue` waits for the server's word before it sends its body anyway
   * (RFC 9110 §10.1.1). Default 1 second.
   */
  readonly expectContinueTimeout?: Duration.Input | "Infinity" | undefined
  /** Called for interim responses such as 103 Early Hints. Must not throw. */
  readonly onInformational?: ((request: HttpClientRequest, head: ExchangeHead) => void) | undefined
  /**
   * What may be shown of a path, for services that put tokens there: given `"/reset/8f3c"`, say, it returns `"/reset/…"`.
   * Errors, spans, logs and the pool's snapshots show origins and paths, and nothing of what comes after; code still reads
   * the path. What `@effect/platform` itself writes (`filterStatusOk`) shows it. Default: paths are shown as they are.
   */
  readonly redactPath?: ((path: string) => string) | undefined
}

/**
 * The client of a pool, failing with `TransportError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options?: Options
): Effect.Effect<PooledHttpClient, InvalidOptions, ConnectionPool.ConnectionPool> => makeWith(options, (error) => error)

/**
 * The client of a pool as the platform's `HttpClient`: the transport's errors are the causes of `HttpClientError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeHttpClient = (
  options?: Options
): Effect.Effect<HttpClient.HttpClient, InvalidOptions, ConnectionPool.ConnectionPool> =>
  makeWith(options, toClientError)

/**
 * Everything that can be set of a pool and its client.
 *
 * @since 0.1.0
 * @category models
 */
export interface LayerOptions extends ConnectionPool.Options, Options {}

/**
 * A pool, and its client in both forms, over a connector of one's own. `HttpClientLayer` of `@sluice/node4` is this over
 * Node's sockets.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: LayerOptions = {}
): Layer.Layer<
  HttpClient.HttpClient | PooledHttpClient | ConnectionPool.ConnectionPool,
  InvalidOptions,
  Connector
> =>
  Layer.unwrap(Effect.map(Effect.fromResult(check(optionTable.pooledClient, options)), () => {
    const { drainTimeout, limits, metrics, name, reserved, unreadBodyGrace, whenFull, ...client } = options
    const pool = { drainTimeout, limits, metrics, name, reserved, timeouts: client.timeouts, unreadBodyGrace, whenFull }
    return Layer.mergeAll(
      Layer.effect(HttpClient.HttpClient, makeHttpClient(client)),
      Layer.effect(PooledHttpClient, make(client))
    ).pipe(Layer.provideMerge(ConnectionPool.layer(pool)))
  }))

const makeWith = <E>(
  options: Options = {},
  toError: (error: TransportError, request: HttpClientRequest) => E
) =>
  Effect.gen(function*() {
    const pool = yield* ConnectionPool.ConnectionPool
    const checked = yield* Effect.fromResult(check(optionTable.client, options))
    const { onInformational, redactPath } = options
    const given = { ...checked, onInformational, redactPath: redactPath && guarded(redactPath) }
    return client.make(hostOf(pool), given, toError)
  })

/** What `retryTransient` takes for transient is what may go better the next time. */
const reasonOf = (cause: TransportError, request: HttpClientRequest): HttpClientErrorReason => {
  const given = { request: shownRequest(request), cause, description: summarizeFailure(cause) }
  switch (cause._tag) {
    case "AddressNotAllowed":
    case "UnsupportedProtocol":
      return new InvalidUrlError(given)
    case "LocalProtocolError":
      return cause.reason === "InvalidUrl" ? new InvalidUrlError(given) : new EncodeError(given)
    case "RequestBodyError":
      return new EncodeError(given)
    default:
      return new HttpTransportError(given)
  }
}

const toClientError = (cause: TransportError, request: HttpClientRequest): HttpClientError =>
  clientError(() => reasonOf(cause, request))
