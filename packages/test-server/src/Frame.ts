/**
 * HTTP/2 frames (RFC 9113 section 4), to be sent in any order and any shape.
 *
 * @since 0.1.0
 */
import * as internal from "./internal/frames/write.js"
import type { Fields, Frame } from "./internal/frames/write.js"
import type { Http2Settings } from "./TestServer.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Fields, Frame } from "./internal/frames/write.js"

/**
 * Any frame at all.
 *
 * @example
 * ```ts
 * import { Frame } from "@sluice/test-server"
 *
 * // A PING of seven bytes, which is a connection error of type FRAME_SIZE_ERROR.
 * const malformed = Frame.make({ type: 6, flags: 0, streamId: 0, payload: new Uint8Array(7) })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (frame: Frame) => Frame = internal.make

/**
 * DATA. Padding is a number of bytes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const data: (
  streamId: number,
  data: string | Uint8Array,
  options?: { readonly endStream?: boolean | undefined; readonly padding?: number | undefined }
) => Frame = internal.data

/**
 * HEADERS. Without `endHeaders` (default true) a CONTINUATION has to follow.
 *
 * @since 0.1.0
 * @category constructors
 */
export const headers: (
  streamId: number,
  fields: Fields | Uint8Array,
  options?: { readonly endStream?: boolean | undefined; readonly endHeaders?: boolean | undefined }
) => Frame = internal.headers

/**
 * CONTINUATION. Default of `endHeaders`: true.
 *
 * @since 0.1.0
 * @category constructors
 */
export const continuation: (
  streamId: number,
  fields: Fields | Uint8Array,
  options?: { readonly endHeaders?: boolean | undefined }
) => Frame = internal.continuation

/**
 * RST_STREAM. Default code: NO_ERROR.
 *
 * @since 0.1.0
 * @category constructors
 */
export const rstStream: (streamId: number, code?: number) => Frame = internal.rstStream

/**
 * SETTINGS, by name or as pairs of identifier and value.
 *
 * @since 0.1.0
 * @category constructors
 */
export const settings: (
  settings?: Http2Settings | ReadonlyArray<readonly [identifier: number, value: number]>
) => Frame = internal.settings

/**
 * SETTINGS with ACK.
 *
 * @since 0.1.0
 * @category constructors
 */
export const settingsAck: Frame = internal.settingsAck

/**
 * PUSH_PROMISE.
 *
 * @since 0.1.0
 * @category constructors
 */
export const pushPromise: (streamId: number, promisedId: number, fields: Fields | Uint8Array) => Frame =
  internal.pushPromise

/**
 * PING of eight bytes, default zeros.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ping: (data?: Uint8Array, options?: { readonly ack?: boolean | undefined }) => Frame = internal.ping

/**
 * GOAWAY. Default of `lastStreamId`: 2^31-1; of the code: NO_ERROR.
 *
 * @since 0.1.0
 * @category constructors
 */
export const goAway: (
  options?: {
    readonly lastStreamId?: number | undefined
    readonly code?: number | undefined
    readonly debugData?: string | Uint8Array | undefined
  }
) => Frame = internal.goAway

/**
 * WINDOW_UPDATE, on stream 0 for the connection.
 *
 * @since 0.1.0
 * @category constructors
 */
export const windowUpdate: (streamId: number, increment: number) => Frame = internal.windowUpdate

/**
 * The header block of these fields, as literals, to be cut into HEADERS and CONTINUATION at will.
 *
 * @since 0.1.0
 * @category utils
 */
export const headerBlock: (fields: Fields) => Uint8Array = internal.headerBlock

/**
 * The bytes of a frame.
 *
 * @since 0.1.0
 * @category utils
 */
export const encode: (frame: Frame) => Uint8Array = internal.encode

/**
 * @since 0.1.0
 * @category models
 */
export type { ReceivedFrame } from "./internal/frames/reader.js"
