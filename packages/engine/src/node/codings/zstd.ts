import * as zlib from "node:zlib"
import { chunkSize, type Engine, type Format, type Start } from "./formats.js"
import { ZstdFrames } from "./ZstdFrames.js"

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
