import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"

/** How many requests a call has sent, with its retries, redirects and those after a challenge. */
interface Sends {
  count: number
}

const current: Context.Reference<Sends | undefined> = Context.Reference(
  "@sluice/core4/sends",
  { defaultValue: (): Sends | undefined => undefined }
)

/** Whether anybody would see a span: there is a tracer that is not the default one, or a span that it would belong to. */
export const isObserved = ({ cache: { span, tracer } }: Fiber.Fiber<unknown, unknown>): boolean =>
  span !== undefined || (tracer !== undefined && tracer !== Tracer.nativeTracer)

/** Counts what a call sends, if anybody would see it; a call within another one is a part of that. */
export const counted = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) =>
    isObserved(fiber) && fiber.getRef(current) === undefined
      ? Effect.provideService(call, current, { count: 0 })
      : call
  )

/** That a request was sent again so many times, by nobody that the call knows of. */
export const addSends = (fiber: Fiber.Fiber<unknown, unknown>, count: number): void => {
  const sends = fiber.getRef(current)
  if (sends !== undefined) sends.count += count
}

/** That a request is sent; how many were before it for the same call. */
export const countSend = (fiber: Fiber.Fiber<unknown, unknown>): number => {
  const sends = fiber.getRef(current)
  return sends === undefined ? 0 : sends.count++
}
