import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** A stream of what an effect gives each time that it is run, until it fails with `Cause.Done`. */
export const pulled = <A, E, R>(next: Effect.Effect<A, E, R>): Stream.Stream<A, Exclude<E, Cause.Done<unknown>>, R> =>
  Stream.fromPull(
    Effect.succeed(Effect.map(next, (value): Arr.NonEmptyReadonlyArray<A> => [value]) as never)
  )

/** Pieces of this size, so that no more than one of them is handled at once. */
export const slices = (bytes: Uint8Array, size: number): Stream.Stream<Uint8Array> =>
  Stream.suspend(() => {
    let start = 0
    return pulled(Effect.suspend((): Effect.Effect<Uint8Array, Cause.Done> => {
      if (start >= bytes.length) return Cause.done()
      const slice = bytes.subarray(start, start + size)
      start += size
      return Effect.succeed(slice)
    }))
  })
