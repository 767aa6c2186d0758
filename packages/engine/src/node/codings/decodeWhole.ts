import { type CodingFailure, corrupt, truncated } from "../../client/index.js"
import type { Cancel } from "../../Host.js"
import { checksum } from "./checksum.js"
import type { Engine, Format } from "./formats.js"
import { toFailure, tooLarge } from "./zlibFailures.js"

/**
 * Decodes a whole body on another thread, by node:zlib's own events, and stops when `isTooMuch`: so many bytes have come of
 * so many.
 */
export const decodeWhole = (
  format: Format,
  bytes: Uint8Array,
  isTooMuch: (size: number, used: number) => boolean,
  then: (result: Uint8Array | CodingFailure) => void
): Cancel => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  let engine: Engine | undefined

  const fail = (failure: CodingFailure) => {
    engine?.destroy()
    then(failure)
  }
  const end = () => then(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size))

  const member = (at: number) => {
    const start = format.start(bytes.subarray(at), true)
    if (start === "More") return fail(truncated(format.name))
    if (start === "Invalid") return at > 0 ? end() : fail(corrupt(format.name, "has no valid header"))
    const data = bytes.subarray(at + start.skip)
    const before = size
    let crc = 0
    const current = engine = start.engine()
    current.on("data", (chunk: Uint8Array) => {
      crc = checksum(format, chunk, crc)
      size += chunk.length
      chunks.push(chunk)
      if (isTooMuch(size, at + start.skip + current.bytesWritten)) fail(tooLarge(format.name))
    })
    current.on("error", (cause) => format.isEnd?.(cause) === true ? end() : fail(toFailure(format.name, cause)))
    current.on("end", () => {
      const used = current.bytesWritten
      const trailer = data.subarray(used, used + format.trailer)
      if (trailer.length < format.trailer) return fail(truncated(format.name))
      if (!format.fits(trailer, crc, size - before)) return fail(corrupt(format.name, "does not fit its checksum"))
      const next = at + start.skip + used + format.trailer
      if (format.several && next < bytes.length) member(next)
      else end()
    })
    current.end(data)
  }

  member(0)
  return () => engine?.destroy()
}
