import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Timeouts from "../Timeouts.js"
import { toMillis } from "./duration.js"

/** When the call that the fiber is in has to be over, in nanoseconds of Effect's monotonic clock. */
export const current: Context.Reference<bigint | undefined> = Context.Reference(
  "@sluice/core4/Deadline/current",
  { defaultValue: (): bigint | undefined => undefined }
)

export const millisUntil = (end: bigint | undefined, now: bigint): number =>
  end === undefined ? Infinity : Math.max(0, Number(end - now) / 1e6)

/**
 * Runs a call that has to be over, with the bodies of its responses, in so many milliseconds. It sets no timer: the
 * transport's own `total` is what is left at the moment when a request is sent.
 */
export const within = <A, E, R>(call: Effect.Effect<A, E, R>, millis: number): Effect.Effect<A, E, R> =>
  Clock.clockWith((clock) =>
    Effect.flatMap(current, (outer) => {
      const end = earlier(outer, clock.monotonicTimeNanosUnsafe() + BigInt(Math.ceil(millis * 1e6)))
      return call.pipe(
        Effect.provideService(current, end),
        Effect.updateService(Timeouts.current, (timeouts) => ({
          ...timeouts,
          // Read when a request is made ready, which may be after others of the same call.
          get total() {
            return millisUntil(end, clock.monotonicTimeNanosUnsafe())
          }
        }))
      )
    })
  )

/** `timeouts.total` of a region of code holds over everything that a call within it does, not for each request of it. */
export const withinTotal = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Timeouts.current, (timeouts) => {
    const total = timeouts?.total === undefined ? undefined : toMillis(timeouts.total)
    return total === undefined || total === Infinity ? call : within(call, total)
  })

/** Gives each request within `call` no more than so long. */
export const withinAttempt = <A, E, R>(call: Effect.Effect<A, E, R>, millis: number): Effect.Effect<A, E, R> =>
  Effect.updateService(call, Timeouts.current, (timeouts) => ({
    ...timeouts,
    total: Math.min(millis, toMillis(timeouts?.total) ?? Infinity)
  }))

const earlier = (a: bigint | undefined, b: bigint): bigint => a !== undefined && a < b ? a : b
