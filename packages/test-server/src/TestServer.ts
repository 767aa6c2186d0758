/**
 * A scripted server on a free loopback port, for tests.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as tls from "node:tls"
import type { ConnectionInfo } from "./ConnectionInfo.js"
import * as acceptor from "./internal/acceptor.js"
import * as internal from "./internal/server.js"
import type { ReceivedRequest } from "./ReceivedRequest.js"
import type { Breaking } from "./Reply.js"
import type { Replies, RouteOptions } from "./Script.js"
import type { ServerEvent } from "./ServerEvent.js"
import type { ServerStats } from "./ServerStats.js"
import type { Identity, TestAuthority } from "./TestAuthority.js"

/**
 * How a TLS handshake is spoiled once the client's first message has come: the server says nothing at all and stays
 * connected, ends the connection (FIN), resets it, responds in clear text as a plain HTTP server does, or sends a fatal
 * alert of that number (RFC 8446 section 6; 40 is handshake_failure, 80 internal_error).
 *
 * @since 0.1.0
 * @category models
 */
export type HandshakeFault = "silence" | "end" | "reset" | "clear-text" | { readonly alert: number }

/**
 * How the server does TLS.
 *
 * @since 0.1.0
 * @category models
 */
export interface TlsOptions {
  /** Who signs the server's certificate, and whose clients are welcome. Default: a new authority. */
  readonly authority?: TestAuthority | undefined

  /**
   * What the server shows. Default `"valid"`: good for `localhost`, `127.0.0.1` and `::1`. `"expired"` ended a minute
   * ago; `"wrong-host"` is for another host; `"self-signed"` and `"unknown-authority"` come from nobody the client
   * knows; or an identity of one's own.
   */
  readonly certificate?:
    | "valid"
    | "expired"
    | "wrong-host"
    | "self-signed"
    | "unknown-authority"
    | Identity
    | undefined

  /** Whether clients are asked for a certificate of the authority. Default `"none"`. */
  readonly clientCertificate?: "none" | "optional" | "required" | undefined

  /** Spoils every handshake. Default: none is. */
  readonly handshake?: HandshakeFault | undefined

  /**
   * Spoils each handshake in which the client offers to resume an earlier session; full ones are done. So behaves a
   * server, or a middlebox in front of it, that chokes on resumption. Default: sessions are resumed.
   */
  readonly resumption?: HandshakeFault | undefined

  /**
   * The protocols to choose from, best first. Default: what `http1` and `http2` say. An empty list makes a server that
   * knows no ALPN and speaks HTTP/1.1.
   */
  readonly alpn?: ReadonlyArray<string> | undefined

  /** Default: Node's, TLS 1.2. */
  readonly minVersion?: tls.SecureVersion | undefined

  /** Default: Node's, TLS 1.3. */
  readonly maxVersion?: tls.SecureVersion | undefined
}

/**
 * Settings of HTTP/2 (RFC 9113 section 6.5.2), each with its default of the RFC.
 *
 * @since 0.1.0
 * @category models
 */
export interface Http2Settings {
  readonly maxConcurrentStreams?: number | undefined
  readonly initialWindowSize?: number | undefined
  readonly maxFrameSize?: number | undefined
  readonly maxHeaderListSize?: number | undefined
  readonly headerTableSize?: number | undefined
  readonly enableConnectProtocol?: boolean | undefined
}

/**
 * How the server does HTTP/2.
 *
 * @since 0.1.0
 * @category models
 */
export interface Http2Options extends Http2Settings {
  /** The window for uploads of a whole connection, in bytes. Default 65,535. */
  readonly connectionWindowSize?: number | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface GoAwayOptions {
  /** Default NO_ERROR (0). */
  readonly code?: number | undefined

  /** Default: the last stream that the server has seen. `"all"` is 2^31-1, the first half of a graceful ending. */
  readonly lastStreamId?: number | "all" | undefined

  /** Default none. */
  readonly debugData?: Uint8Array | undefined
}

/**
 * What only an HTTP/2 server can do, on all of its HTTP/2 connections. Each returns how many these are.
 *
 * @since 0.1.0
 * @category models
 */
export interface Http2Controls {
  /** Sends GOAWAY; streams go on and the connection stays open. */
  readonly goAway: (options?: GoAwayOptions) => Effect.Effect<number>

