import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Cause4 from "effect4/Cause"
import type * as Clock4 from "effect4/Clock"
import type * as Context4 from "effect4/Context"
import * as Duration4 from "effect4/Duration"
import * as Effect4 from "effect4/Effect"
import * as Exit4 from "effect4/Exit"
import * as Scope4 from "effect4/Scope"
import * as Stream4 from "effect4/Stream"

/** An effect of Effect 4 as one of Effect 3: what interrupts the one interrupts the other, and waits for its end. */
export const from4 = <A, E>(
  effect: Effect4.Effect<A, E>,
  context: Context4.Context<never>
): Effect.Effect<A, E> =>
  Effect.async((resume) => {
    const fiber = Effect4.runForkWith(context)(effect)
    fiber.addObserver((exit) => {
      if (Exit4.isSuccess(exit)) return resume(Effect.succeed(exit.value))
      const failed = exit.cause.reasons.find(Cause4.isFailReason)
      if (failed !== undefined) return resume(Effect.fail(failed.error))
      const died = exit.cause.reasons.find(Cause4.isDieReason)
      resume(Effect.failCause(died === undefined ? Cause.interrupt(FiberId.none) : Cause.die(died.defect)))
    })
    return Effect.async<void>((ended) => {
      fiber.addObserver(() => ended(Effect.void))
      fiber.interruptUnsafe()
    })
  })

/** The clock of a test of Effect 3 as one of Effect 4. */
export const clock4 = (clock: Clock.Clock, runtime: Runtime.Runtime<never>): Clock4.Clock => {
  const millis = () => clock.unsafeCurrentTimeMillis()
  const nanos = () => clock.unsafeCurrentTimeNanos()
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect4.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect4.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect4.sync(nanos),
    sleep: (duration) =>
      Effect4.callback((resume) => {
        const sleep = clock.sleep(Duration.millis(Duration4.toMillis(duration)))
        const fiber = Runtime.runFork(runtime)(Effect.map(sleep, () => resume(Effect4.void)))
        return Effect4.sync(() => fiber.unsafeInterruptAsFork(FiberId.none))
      })
  }
}

/** A Scope of Effect 4 that ends with the one of Effect 3. */
export const scope4 = (context: Context4.Context<never>): Effect.Effect<Scope4.Scope, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => Scope4.makeUnsafe()),
    (scope) => from4(Scope4.close(scope, Exit4.void), context)
  )

export const stream3 = <A, E>(stream: Stream4.Stream<A, E>, context: Context4.Context<never>): Stream.Stream<A, E> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const scope = yield* scope4(context)
    const pull = yield* from4(Scope4.provide(Stream4.toPull(stream), scope), context)
    return Stream.repeatEffectChunkOption(
      from4(pull, context).pipe(
        Effect.map((chunk) => Chunk.unsafeFromArray([...chunk])),
        Effect.mapError((error) => Cause4.isDone(error) ? Option.none() : Option.some(error as E))
      )
    )
  }))

export const stream4 = <A, E>(
  stream: Stream.Stream<A, E>,
  runtime: Runtime.Runtime<never>
): Stream4.Stream<A, E> =>
  Stream4.fromAsyncIterable(
    Stream.toAsyncIterableRuntime(stream, runtime),
    (error) => (Runtime.isFiberFailure(error) ? Cause.squash(error[Runtime.FiberFailureCauseId]) : error) as E
  )
