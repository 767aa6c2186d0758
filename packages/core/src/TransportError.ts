/**
 * Every way in which a request can fail on its way.
 *
 * Behind the `HttpClient` service they arrive as the `cause` of a `RequestError` or `ResponseError`, which is what the
 * platform's `retryTransient` understands; `fromHttpClientError` and `catchTag` get them back.
 *
 * @since 0.1.0
 */
import { isHttpClientError } from "@effect/platform/HttpClientError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import { continued, describeCause, formatMillis, formatPool, ordinal } from "./internal/formatError.js"
import type { PoolPicture } from "./PoolStats.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@sluice/core/TransportError")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * Where in its life a request failed: waiting for the pool, making the connection, sending the request, waiting for the
 * head of the answer, reading its body.
 *
 * @since 0.1.0
 * @category models
 */
export type Phase = "pool" | "connect" | "send" | "head" | "body"

/**
 * What every error tells.
 *
 * @since 0.1.0
 * @category models
 */
export interface Details {
  /** Scheme, host and port. Never a path, a query or credentials. */
  readonly origin: string
  readonly phase: Phase
  /** Whether any byte of the request was handed to the transport. */
  readonly written: boolean
  /**
   * Whether the request can be sent again without being carried out twice: the server cannot have acted on it, or its
   * method is idempotent (RFC 9110 §9.2.2), or it has an `Idempotency-Key`, and its body can be sent again. A GET whose
   * answer broke off in the middle is safe, a POST is not. Whether it helps is another question: see `Retry.safely`.
   */
  readonly safeToRepeat: boolean
  readonly cause?: unknown
}

/**
 * What an error of the pool or of dialing tells: nothing was sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface NotSent {
  readonly origin: string
  readonly cause?: unknown
}

/**
 * The request waited for a connection for `timeouts.pool`, and none came free. `pool` shows who held them.
 *
 * Cure: read or discard the bodies of answers, raise `maxConnections`, send less at once, or wait longer.
 *
 * @since 0.1.0
 * @category errors
 */
export class PoolTimeout extends Data.TaggedError("PoolTimeout")<
  NotSent & {
    /** How long it waited, in milliseconds. */
    readonly waited: number
    /** Its place in the queue of its origin, 1 for the next. */
    readonly position: number
    readonly pool: PoolPicture
  }
> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "pool" as const
  readonly written = false
  readonly safeToRepeat = true
  override get message(): string {
    return `No connection to ${this.origin} came free within ${formatMillis(this.waited)} (timeouts.pool); ` +
      `the request was ${ordinal(this.position)} in the queue.\n${formatPool(this.pool)}`
  }
}

/**
 * The pool was closed before the request got a connection.
 *
 * Cure: keep the layer alive for as long as requests are made; a client must not outlive the scope that it was made in.
 *
 * @since 0.1.0
 * @category errors
 */
export class PoolClosed extends Data.TaggedError("PoolClosed")<NotSent> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "pool" as const
  readonly written = false
  readonly safeToRepeat = true
  override get message(): string {
    return `The pool is closed: no connection to ${this.origin}. Its scope has ended; requests must be made within it.`
  }
}

/**
 * As many requests as `limits.maxPendingRequests` allows were waiting already.
 *
 * Cure: send less at once, or shed load here; raising the limit makes the queue longer, not faster.
 *
 * @since 0.1.0
 * @category errors
 */
export class PoolQueueFull extends Data.TaggedError("PoolQueueFull")<
  NotSent & {
    readonly maxPendingRequests: number
    readonly pool: PoolPicture
  }
> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "pool" as const
  readonly written = false
  readonly safeToRepeat = true
  override get message(): string {
    return `No connection to ${this.origin} is free, and no more than ${this.maxPendingRequests} requests may wait for ` +
      `one (limits.maxPendingRequests).\n${formatPool(this.pool)}`
  }
}

/**
 * The connection, with its TLS handshake, took longer than `timeouts.connect`.
 *
 * Cure: check that the host and port are right and not behind a firewall that drops packets.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectTimeout extends Data.TaggedError("ConnectTimeout")<
  NotSent & {
    /** In milliseconds. */
    readonly timeout: number
  }
> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "connect" as const
  readonly written = false
  readonly safeToRepeat = true
  override get message(): string {
    return `Connecting to ${this.origin} took longer than ${formatMillis(this.timeout)} (timeouts.connect). ` +
      "Is the address right, and does no firewall drop the packets?"
  }
}

