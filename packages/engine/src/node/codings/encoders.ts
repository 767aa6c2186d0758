import type * as stream from "node:stream"
import * as zlib from "node:zlib"
import { hasZstd } from "./zstd.js"

/** What applies a coding: in one step, or as a stream of node:zlib. */
export interface Coder {
  readonly name: string
  readonly engine: () => stream.Transform & { readonly bytesWritten: number }
  readonly encodeSync: (bytes: Uint8Array) => Uint8Array
}

// The best that br can do takes longer than most networks do to send what it spares.
const brotli = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } }

export const coders: ReadonlyArray<Coder> = [
  { name: "gzip", engine: () => zlib.createGzip(), encodeSync: (bytes) => zlib.gzipSync(bytes) },
  { name: "deflate", engine: () => zlib.createDeflate(), encodeSync: (bytes) => zlib.deflateSync(bytes) },
  {
    name: "br",
    engine: () => zlib.createBrotliCompress(brotli),
    encodeSync: (bytes) => zlib.brotliCompressSync(bytes, brotli)
  },
  ...(hasZstd(zlib) ? [{ name: "zstd", engine: zlib.createZstdCompress, encodeSync: zlib.zstdCompressSync }] : [])
]
