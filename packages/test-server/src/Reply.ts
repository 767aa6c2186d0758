/**
 * What the server responds: one value per response, with the same words for HTTP/1.1 and HTTP/2.
 *
 * @since 0.1.0
 */
import * as internal from "./internal/reply.js"
import type { Breaking, Chunk, ForwardOptions, Options, RawOptions, Reply, TunnelOptions } from "./internal/reply.js"

/**
 * @since 0.1.0
 * @category models
 */
export type {
  Body,
  Breaking,
  Chunk,
  ForwardOptions,
  Headers,
  Late,
  Options,
  RawOptions,
  Reply,
  Response,
  TunnelOptions
} from "./internal/reply.js"

/**
 * A response without a body, `content-length: 0`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty: (options?: Options) => Reply = internal.empty

/**
 * Text in UTF-8, as `text/plain`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const text: (body: string, options?: Options) => Reply = internal.text

/**
 * A value as JSON, as `application/json`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const json: (body: unknown, options?: Options) => Reply = internal.json

/**
 * Bytes, with no content type.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bytes: (body: Uint8Array, options?: Options) => Reply = internal.bytes

/**
 * A body in pieces, each written by itself, with gates and delays between them. An iterable may be endless.
 *
 * @example
 * ```ts
 * import { Gate, Reply } from "@sluice/test-server"
 *
 * const gate = Gate.unsafeMake()
 * const stalls = Reply.chunks(["the first half, ", gate, "the other half"])
 * const trickles = Reply.chunks(["a", "b", "c"], { delayBetweenChunks: "20 millis" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const chunks: (pieces: Iterable<Chunk>, options?: Options) => Reply = internal.chunks

/**
 * A body of that many bytes, made as it is sent and never held. The byte at offset `n` is `n % 251`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const size: (bytes: number, options?: Options) => Reply = internal.size

/**
 * The request's own body, sent back as it arrives: the response begins while the upload goes on.
 *
 * @since 0.1.0
 * @category constructors
 */
export const echo: (options?: Options) => Reply = internal.echo

/**
 * These bytes exactly, whatever they are, instead of an HTTP/1.1 response. On HTTP/2, where no such thing can be said,
 * the stream is reset with INTERNAL_ERROR.
 *
 * @since 0.1.0
 * @category constructors
 */
export const raw: (pieces: string | Uint8Array | Iterable<Chunk>, options?: RawOptions) => Reply = internal.raw

/**
 * No response, ever: the request is read and the connection stays open.
 *
 * @since 0.1.0
 * @category constructors
 */
export const never: Reply = internal.never

/**
 * Breaks the connection (HTTP/2: the stream) off without a byte of a response. Default `"end"`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const disconnect: (how?: Breaking) => Reply = internal.disconnect

/**
 * Hands the connection over to a tunnel after the head: for CONNECT, and with status 101 for an upgrade.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tunnel: (options?: TunnelOptions) => Reply = internal.tunnel

/**
 * Sends the request on to another server over HTTP/1.1, and its response back: a gateway, or the forward proxy for
 * `http:` URLs. Bodies go on as they come, in both directions. Fields of one hop stay behind; if the server can't be
 * reached, the response is 502.
 *
 * @since 0.1.0
 * @category constructors
 */
export const forward: (options?: ForwardOptions) => Reply = internal.forward

/**
 * The same reply with other options, laid over those that it has. Replies that are not an {@link Response} stay as
 * they are.
 *
 * @since 0.1.0
 * @category combinators
 */
export const set: {
  (options: Options): (self: Reply) => Reply
  (self: Reply, options: Options): Reply
} = internal.set
