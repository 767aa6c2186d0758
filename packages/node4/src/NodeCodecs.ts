/**
 * The content codings that Node knows: gzip, deflate in both of its forms, br, and zstd from Node 22.15 on.
 *
 * @since 0.1.0
 */
import type { Codec, Encoder } from "@sluice/core4/ContentCoding"
import { codings } from "@sluice/engine/node"
import * as decoder from "./internal/decoder.js"
import * as encoder from "./internal/encoder.js"

const { br, deflate, gzip, zstd } = codings

const codec = (format: codings.Format, ...names: Codec["names"]): Codec => ({
  names,
  decode: (stream) => decoder.decode(format, stream),
  decodeWhole: (bytes, isTooMuch) => decoder.decodeWhole(format, bytes, isTooMuch),
  decodeSync: (bytes, maxSize) => decoder.decodeSync(format, bytes, maxSize)
})

/**
 * For `ContentCoding.decode`. gzip may have several members; what stands after the end of the coded data is ignored.
 *
 * @since 0.1.0
 * @category constants
 */
export const codecs: ReadonlyArray<Codec> = [
  codec(gzip, "gzip", "x-gzip"),
  codec(deflate, "deflate"),
  codec(br, "br"),
  ...(zstd === undefined ? [] : [codec(zstd, "zstd")])
]

/**
 * For `ContentCoding.encode`: gzip, deflate in zlib's form, br at a quality that keeps pace, and zstd where Node has it.
 *
 * @since 0.1.0
 * @category constants
 */
export const encoders: ReadonlyArray<Encoder> = encoder.encoders
