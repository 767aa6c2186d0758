import * as Stream from "effect/Stream"

/** Gives values for bytes. What it has given before it throws counts. */
export interface Decoder<A> {
  readonly push: (bytes: Uint8Array) => Iterable<A>
  readonly end: () => Iterable<A>
}

/** Decodes a stream as it comes; `toError` says what an error of the decoder is. */
export const decodeStream = <A, E, E2, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  make: () => Decoder<A>,
  toError: (thrown: unknown) => E2
): Stream.Stream<A, E | E2, R> =>
  Stream.suspend(() => {
    const decoder = make()
    const take = (values: Iterable<A>): Stream.Stream<A, E2> => {
      const taken: Array<A> = []
      try {
        for (const value of values) taken.push(value)
      } catch (thrown) {
        return Stream.concat(Stream.fromIterable(taken), Stream.fail(toError(thrown)))
      }
      return Stream.fromIterable(taken)
    }
    return Stream.concat(
      Stream.flatMap(stream, (bytes) => take(decoder.push(bytes))),
      Stream.suspend(() => take(decoder.end()))
    )
  })
