/**
 * Every way in which a request can fail on its way.
 *
 * Behind the `HttpClient` service they arrive as the `cause` of a `HttpClientError` or `HttpClientError`, which is what the
 * platform's `retryTransient` understands; `fromHttpClientError` and `catchTag` get them back.
 *
 * @since 0.1.0
 */
import type * as Engine from "@sluice/engine"
import { describeFailure, type Failure, failureCode, isFailure } from "@sluice/engine"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import { isHttpClientError } from "effect/http/HttpClientError"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import { frames, PrintableError } from "./internal/printable.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@sluice/core4/TransportError")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * Where in its life a request failed: waiting for the pool, making the connection, sending the request, waiting for the
 * response head, reading the body.
 *
 * @since 0.1.0
 * @category models
 */
export type Phase = Failure.Phase

/**
 * What every error says.
 *
 * - `origin`: scheme, host and port. Never a path, a query or credentials.
 * - `phase`: how far the request had come.
 * - `written`: whether any byte of the request was handed to the transport. Of a request that was retried without a word,
 *   as one that may be carried out twice is when its connection dies, it is that of the last attempt.
 * - `safeToRetry`: whether the request can be sent again without being carried out twice: the server cannot have acted on
 *   it, or its method is idempotent (RFC 9110 §9.2.2), or it has an `Idempotency-Key`, and its body can be sent again. A
 *   GET whose response broke off in the middle is safe, a POST is not. Whether it helps is another question: see
 *   `Retry.safely`.
 *
 * @since 0.1.0
 * @category models
 */
export type Details = Failure.Details

/**
 * What the making of a connection was waiting for: `LookingUp` for the resolver, `Connecting` for one of the addresses,
 * `Handshaking` for TLS, `Tunnelling` for a proxy that is to open a tunnel, `Preface` for the SETTINGS of an HTTP/2 server.
 * `proxy` is the URL of the proxy where it is that which was being reached, `tunnel` that of the one whose tunnel stood.
 *
 * @since 0.1.0
 * @category models
 */
export type DialStage = Engine.DialStage

/** What the constructor of an error takes: all of its failure but what is the same for its kind. */
type Given<Tag extends Failure.FailureTag, Fixed extends string = never> = Omit<Failure.FailureOf<Tag>, "_tag" | Fixed>

type NotSent = "phase" | "written" | "safeToRetry"

/**
 * What the errors have in common: the sentence, which is worded when somebody asks, in the JSON form too; and no frames,
 * since these would be of this library and of Effect. The spans of the caller are what Effect prints of it.
 */
const TaggedFailure = <Tag extends Failure.FailureTag>(tag: Tag): ReturnType<typeof PrintableError<Tag>> =>
  class extends (PrintableError(tag) as new(given: object) => Error) {
    constructor(given: object) {
      const { stackTraceLimit } = frames
      frames.stackTraceLimit = 0
      super(given)
      frames.stackTraceLimit = stackTraceLimit
    }
    override get message(): string {
      return describeFailure(this as unknown as Failure.Failure)
    }
  } as never

/**
 * The request waited for a connection for `timeouts.pool`, and none came free. `pool` shows who held them.
 *
 * Cure: read or discard the bodies of responses, raise `maxConnections`, send less at once, or wait longer.
 *
 * @since 0.1.0
 * @category errors
 */
export class PoolTimeout extends TaggedFailure("PoolTimeout")<Given<"PoolTimeout", NotSent>> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "pool" as const
  readonly written = false
  readonly safeToRetry = true
}

/**
 * The pool was closed before the request got a connection.
 *
 * Cure: keep the layer alive for as long as requests are made; a client must not outlive the scope that it was made in.
 *
 * @since 0.1.0
 * @category errors
 */
export class PoolClosed extends TaggedFailure("PoolClosed")<Given<"PoolClosed", NotSent>> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "pool" as const
  readonly written = false
  readonly safeToRetry = true
}

/**
 * As many requests as `limits.maxPendingRequests` allows were waiting already.
 *
 * Cure: send less at once, or shed load here; raising the limit makes the queue longer, not faster.
 *
 * @since 0.1.0
 * @category errors
 */
export class PoolQueueFull extends TaggedFailure("PoolQueueFull")<Given<"PoolQueueFull", NotSent>> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "pool" as const
  readonly written = false
  readonly safeToRetry = true
}

/**
 * The connection, with its TLS handshake, took longer than `timeouts.connect`.
 *
 * Cure: check that the host and port are right and not behind a firewall that drops packets.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectTimeout extends TaggedFailure("ConnectTimeout")<Given<"ConnectTimeout", NotSent>> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "connect" as const
  readonly written = false
  readonly safeToRetry = true
  /** As other clients have it: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `ECONNRESET`, `ETIMEDOUT`. */
  get code(): string | undefined {
    return failureCode(this)
  }
}

/**
 * The connection could not be made.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectError extends TaggedFailure("ConnectError")<Given<"ConnectError", NotSent>> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "connect" as const
  readonly written = false
  readonly safeToRetry = true
  /** As other clients have it: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `ECONNRESET`, `ETIMEDOUT`. */
  get code(): string | undefined {
    return failureCode(this)
  }
}

