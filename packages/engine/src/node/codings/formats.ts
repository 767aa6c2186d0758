import * as zlib from "node:zlib"

/** A stream of node:zlib that decodes. */
export type Engine =
  | zlib.InflateRaw
  | zlib.Inflate
  | zlib.BrotliDecompress

/** One of several that follow each other in a body: a gzip member, or the only one. */
export interface Start {
  /** How many bytes come before the compressed data. */
  readonly skip: number
  readonly engine: () => Engine
  /** Decodes in one step; `info` says how much was used. */
  readonly sync: (
    bytes: Uint8Array,
    options: { readonly info: true; readonly maxOutputLength: number; readonly chunkSize: number }
  ) => unknown
}

/**
 * How a coding frames what node:zlib decodes. What stands after its end is ignored, as browsers and curl do; node:zlib
 * itself ignores it for some codings, and for gzip fails without a byte of what came before (nodejs/node#7502).
 */
export interface Format {
  readonly name: string
  /** `"More"`: that many bytes say nothing yet; with `isLast` they are all that there is. */
  readonly start: (bytes: Uint8Array, isLast: boolean) => Start | "More" | "Invalid"
  /** The trailer's size, and whether it fits what was decoded. */
  readonly trailer: number
  readonly fits: (trailer: Uint8Array, crc: number, size: number) => boolean
  /** Whether another one may follow. */
  readonly several: boolean
  /** Whether this failure, after something has been decoded, only says that no other one follows. */
  readonly isEnd?: (cause: unknown) => boolean
}

const plain = (name: string, start: Start): Format => ({
  name,
  start: () => start,
  trailer: 0,
  fits: () => true,
  several: false
})

/** Four times Node's own: each chunk is a trip to another thread. */
export const chunkSize = 64 * 1024

const inflateRaw = {
  engine: () => zlib.createInflateRaw({ chunkSize }),
  sync: zlib.inflateRawSync
}

const inflate: Start = { skip: 0, engine: () => zlib.createInflate({ chunkSize }), sync: zlib.inflateSync }

/** RFC 1952. Node's own gunzip is not used: see `Format`. */
export const gzip: Format = {
  name: "gzip",
  start: (bytes) => {
    const skip = gzipHeader(bytes)
    return typeof skip === "number" ? { skip, ...inflateRaw } : skip
  },
  trailer: 8,
  fits: (trailer, crc, size) => {
    const view = new DataView(trailer.buffer, trailer.byteOffset, trailer.byteLength)
    return view.getUint32(0, true) === crc && view.getUint32(4, true) === size % 2 ** 32
  },
  several: true
}

/** The size of a member's header (RFC 1952 §2.3). */
const gzipHeader = (bytes: Uint8Array): number | "More" | "Invalid" => {
  const magic = [0x1f, 0x8b, 8]
  if (magic.some((byte, i) => i < bytes.length && bytes[i] !== byte)) return "Invalid"
  if (bytes.length < 10) return "More"
  const flags = bytes[3]
  if ((flags & 0xe0) !== 0) return "Invalid"
  let size = 10
  if ((flags & 4) !== 0) {
    if (bytes.length < size + 2) return "More"
    size += 2 + bytes[size] + 256 * bytes[size + 1]
  }
  // Name and comment end with a zero.
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue
    const end = bytes.indexOf(0, size)
    if (end < 0) return bytes.length > 65_536 ? "Invalid" : "More"
    size = end + 1
  }
  if ((flags & 2) !== 0) size += 2
  return bytes.length < size ? "More" : size
}

/** Meant is zlib's format (RFC 9110 §8.4.1.2); some servers send the compressed data alone. */
export const deflate: Format = {
  name: "deflate",
  start: (bytes, isLast) => {
    if (bytes.length < 2 && !isLast) return "More"
    const isZlib = (bytes[0] & 0x0f) === 8 && (bytes[0] * 256 + bytes[1]) % 31 === 0
    return isZlib ? inflate : { skip: 0, ...inflateRaw }
  },
  trailer: 0,
  fits: () => true,
  several: false
}

export const br: Format = plain("br", {
  skip: 0,
  engine: () => zlib.createBrotliDecompress({ chunkSize }),
  sync: zlib.brotliDecompressSync
})
