import { type CodingFailure, corrupt, truncated } from "../../client/index.js"
import { checksum } from "./checksum.js"
import type { Format } from "./formats.js"
import { toFailure } from "./zlibFailures.js"

const maxOutput = 2 ** 31 - 1

/** Decodes a whole body in one step, and stops when more than `maxSize` bytes come of it. */
export const decodeSync = (format: Format, bytes: Uint8Array, maxSize: number): Uint8Array | CodingFailure => {
  const pieces: Array<Uint8Array> = []
  let size = 0
  let rest = bytes
  do {
    const start = format.start(rest, true)
    if (start === "More") return truncated(format.name)
    if (start === "Invalid") {
      if (pieces.length > 0) break
      return corrupt(format.name, "has no valid header")
    }
    let decoded: { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } }
    const data = rest.subarray(start.skip)
    try {
      // zlib refuses a limit of 0 and above 2^53; one byte more than allowed is enough to know.
      decoded = start.sync(data, {
        info: true,
        maxOutputLength: Math.min(maxSize - size + 1, maxOutput),
        chunkSize: Math.min(64 * 1024, Math.max(1024, 8 * data.length))
      }) as never
    } catch (cause) {
      return toFailure(format.name, cause)
    }
    pieces.push(decoded.buffer)
    size += decoded.buffer.length
    const end = decoded.engine.bytesWritten
    const trailer = data.subarray(end, end + format.trailer)
    if (trailer.length < format.trailer) return truncated(format.name)
    if (!format.fits(trailer, checksum(format, decoded.buffer, 0), decoded.buffer.length)) {
      return corrupt(format.name, "does not fit its checksum")
    }
    rest = data.subarray(end + format.trailer)
  } while (format.several && rest.length > 0)
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)
}
