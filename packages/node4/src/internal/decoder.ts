import { ContentCodingError } from "@sluice/core4/ContentCoding"
import { codings } from "@sluice/engine/node"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { pulled } from "./pulled.js"

export const decodeSync = (
  format: codings.Format,
  bytes: Uint8Array,
  maxSize: number
): Result.Result<Uint8Array, ContentCodingError> => {
  const decoded = codings.decodeSync(format, bytes, maxSize)
  return decoded instanceof Uint8Array
    ? Result.succeed(decoded)
    : Result.fail(new ContentCodingError(decoded))
}

export const decodeWhole = (
  format: codings.Format,
  bytes: Uint8Array,
  isTooMuch: (size: number, used: number) => boolean
): Effect.Effect<Uint8Array, ContentCodingError> =>
  Effect.callback((resume) =>
    Effect.sync(codings.decodeWhole(format, bytes, isTooMuch, (decoded) =>
      resume(
        decoded instanceof Uint8Array ? Effect.succeed(decoded) : Effect.fail(new ContentCodingError(decoded))
      )))
  )

/** What comes of the bytes that were written. */
const output = (decoder: codings.BodyDecoder): Stream.Stream<Uint8Array, ContentCodingError> =>
  pulled(
    Effect.callback<Uint8Array, ContentCodingError | Cause.Done>((resume) =>
      Effect.sync(decoder.read((next) =>
        resume(
          next === undefined
            ? Cause.done()
            : next instanceof Uint8Array
            ? Effect.succeed(next)
            : Effect.fail(new ContentCodingError(next))
        )
      ))
    )
  )

/** As it arrives. */
export const decode = <E>(
  format: codings.Format,
  stream: Stream.Stream<Uint8Array, E>
): Stream.Stream<Uint8Array, E | ContentCodingError> =>
  Stream.suspend(() => {
    const decoder = new codings.BodyDecoder(format)
    const written = (write: () => void) =>
      Stream.suspend(() => {
        write()
        return output(decoder)
      })
    return Stream.flatMap(stream, (bytes) => written(() => decoder.write(bytes))).pipe(
      Stream.concat(written(() => decoder.finish())),
      Stream.ensuring(Effect.sync(() => decoder.destroy()))
    )
  })
