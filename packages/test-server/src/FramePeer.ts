/**
 * A peer that speaks HTTP/2 frame by frame, as the test says: any frame at any time, malformed ones too.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Frame, ReceivedFrame } from "./Frame.js"
import * as internal from "./internal/frames/peer.js"
import type { Breaking } from "./Reply.js"
import type { ServerStats } from "./ServerStats.js"
import type { Http2Settings, TlsOptions } from "./TestServer.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Serves TLS, with ALPN `h2` unless told otherwise. Default false: clear text. */
  readonly tls?: boolean | TlsOptions | undefined

  /** What the peer announces in its first frame. Default nothing but an empty SETTINGS. */
  readonly settings?: Http2Settings | undefined

  /**
   * What the peer does by itself. `"settings"` sends SETTINGS first and acknowledges those of the client, `"ping"`
   * responds PING, `"windows"` gives back whatever DATA uses up. Default `["settings", "ping"]`.
   */
  readonly automatic?: ReadonlyArray<"settings" | "ping" | "windows"> | undefined

  /** Default 0: any free port. */
  readonly port?: number | undefined
}

/**
 * One connection of a client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connection {
  /** From 0, in the order in which they were opened. */
  readonly number: number

  /** Sends frames, in one write. */
  readonly send: (...frames: ReadonlyArray<Frame>) => Effect.Effect<void>

  /** Sends bytes that need not be frames. */
  readonly sendBytes: (bytes: string | Uint8Array) => Effect.Effect<void>

  /**
   * Takes the first frame of that kind, and of that stream if one is given, which has not been taken yet, or waits for
   * it. Others stay for later. If the connection ends first, or the client sends what RFC 9113 does
   * not allow, it dies with what that was and a list of what has come. `stats.malformed` has it as well.
   */
  readonly take: <Tag extends ReceivedFrame["_tag"]>(
    tag: Tag,
    streamId?: number
  ) => Effect.Effect<Extract<ReceivedFrame, { readonly _tag: Tag }>>

  /** All frames so far, taken or not. */
  readonly frames: Effect.Effect<ReadonlyArray<ReceivedFrame>>

  /** Ends the connection. Default `"end"`; anything else is a reset. */
  readonly close: (how?: Breaking) => Effect.Effect<void>

  /** Waits until the connection has ended, by whomever. */
  readonly awaitClosed: Effect.Effect<void>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface FramePeer {
  /** Scheme, host and port without a slash at the end. */
  readonly url: string

  readonly host: string

  readonly port: number

  /** The certificate of the authority, as PEM, that signed the peer's own: `ca` for a client. Only with TLS. */
  readonly ca: string | undefined

  /** Takes the first connection that has not been taken yet, or waits for it. TLS handshakes are done by then. */
  readonly accept: Effect.Effect<Connection>

  readonly stats: Effect.Effect<ConnectionStats>

  readonly awaitStats: (predicate: (stats: ConnectionStats) => boolean) => Effect.Effect<ConnectionStats>
}

/**
 * What a peer counts.
 *
 * @since 0.1.0
 * @category models
 */
export type ConnectionStats = Pick<
  ServerStats,
  | "connectionsOpened"
  | "openConnections"
  | "maxOpenConnections"
  | "tlsHandshakes"
  | "tlsResumed"
  | "tlsFailures"
  | "malformed"
>

/**
 * Starts a peer on a free loopback port. When the scope ends, all of its connections are broken off.
 *
 * @example
 * ```ts
 * import { Frame, FramePeer } from "@sluice/test-server"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const peer = yield* FramePeer.make()
 *   // ... let a client send a request to peer.url
 *   const connection = yield* peer.accept
 *   const request = yield* connection.take("Headers")
 *   yield* connection.send(
 *     Frame.headers(request.streamId, [[":status", "200"]]),
 *     Frame.data(request.streamId, "half a response"),
 *     Frame.goAway({ lastStreamId: request.streamId })
 *   )
 *   yield* connection.close("reset")
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: Options) => Effect.Effect<FramePeer, never, Scope.Scope> = internal.make
