import { multipart } from "@sluice/engine/client"
import * as Stream from "effect/Stream"

type Bytes = Stream.Stream<Uint8Array, unknown>

export type Source = multipart.Source<Bytes>
export type Part = multipart.Part<Bytes>

/**
 * A form as `multipart/form-data`, its files streamed and not gathered.
 */
export interface Multipart extends Omit<multipart.Multipart<Bytes>, "pieces"> {
  readonly stream: Bytes
}

/** The bytes of a file, as they come. */
export const streamBlob = (blob: Blob): Bytes =>
  Stream.fromReadableStream({
    evaluate: () => blob.stream() as ReadableStream<Uint8Array>,
    onError: (cause) => cause
  })

const streamed = <S extends object>(
  { pieces, ...encoded }: multipart.Multipart<S>,
  open: (file: S) => Bytes
): Multipart => ({
  ...encoded,
  stream: Stream.flatMap(
    Stream.fromIterable(pieces),
    (piece) => piece instanceof Uint8Array ? Stream.succeed(piece) : open(piece)
  )
})

/** Undefined when `given`, the content-type that the caller has set, has no boundary. */
export const encode = (form: FormData, given: string | undefined): Multipart | undefined => {
  const encoded = multipart.encode(form, given)
  return encoded && streamed(encoded, streamBlob)
}

export const encodeParts = (parts: ReadonlyArray<Part>): Multipart =>
  streamed(multipart.encodeParts(parts, multipart.makeBoundary()), (stream) => stream)
