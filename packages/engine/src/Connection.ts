/**
 * What the pool manages, and how a request runs on it. Drivers implement it: `@sluice/node` over sockets, the in-memory
 * network of `@sluice/core/testing` over nothing.
 *
 * Everything here is synchronous and made of plain calls. A call never throws and never waits; what takes time comes
 * back as a call to a listener or receiver. That is what makes a request cheap, and every state visible.
 */
import type { CloseReason } from "./CloseReason.js"
import type { DialStage } from "./DialStage.js"
import type { Failure } from "./Failure.js"
import type { Origin } from "./Origin.js"

/**
 * The protocols that a connection can speak, by their ALPN names (RFC 7301).
 */
export type Protocol = "http/1.1" | "h2"

/**
 * A connection to an origin. It belongs to the Scope it was made in: closing that Scope closes its socket.
 */
export interface Connection {
  readonly protocol: Protocol
  /** The address of the other side, where there is one. */
  readonly remoteAddress: string | undefined
  /** How long the TLS handshake took, in milliseconds, where there was one. */
  readonly tlsTime?: number | undefined
  /**
   * How many exchanges it can carry at once, now: 1 for HTTP/1.1; for HTTP/2 the smaller of what the two sides allow,
   * and 0 while it must not be given any.
   */
  readonly capacity: number
  /** What the server allows at once, where it has said so and it is what bounds the capacity. */
  readonly streamLimit?: number | undefined
  /**
   * Whether another exchange may use it. False from the start of an HTTP/1.1 exchange until its clean end, so that
   * nothing but a clean end gives a connection back to the pool.
   */
  readonly reusable: boolean
  /** How long the server said that it keeps the connection idle, in milliseconds (`Keep-Alive: timeout=`). */
  readonly keepAliveHint: number | undefined
  /** Begins an exchange. The receiver is not called before this call returns. */
  readonly exchange: (request: ExchangeRequest, receiver: ExchangeReceiver) => Exchange
}

/**
 * What a connection notifies the pool of, at any time after it was made.
 */
export interface ConnectionListener {
  /** `connection.capacity` has changed. */
  readonly onCapacity: (capacity: number) => void
  /** It takes nothing new; what it carries may finish (GOAWAY, RFC 9113 §6.8). */
  readonly onDraining: () => void
  /** It is gone, or of no use. Its exchanges have been notified before. */
  readonly onClosed: (reason: CloseReason) => void
  /** It begins to be made. `stage` says how far it is, for whom it takes too long. */
  readonly onDialing?: ((stage: () => DialStage | undefined) => void) | undefined
  /** How long a waiter waits for it unless it says otherwise, in milliseconds. */
  readonly patience?: number | undefined
}

/**
 * A request as a connection sends it.
 *
 * A response of 101, or of 2xx to a CONNECT, turns the exchange into a tunnel: bytes go both ways as they are, by `write`
 * and `onData`. `end` ends our side, and `onSent` reports when all that was written has been handed over; `onComplete` says
 * that the other side has ended its own, and even after it `onDrain`, `onSent` and `onError` may come. A tunnel lasts
 * until `cancel`, and its connection is of no use to another exchange.
 */
export interface ExchangeRequest {
  readonly origin: Origin
  readonly method: string
  /** Path and query, never a fragment; or for CONNECT, which has no body, `host:port` (RFC 9112 §3.2). */
  readonly target: string
  /** Names in lower case. `host` and the framing headers are the connection's own business. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: ExchangeBody
  /** Whether it can be carried out twice without harm and sent twice: for `Failure.safeToRetry`. */
  readonly retryable: boolean
}

/**
 * - `None`: no content.
 * - `Bytes`: all of it, in one piece.
 * - `Chunks`: it comes by `Exchange.write` and `Exchange.end`; `length` is its size in bytes, if known. `trailers` says
 *   that `Exchange.end` brings trailers; then `length` is undefined.
 */
export type ExchangeBody =
  | { readonly _tag: "None" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Chunks"; readonly length: number | undefined; readonly trailers?: boolean | undefined }

/**
 * The head of a response.
 */
export interface ExchangeHead {
  readonly status: number
  /** Flat: name, value, name, value, … Names in lower case. */
  readonly rawHeaders: ReadonlyArray<string>
  /** The size of the content in bytes, if the response head states it. */
  readonly contentLength: number | undefined
  /** Whether there is a Content-Encoding, where that is known without a look at the fields. */
  readonly isCoded?: boolean | undefined
}

/**
 * What an exchange notifies its request of. After `onError` nothing more comes; after `onComplete` neither, unless it is a
 * tunnel, or the request has not been sent whole: then the exchange goes on until it is, has failed, or is cancelled, and
 * its connection is not used again.
 */
export interface ExchangeReceiver {
  /** The transport has taken bytes of the request that had been waiting. */
  readonly onWritten: () => void
  /** The whole request has been handed to the transport, nothing of it waits. */
  readonly onSent: () => void
  /**
   * The transport has room for more chunks of the body, after `write` said that it had none, or after the head was
   * written of a request whose body comes in chunks.
   */
  readonly onDrain: () => void
  /**
   * Bytes of the response have come that make nothing yet: a piece of its head, of its trailers, or of what frames its
   * body. The server is not silent.
   */
  readonly onProgress: () => void
  /** An interim response: 100 Continue, 103 Early Hints (RFC 9110 §15.2). */
  readonly onInformational: (head: ExchangeHead) => void
  readonly onHead: (head: ExchangeHead) => void
  /** A chunk of the body. The receiver owns these bytes. */
  readonly onData: (bytes: Uint8Array) => void
  /** The response is complete on the wire. `trailers` is flat, as `rawHeaders`. */
  readonly onComplete: (trailers: ReadonlyArray<string>) => void
  readonly onError: (failure: Failure) => void
}

/**
 * A running exchange, from the request's side.
 */
export interface Exchange {
  /** Hands over a chunk of a body of `Chunks`. False: wait for `onDrain` before the next one. */
  readonly write: (bytes: Uint8Array) => boolean
  /**
   * All chunks have been written. The trailers are those that the body announced; such as cannot be sent end the exchange
   * with `RequestBodyError`.
   */
  readonly end: (trailers?: Readonly<Record<string, string>>) => void
  /** Stop reading: no `onData` until `resume`. */
  readonly pause: () => void
  readonly resume: () => void
  /**
   * Ends it, whatever its state; the receiver is not called again. Closes an HTTP/1.1 connection, resets an HTTP/2
   * stream. Harmless when it has ended. `"Silent"` says that the server kept us waiting for too long, so that the
   * connection may be dead; `"Unwanted"` that we are no longer interested.
   */
  readonly cancel: (reason: "Unwanted" | "Silent") => void
  /** Whether bytes of the request have been handed to the transport. */
  readonly written: boolean
  /** Whether all of them have, and none waits. */
  readonly sent: boolean
  /** How many bytes of the body were handed over here and still wait for the transport to have room. */
  readonly unwritten: number
}
