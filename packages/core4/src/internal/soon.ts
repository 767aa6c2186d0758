import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

/** Runs a step of its own: never before who asks has returned, and in the order in which it was asked for. */
export type Soon = (step: () => void) => void

/**
 * In Effect 4 a fiber that is resumed goes on at once, on the stack of whoever resumes it, and one that is interrupted runs
 * its finalizers there. The engine notifies from the middle of its steps: of a parser, of the pool. So a fiber of a caller
 * goes on in a step of its own: in a microtask, or where somebody takes all steps himself (`Effect.runSync`, `Interleavings`),
 * when his scheduler says.
 */
export const soonOf = (context: Context.Context<never>): Soon => {
  const scheduler = Context.get(context, Scheduler.Scheduler)
  if (scheduler.executionMode === "async") return inMicrotask
  const dispatcher = scheduler.makeDispatcher()
  return (step) => dispatcher.scheduleTask(step, 0)
}

const inMicrotask: Soon = (step) => queueMicrotask(step)

/** That of the fiber. */
export const soon = (fiber: Fiber.Fiber<unknown, unknown>, step: () => void): void => {
  if (fiber.cache.scheduler.executionMode === "async") queueMicrotask(step)
  else fiber.currentDispatcher.scheduleTask(step, 0)
}

/** As `Effect.callback`, but the fiber goes on in a step of its own, whoever resumes it. */
export const callback = <A, E = never>(
  register: (resume: (effect: Effect.Effect<A, E>) => void) => void | Effect.Effect<void>
): Effect.Effect<A, E> =>
  Effect.withFiber((fiber) =>
    Effect.callback<A, E>((resume) => register((effect) => soon(fiber, () => resume(effect))))
  )

/** Ends in the next step. */
export const nextStep: Effect.Effect<void> = callback((resume) => resume(Effect.void))
