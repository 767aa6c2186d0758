import { Deadline, millisUntil } from "@sluice/engine/client"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Timeouts from "../Timeouts.js"
import { toMillis } from "./duration.js"

/** Of the call that the fiber is in. */
export const current: Context.Reference<Deadline | undefined> = Context.Reference(
  "@sluice/core4/Deadline/current",
  { defaultValue: (): Deadline | undefined => undefined }
)

/** The timeouts of a region whose `total` is what is left of a deadline; not those that were made of them. */
const deadlines = new WeakMap<Partial<Timeouts.Resolved>, Deadline>()

/** What ends the requests of a region, if it is no fixed `total`. */
export const ofRegion = (timeouts: Partial<Timeouts.Resolved> | undefined): Deadline | undefined =>
  timeouts && deadlines.get(timeouts)

/**
 * Runs a call that has to be over, with the bodies of its responses, in so many milliseconds. It sets no timer: the
 * transport's own `total` is what is left at the moment when a request is sent.
 */
export const within = <A, E, R>(call: Effect.Effect<A, E, R>, millis: number): Effect.Effect<A, E, R> =>
  withDeadline(millis, false, false, () => call)

/** The same for a call whose deadline may still be replaced, and where that of an origin counts besides. */
export const withDeadline = <A, E, R>(
  millis: number,
  yields: boolean,
  isOpen: boolean,
  call: (deadline: Deadline) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Clock.clockWith((clock) =>
    Effect.flatMap(current, (outer) => {
      const deadline = new Deadline(outer, clock.monotonicTimeNanosUnsafe(), millis, yields, isOpen)
      return call(deadline).pipe(
        Effect.provideService(current, deadline),
        Effect.updateService(Timeouts.current, (timeouts) => {
          const within = {
            ...timeouts,
            // Read when a request is made ready, which may be after others of the same call.
            get total() {
              return millisUntil(deadline, clock.monotonicTimeNanosUnsafe())
            }
          }
          deadlines.set(within, deadline)
          return within
        })
      )
    })
  )

/** `timeouts.total` of a region of code holds over everything that a call within it does, not for each request of it. */
export const withinTotal = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Timeouts.current, (timeouts) => {
    // A deadline does already.
    if (ofRegion(timeouts) !== undefined) return call
    const total = timeouts?.total === undefined ? undefined : toMillis(timeouts.total)
    return total === undefined || total === Infinity ? call : within(call, total)
  })

/** Gives each request within `call` no more than so long. */
export const withinAttempt = <A, E, R>(call: Effect.Effect<A, E, R>, millis: number): Effect.Effect<A, E, R> =>
  Effect.flatMap(Timeouts.current, (timeouts) => {
    const region = ofRegion(timeouts)
    const total = region === undefined ? toMillis(timeouts?.total) : undefined
    const yields = region?.yields ?? total === undefined
    return withDeadline(Math.min(millis, total ?? Infinity), yields, false, () => call)
  })

/** Interrupts what runs when the deadline has passed, though it be replaced meanwhile, and goes on as `onPassed` says. */
export const endedBy = <A, E, R, E2>(
  deadline: Deadline,
  self: Effect.Effect<A, E, R>,
  onPassed: (millis: number) => Effect.Effect<A, E2>
): Effect.Effect<A, E | E2, R> =>
  Clock.clockWith((clock): Effect.Effect<A, E | E2, R> => {
    if (!deadline.isFixed) return endedByOpen(deadline, self, onPassed)
    const left = Math.ceil(millisUntil(deadline, clock.monotonicTimeNanosUnsafe()))
    return left === Infinity ?
      self :
      Effect.timeoutOrElse(self, { duration: left, orElse: () => onPassed(deadline.millis) })
  })

/** The same with an end that moves. */
const endedByOpen = <A, E, R, E2>(
  deadline: Deadline,
  self: Effect.Effect<A, E, R>,
  onPassed: (millis: number) => Effect.Effect<A, E2>
): Effect.Effect<A, E | E2, R> =>
  Effect.flatten(Effect.raceFirst(
    Effect.map(self, Effect.succeed),
    Effect.map(Effect.interruptible(passed(deadline)), () => onPassed(deadline.millis))
  ))

const passed = (deadline: Deadline): Effect.Effect<void> =>
  Clock.clockWith((clock) => {
    // Whole milliseconds: TestClock takes no others.
    const left = Math.ceil(millisUntil(deadline, clock.monotonicTimeNanosUnsafe()))
    if (left === 0) return Effect.void
    const replaced = Effect.callback<void>((resume) => {
      const remove = deadline.onReplaced(() => resume(Effect.void))
      return Effect.sync(remove)
    })
    const over = left === Infinity ? replaced : Effect.raceFirst(Effect.sleep(left), replaced)
    return Effect.andThen(over, passed(deadline))
  })
