import { ContentCodingError } from "@sluice/core/ContentCoding"
import { ZstdFrames } from "@sluice/engine/node"
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
const chunkSize = 64 * 1024

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

/** What Node has from 22.15 on, and the types of Node 20 do not know. */
interface Zstd {
  readonly createZstdDecompress: (options: object) => Engine
  readonly zstdDecompressSync: (bytes: Uint8Array, options: object) => unknown
  readonly createZstdCompress: () => zlib.Gzip
  readonly zstdCompressSync: (bytes: Uint8Array) => Uint8Array
  readonly constants: { readonly ZSTD_d_windowLogMax: number }
}

export const hasZstd = (module: object): module is Zstd => "createZstdDecompress" in module

const withZstd = (module: Zstd): Format => {
  // RFC 9659 allows no larger window: 8 MiB.
  const params = { [module.constants.ZSTD_d_windowLogMax]: 23 }
  const start: Start = {
    skip: 0,
    engine: () => {
      const engine = module.createZstdDecompress({ params, chunkSize })
      return hidesTruncation ? withTruncation(engine) : engine
    },
    sync: (bytes, options) => {
      if (hidesTruncation && !new ZstdFrames().feed(bytes).isWhole) throw new EndedEarly()
      return module.zstdDecompressSync(bytes, { ...options, params })
    }
  }
  return {
    name: "zstd",
    start: (bytes, isLast) => bytes.length < 4 && !isLast ? "More" : isZstdFrame(bytes) ? start : "Invalid",
    trailer: 0,
    fits: () => true,
    // Node 22 stops after a frame where 24 goes on to the next.
    several: true,
    isEnd: (cause) => (cause as { readonly code?: unknown } | null)?.code === "ZSTD_error_prefix_unknown"
  }
}

const hidesTruncation = parseInt(process.versions.node, 10) < 24

/** As node:zlib has it for other codings. */
class EndedEarly extends Error {
  readonly code = "Z_BUF_ERROR"
}

/** The engine as that of Node 24: what ends too early is an error. */
const withTruncation = (engine: Engine): Engine => {
  const frames = new ZstdFrames()
  const transform = engine._transform.bind(engine)
  const flush = engine._flush.bind(engine)
  return Object.assign(engine, {
    _transform: (...[chunk, encoding, done]: Parameters<Engine["_transform"]>) => {
      frames.feed(chunk)
      transform(chunk, encoding, done)
    },
    _flush: (done: Parameters<Engine["_flush"]>[0]) => frames.isWhole ? flush(done) : done(new EndedEarly())
  })
}

/** A frame, or one that is skipped (RFC 8878 §3.1). */
const isZstdFrame = (bytes: Uint8Array): boolean => {
  const magic = bytes[0] + bytes[1] * 2 ** 8 + bytes[2] * 2 ** 16 + bytes[3] * 2 ** 24
  return magic === 0xfd2fb528 || (magic >= 0x184d2a50 && magic <= 0x184d2a5f)
}

/** None where this Node cannot. */
export const zstd: Format | undefined = hasZstd(zlib) ? withZstd(zlib) : undefined

/** What a failure of node:zlib means. */
export const toError = (coding: string, cause: unknown): ContentCodingError => {
  const code = (cause as { readonly code?: unknown } | null)?.code
  if (code === "ERR_BUFFER_TOO_LARGE") return tooLarge(coding, cause)
  return code === "Z_BUF_ERROR" || code === "ERR_TRAILING_JUNK_AFTER_STREAM_END"
    ? truncated(coding)
    : new ContentCodingError({ reason: "Corrupt", coding, detail: `it is no valid ${coding} data`, cause })
}

export const tooLarge = (coding: string, cause?: unknown): ContentCodingError =>
  new ContentCodingError({
    reason: "TooLarge",
    coding,
    detail: `more comes of the ${coding} data than maxSize or maxRatio allow`,
    cause
  })

export const truncated = (coding: string): ContentCodingError =>
  new ContentCodingError({ reason: "Truncated", coding, detail: `its ${coding} data ends too early` })

export const corrupt = (coding: string, what: string): ContentCodingError =>
  new ContentCodingError({ reason: "Corrupt", coding, detail: `its ${coding} data ${what}` })