/**
 * The connection could not be made.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectError extends Data.TaggedError("ConnectError")<
  NotSent & {
    readonly reason: "Refused" | "UnknownHost" | "Unreachable" | "Reset" | "Other"
    /** What was tried, and what the system said. */
    readonly detail: string
  }
> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "connect" as const
  readonly written = false
  readonly safeToRepeat = true
  override get message(): string {
    return `Could not connect to ${this.origin}: ${continued(this.detail)}`
  }
}

/**
 * The TLS handshake failed.
 *
 * @since 0.1.0
 * @category errors
 */
export class TlsError extends Data.TaggedError("TlsError")<
  NotSent & {
    readonly reason:
      | "Expired"
      | "NotYetValid"
      | "UnknownAuthority"
      | "HostName"
      | "ProtocolVersion"
      | "ClientCertificate"
      | "Configuration"
      | "Other"
    /** What is wrong and what to check. */
    readonly detail: string
  }
> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "connect" as const
  readonly written = false
  readonly safeToRepeat = true
  override get message(): string {
    return `No TLS connection to ${this.origin}: ${continued(this.detail)}`
  }
}

/**
 * The URL's scheme is not one that this client speaks. It is not `safeToRepeat`: it would be the same again.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnsupportedProtocol extends Data.TaggedError("UnsupportedProtocol")<
  NotSent & {
    readonly protocol: string
  }
> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "connect" as const
  readonly written = false
  readonly safeToRepeat = false
  override get message(): string {
    return `The URL begins with ${this.protocol}, which this client does not speak. ` +
      "Write it with http: or https:, as in http://example.com/"
  }
}

/**
 * The proxy refused or could not open the way to the origin.
 *
 * @since 0.1.0
 * @category errors
 */
export class ProxyError extends Data.TaggedError("ProxyError")<
  NotSent & {
    /** The status that the proxy answered CONNECT with, if it did. */
    readonly status?: number | undefined
    readonly detail: string
  }
> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "connect" as const
  readonly written = false
  readonly safeToRepeat = true
  override get message(): string {
    return `The proxy gave no way to ${this.origin}: ${continued(this.detail)}`
  }
}

/**
 * The request cannot be sent as it is: nothing of it was. It is the caller's to mend, so it is not `safeToRepeat`.
 *
 * @since 0.1.0
 * @category errors
 */
export class LocalProtocolError extends Data.TaggedError("LocalProtocolError")<
  NotSent & {
    readonly reason: "InvalidUrl" | "InvalidMethod" | "InvalidTarget" | "InvalidHeader" | "InvalidBody" | "NotSupported"
    readonly detail: string
    /** Where the rule is written. */
    readonly section?: string | undefined
  }
> {
  readonly [TypeId]: TypeId = TypeId
  readonly phase = "send" as const
  readonly written = false
  readonly safeToRepeat = false
  override get message(): string {
    return `The request cannot be sent: ${continued(this.detail)}${
      this.section === undefined ? "" : ` (${this.section})`
    }`
  }
}

/**
 * The server was silent for `timeouts.read` while we waited for its bytes.
 *
 * @since 0.1.0
 * @category errors
 */
export class ReadTimeout extends Data.TaggedError("ReadTimeout")<
  Details & {
    /** In milliseconds. */
    readonly timeout: number
  }
> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    return `${this.origin} sent nothing for ${formatMillis(this.timeout)}, waiting for ` +
      `${this.phase === "body" ? "the rest of the body" : "its answer"} (timeouts.read)`
  }
}

/**
 * The connection ended or broke before the answer was complete.
 *
 * @since 0.1.0
 * @category errors
 */
export class ReadError extends Data.TaggedError("ReadError")<
  Details & {
    readonly reason: "Ended" | "Reset" | "PoolClosed" | "Other"
    readonly detail: string
  }
> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    return this.written
      ? `The answer of ${this.origin} broke off: ${continued(this.detail)}`
      : `The request to ${this.origin} was not sent: ${continued(this.detail)}`
  }
}

/**
 * The server took none of our bytes for `timeouts.write`.
 *
 * @since 0.1.0
 * @category errors
 */
export class WriteTimeout extends Data.TaggedError("WriteTimeout")<
  Details & {
    /** In milliseconds. */
    readonly timeout: number
  }
> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    return `${this.origin} took none of the request's bytes for ${formatMillis(this.timeout)} (timeouts.write)`
  }
}

