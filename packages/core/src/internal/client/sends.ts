import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as Tracer from "effect/Tracer"

/** How many requests a call has sent, with its retries, redirects and those after a challenge. */
interface Sends {
  count: number
}

const current: FiberRef.FiberRef<Sends | undefined> = globalValue(
  Symbol.for("@sluice/core/sends"),
  () => FiberRef.unsafeMake<Sends | undefined>(undefined)
)

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Whether anybody would see a span: there is a tracer that is not the default one, or a span that it would belong to. */
export const isObserved = ({ currentSpan, currentTracer }: Fiber.RuntimeFiber<unknown, unknown>): boolean =>
  currentSpan !== undefined || currentTracer !== nativeTracer

/** Counts what a call sends, if anybody would see it; a call within another one is a part of that. */
export const counted = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) =>
    isObserved(fiber) && fiber.getFiberRef(current) === undefined
      ? Effect.locally(call, current, { count: 0 })
      : call
  )

/** That a request was sent again so many times, by nobody that the call knows of. */
export const addSends = (fiber: Fiber.RuntimeFiber<unknown, unknown>, count: number): void => {
  const sends = fiber.getFiberRef(current)
  if (sends !== undefined) sends.count += count
}

/** That a request is sent; how many were before it for the same call. */
export const countSend = (fiber: Fiber.RuntimeFiber<unknown, unknown>): number => {
  const sends = fiber.getFiberRef(current)
  return sends === undefined ? 0 : sends.count++
}