  /** Sends RST_STREAM with that error code on all open streams. */
  readonly resetStreams: (code: number) => Effect.Effect<number>

  /** Changes the server's settings. */
  readonly settings: (settings: Http2Settings) => Effect.Effect<number>

  /** Sends PING and waits for all responds: whatever was sent before has then been read by the clients. */
  readonly ping: Effect.Effect<number>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Replies from the start, by route (see {@link TestServer.reply}). Default none. */
  readonly replies?: Readonly<Record<string, Replies>> | undefined

  /** The address to listen on. Default `"127.0.0.1"`. */
  readonly host?: string | undefined

  /** Default 0: any free port. */
  readonly port?: number | undefined

  /** Listens on a Unix socket (a named pipe on Windows) at this path in place of host and port. Default none. */
  readonly unixPath?: string | undefined

  /** Serves HTTPS; `true` is with all defaults. Default false. */
  readonly tls?: boolean | TlsOptions | undefined

  /** Speaks HTTP/1.1. Default true. */
  readonly http1?: boolean | undefined

  /**
   * Speaks HTTP/2: over TLS when ALPN chooses it, over clear text to a client that begins with it. Default false.
   */
  readonly http2?: boolean | Http2Options | undefined

  /**
   * Takes at most so many bytes a second from each connection (HTTP/2: of each request's body), steadily and without a
   * pause: a slow network, in which something always moves. The kernel takes what its buffers hold beforehand, some
   * megabytes on loopback. Default Infinity.
   */
  readonly readBytesPerSecond?: number | undefined

  /** How many bytes of each request's body are kept for the test. Default 65,536. */
  readonly maxRecordedBody?: number | undefined

  /** How many requests, and how many connections, are kept for the test: the first ones. Default 10,000. */
  readonly maxRecordedRequests?: number | undefined

  /** Closes a connection, having said so, after that many requests (on HTTP/2 by GOAWAY). Default Infinity. */
  readonly maxRequestsPerConnection?: number | undefined

  /** Closes a connection that has been idle for that long, in real time. Default `"Infinity"`. */
  readonly keepAliveTimeout?: Duration.DurationInput | undefined

  /**
   * Whether a client that has ended its side of an HTTP/1.1 connection over clear text still gets its reply, as `nc`
   * wants it. Default false: such a client is taken to have left, and the connection is closed at once.
   */
  readonly halfOpen?: boolean | undefined

  /** Hears of each request that has ended and of each failure, for a log. It must not throw. Default none. */
  readonly onEvent?: ((event: ServerEvent) => void) | undefined
}

/**
 * A running server.
 *
 * Nothing in it uses the Clock of the program under test: delays are real time, and what waits (`awaitStats`, gates)
 * waits for events. So it works the same under TestClock.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestServer {
  /** Scheme, host and port without a slash at the end: `${server.url}/path` is a URL of this server. */
  readonly url: string

  /** The same as a URL's `origin` has it, without the scheme's default port. */
  readonly origin: string

  readonly host: string

  readonly port: number

  /** The certificate of the authority, as PEM, that signed the server's own: `ca` for a client. Only with TLS. */
  readonly ca: string | undefined

  /**
   * Scripts a route, in place of what it had before.
   *
   * The route is a path, `"/users"`; a path with its query, `"/users?page=2"`; a beginning, `"/users/*"`; everything,
   * `"*"`; each with a method before it or without, `"POST /users"`. The most exact one responds; a request that has
   * none gets a 404 that lists what is scripted.
   */
  readonly reply: (route: string, replies: Replies, options?: RouteOptions) => Effect.Effect<void>