/**
 * The address policy of the client does not allow the address, the name or the Unix socket: nothing was connected to. It is
 * not `safeToRetry`: it would be the same again. See `AddressPolicy`.
 *
 * @since 0.1.0
 * @category errors
 */
export class AddressNotAllowed extends TaggedFailure("AddressNotAllowed")<Given<"AddressNotAllowed", NotSent>> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "connect" as const
  readonly written = false
  readonly safeToRetry = false
}

/**
 * The TLS handshake failed.
 *
 * @since 0.1.0
 * @category errors
 */
export class TlsError extends TaggedFailure("TlsError")<Given<"TlsError", NotSent>> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "connect" as const
  readonly written = false
  readonly safeToRetry = true
  /** As other clients have it: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `ECONNRESET`, `ETIMEDOUT`. */
  get code(): string | undefined {
    return failureCode(this)
  }
}

/**
 * The URL's scheme is not one that this client speaks. It is not `safeToRetry`: it would be the same again.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnsupportedProtocol extends TaggedFailure("UnsupportedProtocol")<Given<"UnsupportedProtocol", NotSent>> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "connect" as const
  readonly written = false
  readonly safeToRetry = false
}

/**
 * The proxy could not be reached, or opened no way to the origin. `proxy` names it, `status`, `body` (its first KiB) and
 * `code` are what it said; `reason` says whose to mend it is.
 *
 * With `Authentication` or `Configuration` it is not `safeToRetry`: it would be the same again.
 *
 * @since 0.1.0
 * @category errors
 */
export class ProxyError extends TaggedFailure("ProxyError")<Given<"ProxyError">> {
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The request cannot be sent as it is: nothing of it was. It is the caller's to mend, so it is not `safeToRetry`.
 *
 * @since 0.1.0
 * @category errors
 */
export class LocalProtocolError extends TaggedFailure("LocalProtocolError")<Given<"LocalProtocolError", NotSent>> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "send" as const
  readonly written = false
  readonly safeToRetry = false
}

/**
 * The server was silent for `timeouts.read` while we waited for its bytes. `handedOver` says how much of the request's body
 * the system had taken by then, and how long before: it may not all have left, for a kernel holds megabytes.
 *
 * @since 0.1.0
 * @category errors
 */
export class ReadTimeout extends TaggedFailure("ReadTimeout")<Given<"ReadTimeout">> {
  readonly [TypeId]: TypeId = TypeId
  /** As other clients have it: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `ECONNRESET`, `ETIMEDOUT`. */
  get code(): string | undefined {
    return failureCode(this)
  }
}

/**
 * The connection ended or broke before the response was complete.
 *
 * @since 0.1.0
 * @category errors
 */
export class ReadError extends TaggedFailure("ReadError")<Given<"ReadError">> {
  readonly [TypeId]: TypeId = TypeId
  /** As other clients have it: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `ECONNRESET`, `ETIMEDOUT`. */
  get code(): string | undefined {
    return failureCode(this)
  }
}

/**
 * The server took none of our bytes for `timeouts.write`.
 *
 * @since 0.1.0
 * @category errors
 */
export class WriteTimeout extends TaggedFailure("WriteTimeout")<Given<"WriteTimeout">> {
  readonly [TypeId]: TypeId = TypeId
  /** As other clients have it: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `ECONNRESET`, `ETIMEDOUT`. */
  get code(): string | undefined {
    return failureCode(this)
  }
}

/**
 * The connection broke while the request was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class WriteError extends TaggedFailure("WriteError")<Given<"WriteError">> {
  readonly [TypeId]: TypeId = TypeId
  /** As other clients have it: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `ECONNRESET`, `ETIMEDOUT`. */
  get code(): string | undefined {
    return failureCode(this)
  }
}

/**
 * The head of the response was not complete within `timeouts.headers`.
 *
 * @since 0.1.0
 * @category errors
 */
export class HeadersTimeout extends TaggedFailure("HeadersTimeout")<Given<"HeadersTimeout">> {
  readonly [TypeId]: TypeId = TypeId
  /** As other clients have it: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `ECONNRESET`, `ETIMEDOUT`. */
  get code(): string | undefined {
    return failureCode(this)
  }
}

/**
 * The request with its response took longer than `timeouts.total`.
 *
 * @since 0.1.0
 * @category errors
 */
export class TotalTimeout extends TaggedFailure("TotalTimeout")<Given<"TotalTimeout">> {
  readonly [TypeId]: TypeId = TypeId
  /** As other clients have it: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `ECONNRESET`, `ETIMEDOUT`. */
  get code(): string | undefined {
    return failureCode(this)
  }
}

/**
 * The server broke the rules of the protocol. Its connection is closed.
 *
 * @since 0.1.0
 * @category errors
 */
