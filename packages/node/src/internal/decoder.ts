import { ContentCodingError } from "@sluice/core/ContentCoding"
import { codings } from "@sluice/engine/node"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

export const decodeSync = (
  format: codings.Format,
  bytes: Uint8Array,
  maxSize: number
): Either.Either<Uint8Array, ContentCodingError> => {
  const decoded = codings.decodeSync(format, bytes, maxSize)
  return decoded instanceof Uint8Array
    ? Either.right(decoded)
    : Either.left(new ContentCodingError(decoded))
}

export const decodeWhole = (
  format: codings.Format,
  bytes: Uint8Array,
  isTooMuch: (size: number, used: number) => boolean
): Effect.Effect<Uint8Array, ContentCodingError> =>
  Effect.async((resume) =>
    Effect.sync(codings.decodeWhole(format, bytes, isTooMuch, (decoded) =>
      resume(
        decoded instanceof Uint8Array ? Effect.succeed(decoded) : Effect.fail(new ContentCodingError(decoded))
      )))
  )

/** What comes of the bytes that were written. */
const output = (decoder: codings.BodyDecoder): Stream.Stream<Uint8Array, ContentCodingError> =>
  Stream.repeatEffectOption(
    Effect.async<Uint8Array, Option.Option<ContentCodingError>>((resume) =>
      Effect.sync(decoder.read((next) =>
        resume(
          next === undefined
            ? Exit.fail(Option.none())
            : next instanceof Uint8Array
            ? Exit.succeed(next)
            : Exit.fail(Option.some(new ContentCodingError(next)))
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