/**
 * The connection broke while the request was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class WriteError extends Data.TaggedError("WriteError")<
  Details & {
    readonly detail: string
  }
> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    return `The request to ${this.origin} could not be sent: ${continued(this.detail)}`
  }
}

/**
 * The head of the answer was not complete within `timeouts.headers`.
 *
 * @since 0.1.0
 * @category errors
 */
export class HeadersTimeout extends Data.TaggedError("HeadersTimeout")<
  Details & {
    /** In milliseconds. */
    readonly timeout: number
  }
> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    return `${this.origin} did not complete the head of its answer within ${
      formatMillis(this.timeout)
    } (timeouts.headers)`
  }
}

/**
 * The request with its answer took longer than `timeouts.total`.
 *
 * @since 0.1.0
 * @category errors
 */
export class TotalTimeout extends Data.TaggedError("TotalTimeout")<
  Details & {
    /** In milliseconds. */
    readonly timeout: number
  }
> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    return `The request to ${this.origin} took longer than ${formatMillis(this.timeout)} in all (timeouts.total); ` +
      `it was in its ${this.phase} phase`
  }
}

/**
 * The server broke the rules of the protocol. Its connection is closed.
 *
 * @since 0.1.0
 * @category errors
 */
export class RemoteProtocolError extends Data.TaggedError("RemoteProtocolError")<
  Details & {
    /** The rule, as a short name. */
    readonly code: string
    /** What was received. */
    readonly detail: string
    /** Where the rule is written, as in `RFC 9112 §6.3`. */
    readonly section?: string | undefined
  }
> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    return `${this.origin} broke the protocol: ${continued(this.detail)}${
      this.section === undefined ? "" : ` (${this.section})`
    }`
  }
}

/**
 * The server ended this stream of an HTTP/2 connection (RST_STREAM, RFC 9113 §6.4); the connection goes on.
 *
 * After `ENHANCE_YOUR_CALM` it is not `safeToRepeat`, whatever the method: the server asks for less.
 *
 * @since 0.1.0
 * @category errors
 */
export class StreamReset extends Data.TaggedError("StreamReset")<
  Details & {
    /** The error code by its name, as in `INTERNAL_ERROR` (RFC 9113 §7). */
    readonly code: string
  }
> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    return `${this.origin} reset the stream of this request with ${this.code}`
  }
}

/**
 * The body was given up: nobody had begun to read it while others waited for its connection, its scope ended, or it was
 * read before in a way that cannot be repeated.
 *
 * @since 0.1.0
 * @category errors
 */
export class BodyAbandoned extends Data.TaggedError("BodyAbandoned")<
  Details & {
    readonly reason: "Unread" | "ScopeClosed" | "AlreadyRead" | "Cancelled"
  }
> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    return `The body of the answer of ${this.origin} is not there any more: ` + abandoned[this.reason]
  }
}

/**
 * The body passed `maxResponseSize`.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResponseTooLarge extends Data.TaggedError("ResponseTooLarge")<
  Details & {
    /** In bytes. */
    readonly maxResponseSize: number
  }
> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    return `The body of the answer of ${this.origin} is larger than maxResponseSize, ${this.maxResponseSize} bytes`
  }
}

/**
 * The stream of the request's body failed. `cause` is its own error.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestBodyError extends Data.TaggedError("RequestBodyError")<Details> {
  readonly [TypeId]: TypeId = TypeId
  override get message(): string {
    const why = describeCause(this.cause)
    return `The body of the request to ${this.origin} failed while it was sent${why === "" ? "" : `: ${why}`}`
  }
}

const abandoned = {
  Unread: "nobody began to read it while other requests waited for its connection. " +
    "Read bodies when the answer arrives, or raise maxBufferedBody",
  ScopeClosed: "the scope that it belongs to has ended",
  AlreadyRead: "it has been read as a stream, which can be done once",
  Cancelled: "reading it was interrupted before its end"
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
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as TransportError from "@sluice/core/TransportError"
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
  return isHttpClientError(error) && isTransportError((error as { readonly cause?: unknown }).cause)
    ? Option.some((error as { readonly cause: TransportError }).cause)
    : Option.none()
}

/**
 * Catches one kind of transport error behind the platform's `HttpClient`.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as TransportError from "@sluice/core/TransportError"
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
    Effect.catchAll(self, (error): Effect.Effect<B, E | E2, R2> => {
      const transport = fromHttpClientError(error)
      return transport._tag === "Some" && transport.value._tag === tag
        ? f(transport.value as never)
        : Effect.fail(error)
    })
)
