import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Protocol } from "../../Connection.js"
import type { Origin } from "../../Origin.js"
import type { TransportError } from "../../TransportError.js"

/**
 * What the test may decide itself, when and how it likes: see `hold`. The first decision counts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Held<A> {
  /** Waits for the decision. */
  readonly outcome: Effect.Effect<A, TransportError>
  readonly succeed: (value: A) => void
  readonly fail: (error: TransportError) => void
}

/**
 * A connection being made.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dial extends Held<Endpoint> {
  readonly origin: Origin
  /** `Interrupted`: whoever dialed abandoned it. */
  readonly state: "Dialing" | "Connected" | "Failed" | "Interrupted"
}

/**
 * What a dial finds at its end.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoint {
  /** Default `"http/1.1"`. */
  readonly protocol?: Protocol | undefined
  /** How many streams an HTTP/2 connection may carry at once (SETTINGS_MAX_CONCURRENT_STREAMS). Default 100. */
  readonly capacity?: number | undefined
  /**
   * How many bytes of a request's body it takes while the server reads none of them. Default 65,536. Over HTTP/2 it is the
   * window of each stream (SETTINGS_INITIAL_WINDOW_SIZE).
   */
  readonly window?: number | undefined
  /** How long a byte takes from one side to the other. Default: no time. */
  readonly latency?: Duration.Input | undefined
  /** How many bytes a second pass in each direction. Default `Infinity`. */
  readonly bandwidth?: number | undefined
  /** How many bytes the network takes in each direction while nobody reads them. Default 65,536. */
  readonly buffer?: number | undefined
  /** How long it takes until the socket is gone when it is closed. Default: no time. */
  readonly closing?: Effect.Effect<void> | undefined
}

/**
 * A connection from the server's side. What the methods do, the other side learns as it would over sockets: soon, after
 * what is on its way.
 *
 * @since 0.1.0
 * @category models
 */
export interface Server {
  /** 1 for the first connection of the network. */
  readonly number: number
  readonly origin: Origin
  readonly protocol: Protocol
  /** Whether neither side has closed it. */
  readonly isOpen: boolean
  /** Every request that came on it. */
  readonly requests: ReadonlyArray<Request>
  /** Requests that are neither responded to nor abandoned. */
  readonly active: number
  readonly maxActive: number
  /** Closes it. Requests under way fail with `ReadError`. */
  readonly close: () => void
  /** Breaks it, as a process that is killed does. Requests under way fail with `ReadError`. */
  readonly reset: () => void
  /** Sends bytes that no request asked for: of HTTP/2 any frames, whole or not. */
  readonly send: (bytes: string | Uint8Array) => void
  /** Takes no more requests; those under way may finish (GOAWAY, RFC 9113 §6.8). */
  readonly goAway: () => void
  /** How many requests it may carry at once from now on. */
  readonly setCapacity: (capacity: number) => void
}

/**
 * A request from the server's side.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request extends Held<Reply> {
  readonly connection: Server
  /** The number of its stream, over HTTP/2: for whoever sends frames of his own. */
  readonly streamId: number | undefined
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  /** The body. Reading makes room for more of it: see `Endpoint.window`. */
  readonly body: Stream.Stream<Uint8Array>
  /** All of the body, as text. */
  readonly text: Effect.Effect<string>
  /** The fields that came after the body; none before all of it has come. */
  readonly trailers: Readonly<Record<string, string>>
  /** The chunks of the body that have come, read or not. */
  readonly parts: ReadonlyArray<Uint8Array>
  /** `Cancelled`: whoever sent it abandoned it. */
  readonly state: "Running" | "Responded" | "Failed" | "Cancelled"
}

/**
 * A response. Status 200, no headers and no body where nothing is said.
 *
 * One that opens a tunnel, 101 or 2xx to CONNECT, has in its body what the server sends through it; what the client
 * sends is the body of the request from then on. So a server that echoes responds with `request.body`.
 *
 * To wait before it, never give it or fail is for the Effect that it comes from; to wait between the parts of the body
 * or to break off for the Stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reply {
  readonly status?: number | undefined
  /**
   * Several values of a name are several fields. On HTTP/1.1 `connection: close` and `keep-alive: timeout=` have their
   * effect; HTTP/2 has no such fields, and they are not sent.
   */
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string>>> | undefined
  readonly body?: string | Uint8Array | Stream.Stream<string | Uint8Array, TransportError> | undefined
  readonly trailers?: Readonly<Record<string, string>> | undefined
  /**
   * These octets, as they are, instead of a response; text has one character an octet. Only `connection: close` has an
   * effect beside it. Over HTTP/2 they are frames, for the stream `request.streamId`.
   */
  readonly raw?: string | Uint8Array | Stream.Stream<string | Uint8Array, TransportError> | undefined
  /** Interim responses that come before it, as `{ status: 103 }`. */
  readonly interim?: ReadonlyArray<Pick<Reply, "status" | "headers">> | undefined
}

/**
 * What the servers of a network do.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How a dial ends. It is interrupted when the dial is abandoned. Default: HTTP/1.1, at once. */
  readonly dial?: ((dial: Dial) => Effect.Effect<Endpoint, TransportError>) | undefined
  /** How the server responds to a request. Default: its body is read, then an empty 200. */
  readonly respond?: ((request: Request) => Effect.Effect<Reply, TransportError>) | undefined
  /** What is known of an origin's protocol before the first dial. Default: `"http/1.1"`. */
  readonly protocol?: ((origin: Origin) => Protocol | "unknown") | undefined
}
