import type * as Arr from "effect/Array"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** A stream of what an effect gives each time that it is run, until it fails with `Cause.Done`. */
export const pulled = <A, E>(next: Effect.Effect<A, E>): Stream.Stream<A, Exclude<E, Cause.Done<unknown>>> =>
  Stream.fromPull(
    Effect.succeed(Effect.map(next, (value): Arr.NonEmptyReadonlyArray<A> => [value]) as never)
  )
