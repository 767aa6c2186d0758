import type { ContentCodingError } from "@sluice/core4/ContentCoding"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as zlib from "node:zlib"
import { corrupt, type Engine, type Format, toError, tooLarge, truncated } from "./codings.js"
import { Pump } from "./Pump.js"

const nothing = new Uint8Array(0)

/** A checksum costs time, and only gzip has one that node:zlib does not check here. */
const checksum = (format: Format, bytes: Uint8Array, crc: number): number =>
  format.trailer === 0 ? 0 : zlib.crc32(bytes, crc)

// ---------------------------------------------------------------------------------------------------------------------
// In one step
// ---------------------------------------------------------------------------------------------------------------------

export const decodeSync = (
  format: Format,
  bytes: Uint8Array,
  maxSize: number
): Result.Result<Uint8Array, ContentCodingError> => {
  const pieces: Array<Uint8Array> = []
  let size = 0
  let rest = bytes
  do {
    const start = format.start(rest, true)
    if (start === "More") return Result.fail(truncated(format.name))
    if (start === "Invalid") {
      if (pieces.length > 0) break
      return Result.fail(corrupt(format.name, "has no valid header"))
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
      return Result.fail(toError(format.name, cause))
    }
    pieces.push(decoded.buffer)
    size += decoded.buffer.length
    const end = decoded.engine.bytesWritten
    const trailer = data.subarray(end, end + format.trailer)
    if (trailer.length < format.trailer) return Result.fail(truncated(format.name))
    if (!format.fits(trailer, checksum(format, decoded.buffer, 0), decoded.buffer.length)) {
      return Result.fail(corrupt(format.name, "does not fit its checksum"))
    }
    rest = data.subarray(end + format.trailer)
  } while (format.several && rest.length > 0)
  return Result.succeed(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces))
}

const maxOutput = 2 ** 31 - 1

// ---------------------------------------------------------------------------------------------------------------------
// As a whole, on another thread
// ---------------------------------------------------------------------------------------------------------------------

export const decodeWhole = (
  format: Format,
  bytes: Uint8Array,
  isTooMuch: (size: number, used: number) => boolean
): Effect.Effect<Uint8Array, ContentCodingError> =>
  Effect.callback((resume) => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    let engine: Engine | undefined

    const fail = (error: ContentCodingError) => {
      engine?.destroy()
      resume(Effect.fail(error))
    }
    const end = () => resume(Effect.succeed(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size)))

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
      current.on("error", (cause) => format.isEnd?.(cause) === true ? end() : fail(toError(format.name, cause)))
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
    return Effect.sync(() => engine?.destroy())
  })

// ---------------------------------------------------------------------------------------------------------------------
// As it arrives
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Where in its coding a body is. `Header` and `Trailer` hold what has come of them.
 */
type State =
  | { readonly _tag: "Header"; readonly held: Uint8Array }
  | { readonly _tag: "Data"; readonly inflater: Pump<ContentCodingError> }
  | { readonly _tag: "Trailer"; readonly held: Uint8Array }
  | { readonly _tag: "Over" }

const over: State = { _tag: "Over" }

class BodyDecoder {
  private state: State = { _tag: "Header", held: nothing }
  private isFirst = true
  private crc = 0
  private size = 0

  constructor(private readonly format: Format) {}

  /** What these bytes add to the body. With `isLast` nothing comes after them. */
  feed(bytes: Uint8Array, isLast: boolean): Stream.Stream<Uint8Array, ContentCodingError> {
    switch (this.state._tag) {
      case "Header":
        return this.header(concat(this.state.held, bytes), isLast)
      case "Data":
        return this.data(this.state.inflater, bytes, isLast)
      case "Trailer":
        return this.trailer(concat(this.state.held, bytes), isLast)
      case "Over":
        return Stream.empty
    }
  }

  destroy(): void {
    if (this.state._tag === "Data") this.state.inflater.destroy()
    this.state = over
  }

  private header(bytes: Uint8Array, isLast: boolean): Stream.Stream<Uint8Array, ContentCodingError> {
    // An empty body, or the end of the last member.
    if (bytes.length === 0) return Stream.empty
    const start = this.format.start(bytes, isLast)
    if (start === "Invalid") {
      this.state = over
      return this.isFirst ? Stream.fail(corrupt(this.format.name, "has no valid header")) : Stream.empty
    }
    if (start === "More") {
      this.state = { _tag: "Header", held: bytes }
      return isLast ? Stream.fail(truncated(this.format.name)) : Stream.empty
    }
    const inflater = new Pump(
      start.engine(),
      (cause) => toError(this.format.name, cause),
      this.format.isEnd
    )
    this.state = { _tag: "Data", inflater }
    this.crc = 0
    this.size = 0
    return this.data(inflater, bytes.subarray(start.skip), isLast)
  }

  private data(
    inflater: Pump<ContentCodingError>,
    bytes: Uint8Array,
    isLast: boolean
  ): Stream.Stream<Uint8Array, ContentCodingError> {
    const written = (write: () => void) =>
      Stream.suspend(() => {
        write()
        return Stream.map(inflater.output, (chunk) => {
          this.count(chunk)
          return chunk
        })
      })
    const fed = bytes.length === 0 ? Stream.empty : written(() => inflater.write(bytes))
    return fed.pipe(
      Stream.concat(
        Stream.suspend(() =>
          isLast && inflater.leftOver === undefined ? written(() => inflater.finish()) : Stream.empty
        )
      ),
      Stream.concat(Stream.suspend(() => {
        const { leftOver } = inflater
        if (leftOver === undefined) return Stream.empty
        inflater.destroy()
        this.state = { _tag: "Trailer", held: nothing }
        return this.trailer(bytes.subarray(bytes.length - leftOver), isLast)
      }))
    )
  }

  private count(chunk: Uint8Array): void {
    this.crc = checksum(this.format, chunk, this.crc)
    this.size += chunk.length
  }

  private trailer(bytes: Uint8Array, isLast: boolean): Stream.Stream<Uint8Array, ContentCodingError> {
    const { fits, name, several, trailer } = this.format
    if (bytes.length < trailer) {
      this.state = { _tag: "Trailer", held: bytes }
      return isLast ? Stream.fail(truncated(name)) : Stream.empty
    }
    if (!fits(bytes.subarray(0, trailer), this.crc, this.size)) {
      this.state = over
      return Stream.fail(corrupt(name, "does not fit its checksum"))
    }
    this.isFirst = false
    this.state = several ? { _tag: "Header", held: nothing } : over
    return this.feed(bytes.subarray(trailer), isLast)
  }
}

export const decode = <E>(
  format: Format,
  stream: Stream.Stream<Uint8Array, E>
): Stream.Stream<Uint8Array, E | ContentCodingError> =>
  Stream.suspend(() => {
    const decoder = new BodyDecoder(format)
    // Of pieces that come at once `flatMap` makes all streams before it runs the first.
    return Stream.flatMap(stream, (bytes) => Stream.suspend(() => decoder.feed(bytes, false))).pipe(
      Stream.concat(Stream.suspend(() => decoder.feed(nothing, true))),
      Stream.ensuring(Effect.sync(() => decoder.destroy()))
    )
  })

const concat = (a: Uint8Array, b: Uint8Array): Uint8Array => a.length === 0 ? b : Buffer.concat([a, b])
