import { Deadline, millisUntil } from "@sluice/engine/client"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as Timeouts from "../Timeouts.js"
import { toMillis } from "./duration.js"

/** Of the call that the fiber is in. */
export const current: FiberRef.FiberRef<Deadline | undefined> = globalValue(
  Symbol.for("@sluice/core/Deadline/current"),
  () => FiberRef.unsafeMake<Deadline | undefined>(undefined)
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
  Effect.clockWith((clock) =>
    Effect.flatMap(FiberRef.get(current), (outer) => {
      const deadline = new Deadline(outer, clock.unsafeCurrentTimeNanos(), millis, yields, isOpen)
      return call(deadline).pipe(
        Effect.locally(current, deadline),
        Effect.locallyWith(Timeouts.current, (timeouts) => {
          const within = {
            ...timeouts,
            // Read when a request is made ready, which may be after others of the same call.
            get total() {
              return millisUntil(deadline, clock.unsafeCurrentTimeNanos())
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
  Effect.flatMap(FiberRef.get(Timeouts.current), (timeouts) => {
    // A deadline does already.
    if (ofRegion(timeouts) !== undefined) return call
    const total = timeouts?.total === undefined ? undefined : toMillis(timeouts.total)
    return total === undefined || total === Infinity ? call : within(call, total)
  })

/** Gives each request within `call` no more than so long. */
export const withinAttempt = <A, E, R>(call: Effect.Effect<A, E, R>, millis: number): Effect.Effect<A, E, R> =>
  Effect.flatMap(FiberRef.get(Timeouts.current), (timeouts) => {
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
  Effect.clockWith((clock): Effect.Effect<A, E | E2, R> => {
    if (!deadline.isFixed) return endedByOpen(deadline, self, onPassed)
    const left = Math.ceil(millisUntil(deadline, clock.unsafeCurrentTimeNanos()))
    return left === Infinity ?
      self :
      Effect.flatten(Effect.timeoutTo(self, {
        duration: left,
        onSuccess: Effect.succeed<A>,
        onTimeout: () => onPassed(deadline.millis)
      }))
  })

/** `Effect.timeoutTo` with an end that moves. `Effect.raceFirst` waits for ever when it is interrupted at one of its steps. */
const endedByOpen = <A, E, R, E2>(
  deadline: Deadline,
  self: Effect.Effect<A, E, R>,
  onPassed: (millis: number) => Effect.Effect<A, E2>
): Effect.Effect<A, E | E2, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.raceWith(Effect.exit(restore(self)), Effect.interruptible(passed(deadline)), {
      onSelfDone: (exit, timer) => Effect.zipRight(Fiber.interrupt(timer), Effect.flatten(exit)),
      onOtherDone: (_, call) => Effect.zipRight(Fiber.interrupt(call), onPassed(deadline.millis))
    })
  )

const passed = (deadline: Deadline): Effect.Effect<void> =>
  Effect.clockWith((clock) => {
    // Whole milliseconds: TestClock takes no others.
    const left = Math.ceil(millisUntil(deadline, clock.unsafeCurrentTimeNanos()))
    if (left === 0) return Effect.void
    const replaced = Effect.async<void>((resume) => {
      const remove = deadline.onReplaced(() => resume(Effect.void))
      return Effect.sync(remove)
    })
    const over = left === Infinity ? replaced : Effect.timeoutOption(replaced, left)
    return Effect.zipRight(over, passed(deadline))
  })
