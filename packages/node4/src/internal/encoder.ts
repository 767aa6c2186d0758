import type { Encoder } from "@sluice/core4/ContentCoding"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as zlib from "node:zlib"
import { hasZstd } from "./codings.js"
import { Pump } from "./Pump.js"

type Engine = zlib.Gzip | zlib.Deflate | zlib.BrotliCompress

const encoder = (name: string, engine: () => Engine, encodeSync: Encoder["encodeSync"]): Encoder => ({
  name,
  encodeSync,
  encode: (stream) =>
    Stream.suspend(() => {
      // What comes of bytes that are there can only fail by a fault of node:zlib.
      const pump = new Pump(engine(), (cause) => cause)
      const written = (write: () => void) =>
        Stream.suspend(() => {
          write()
          return Stream.orDie(pump.output)
        })
      return Stream.flatMap(stream, (bytes) => bytes.length === 0 ? Stream.empty : written(() => pump.write(bytes)))
        .pipe(
          Stream.concat(written(() => pump.finish())),
          Stream.ensuring(Effect.sync(() => pump.destroy()))
        )
    })
})

// The best that br can do takes longer than most networks do to send what it spares.
const brotli = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } }

export const encoders: ReadonlyArray<Encoder> = [
  encoder("gzip", () => zlib.createGzip(), (bytes) => zlib.gzipSync(bytes)),
  encoder("deflate", () => zlib.createDeflate(), (bytes) => zlib.deflateSync(bytes)),
  encoder("br", () => zlib.createBrotliCompress(brotli), (bytes) => zlib.brotliCompressSync(bytes, brotli)),
  ...(hasZstd(zlib)
    ? [encoder("zstd", zlib.createZstdCompress, zlib.zstdCompressSync)]
    : [])
]