export class RemoteProtocolError extends TaggedFailure("RemoteProtocolError")<Given<"RemoteProtocolError">> {
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The server ended this stream of an HTTP/2 connection (RST_STREAM, RFC 9113 §6.4); the connection goes on.
 *
 * After `ENHANCE_YOUR_CALM` it is not `safeToRetry`, whatever the method: the server asks for less.
 *
 * @since 0.1.0
 * @category errors
 */
export class StreamReset extends TaggedFailure("StreamReset")<Given<"StreamReset">> {
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The body was abandoned: nobody had begun to read it while others waited for its connection, its scope ended, or it was
 * read before in a way that cannot be done twice.
 *
 * @since 0.1.0
 * @category errors
 */
export class BodyAbandoned extends TaggedFailure("BodyAbandoned")<Given<"BodyAbandoned">> {
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The body passed `maxResponseSize`.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResponseTooLarge extends TaggedFailure("ResponseTooLarge")<Given<"ResponseTooLarge">> {
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The stream of the request's body failed. `cause` is its own error.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestBodyError extends TaggedFailure("RequestBodyError")<Given<"RequestBodyError">> {
  readonly [TypeId]: TypeId = TypeId
}

/**
 * @since 0.1.0
 * @category models
 */
export type TransportError =
  | PoolTimeout
  | PoolClosed
  | PoolQueueFull
  | ConnectTimeout
  | ConnectError
  | AddressNotAllowed
  | TlsError
  | UnsupportedProtocol
  | ProxyError
  | LocalProtocolError
  | ReadTimeout
  | ReadError
  | WriteTimeout
  | WriteError
  | HeadersTimeout
  | TotalTimeout
  | RemoteProtocolError
  | StreamReset
  | BodyAbandoned
  | ResponseTooLarge
  | RequestBodyError

/**
 * @since 0.1.0
 * @category guards
 */
export const isTransportError = (u: unknown): u is TransportError => hasProperty(u, TypeId)

/**
 * The typed error inside an error of the platform's `HttpClient`, if it came from the transport.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as TransportError from "@sluice/core4/TransportError"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 *
 * const program = HttpClient.get("http://127.0.0.1:8080/").pipe(
 *   Effect.tapError((error) =>
 *     Option.match(TransportError.fromHttpClientError(error), {
 *       onNone: () => Effect.void,
 *       onSome: (cause) => Effect.logWarning(cause.message)
 *     })
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromHttpClientError = (error: unknown): Option.Option<TransportError> => {
  if (isTransportError(error)) return Option.some(error)
  return isHttpClientError(error) && "cause" in error.reason && isTransportError(error.reason.cause)
    ? Option.some(error.reason.cause)
    : Option.none()
}

/**
 * Catches one kind of transport error behind the platform's `HttpClient`.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as TransportError from "@sluice/core4/TransportError"
 * import * as Effect from "effect/Effect"
 *
 * const program = HttpClient.get("http://127.0.0.1:8080/").pipe(
 *   Effect.flatMap((response) => response.text),
 *   TransportError.catchTag("PoolTimeout", (timeout) => Effect.succeed(`busy: ${timeout.pool.waiting} requests wait`))
 * )
 * ```
 *
 * @since 0.1.0
 * @category error handling
 */
export const catchTag: {
  <const Tag extends TransportError["_tag"], B, E2, R2>(
    tag: Tag,
    f: (error: Extract<TransportError, { _tag: Tag }>) => Effect.Effect<B, E2, R2>
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A | B, E | E2, R | R2>
  <A, E, R, const Tag extends TransportError["_tag"], B, E2, R2>(
    self: Effect.Effect<A, E, R>,
    tag: Tag,
    f: (error: Extract<TransportError, { _tag: Tag }>) => Effect.Effect<B, E2, R2>
  ): Effect.Effect<A | B, E | E2, R | R2>
} = dual(
  3,
  <A, E, R, B, E2, R2>(
    self: Effect.Effect<A, E, R>,
    tag: string,
    f: (error: never) => Effect.Effect<B, E2, R2>
  ): Effect.Effect<A | B, E | E2, R | R2> =>
    Effect.catch(self, (error): Effect.Effect<B, E | E2, R2> => {
      const transport = fromHttpClientError(error)
      return transport._tag === "Some" && transport.value._tag === tag
        ? f(transport.value as never)
        : Effect.fail(error)
    })
)

const classes: { readonly [Tag in Failure.FailureTag]: new(failure: never) => TransportError } = {
  PoolTimeout,
  PoolClosed,
  PoolQueueFull,
  ConnectTimeout,
  ConnectError,
  AddressNotAllowed,
  TlsError,
  UnsupportedProtocol,
  ProxyError,
  LocalProtocolError,
  ReadTimeout,
  ReadError,
  WriteTimeout,
  WriteError,
  HeadersTimeout,
  TotalTimeout,
  RemoteProtocolError,
  StreamReset,
  BodyAbandoned,
  ResponseTooLarge,
  RequestBodyError
}

/**
 * The error of a failure that the engine, or a driver, reports as plain data.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromFailure = (failure: Failure.Failure): TransportError => {
  if (isTransportError(failure)) return failure
  const { _tag, ...given } = failure
  // A failure may be the cause of another one, as of a body whose trailers cannot be sent.
  const cause = isFailure(given.cause) ? { cause: fromFailure(given.cause) } : {}
  return new classes[_tag]({ ...given, ...cause } as never)
}