  /**
   * The server's counts, after four turns of its event loop, so that whatever has reached its sockets is counted.
   */
  readonly stats: Effect.Effect<ServerStats>

  /** The counts as they are in this instant. */
  readonly unsafeStats: () => ServerStats

  /** Waits until the counts are as wanted, by event. */
  readonly awaitStats: (predicate: (stats: ServerStats) => boolean) => Effect.Effect<ServerStats>

  /** All requests so far, in the order in which their heads came. */
  readonly requests: Effect.Effect<ReadonlyArray<ReceivedRequest>>

  /** Waits for the first request that is as wanted, among those that have come and those to come. */
  readonly awaitRequest: (predicate: (request: ReceivedRequest) => boolean) => Effect.Effect<ReceivedRequest>

  /** All connections so far, open or not, as they are now. */
  readonly connections: Effect.Effect<ReadonlyArray<ConnectionInfo>>

  /** Ends all idle connections in order (FIN; on HTTP/2 GOAWAY first). Returns how many. */
  readonly closeIdleConnections: Effect.Effect<number>

  /** Breaks all connections off, in the middle of whatever they do. Default `"end"`. Returns how many. */
  readonly destroyConnections: (how?: Breaking) => Effect.Effect<number>

  /** Breaks all idle connections off by a reset (RST). Returns how many. */
  readonly resetIdleConnections: Effect.Effect<number>

  /**
   * Writes bytes that nobody asked for to all idle connections, and breaks them off behind these bytes if `close` says
   * so. Returns how many. For the same at a chosen time after a response there is `Reply.Late`.
   */
  readonly writeUnasked: (
    bytes: string | Uint8Array,
    options?: { readonly close?: Breaking | undefined }
  ) => Effect.Effect<number>

  /** Refuses new connections; those that are open stay. */
  readonly stopAccepting: Effect.Effect<void>

  /** Listens again, on the same port. */
  readonly resumeAccepting: Effect.Effect<void>

  /**
   * Reads nothing more from any connection, old or new, so that uploads (and TLS handshakes) stall. The end of a
   * connection is not noticed meanwhile either. On an open HTTP/2 connection request bodies are not read, so that their
   * windows fill; other frames are.
   */
  readonly pauseReading: Effect.Effect<void>

  readonly resumeReading: Effect.Effect<void>

  /**
   * From now on takes at most so many bytes a second from each connection, as {@link Options.readBytesPerSecond} has it.
   * `Infinity` lifts the limit.
   */
  readonly limitReading: (bytesPerSecond: number) => Effect.Effect<void>

  /** For HTTP/2 connections. */
  readonly http2: Http2Controls
}

/**
 * @since 0.1.0
 * @category tags
 */
export const TestServer: Context.Tag<TestServer, TestServer> = Context.GenericTag<TestServer>(
  "@sluice/test-server/TestServer"
)

/**
 * The address could not be listened on. It is a defect of {@link make}, since it does not happen on a free loopback
 * port.
 *
 * @since 0.1.0
 * @category errors
 */
export const ListenError = acceptor.ListenError

/**
 * @since 0.1.0
 * @category errors
 */
export type ListenError = acceptor.ListenError

/**
 * Starts a server. When the scope ends, all of its connections are broken off and the port is free again.
 *
 * @example
 * ```ts
 * import { Reply, TestServer } from "@sluice/test-server"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* TestServer.make({ replies: { "/hello": Reply.text("hello") } })
 *   const text = yield* Effect.promise(() => fetch(`${server.url}/hello`).then((response) => response.text()))
 *   const stats = yield* server.stats
 *   return [text, stats.connectionsOpened] as const
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: Options) => Effect.Effect<TestServer, never, Scope.Scope> = internal.make

/**
 * A server as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: (options?: Options) => Layer.Layer<TestServer> = internal.layer(TestServer)
