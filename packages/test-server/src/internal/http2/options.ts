import type * as Effect from "effect/Effect"

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
