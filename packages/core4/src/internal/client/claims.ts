import { claim } from "@sluice/engine/client"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import { rawOf } from "./RequestBody.js"

/** A body that is open, of a request that has not come to the transport. */
interface Claim {
  readonly body: unknown
  readonly close: (cause: unknown) => void
  /** Does not wait for the end of its fiber any more. */
  readonly forget: () => void
}

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** By the fiber that runs the request: those of requests within the mappers of others come last. */
const claims = new WeakMap<AnyFiber, Array<Claim>>()

/** How many there are in all; mostly none. */
let count = 0

/**
 * A request begins to run: what comes first are mappers and wrappers, which may wait, fail, or be interrupted. A body that is
 * open belongs to it from here on.
 */
export const begin = (request: HttpClientRequest): Effect.Effect<HttpClientRequest> => {
  const { body } = request
  if (body._tag !== "Raw" && body._tag !== "Stream") return Effect.succeed(request)
  const raw = rawOf(body)
  return typeof raw !== "object" || raw === null ? Effect.succeed(request) : Effect.withFiber((fiber) => {
    const close = claim(raw)
    if (close !== undefined) add(fiber, raw, close)
    return Effect.succeed(request)
  })
}

const add = (fiber: AnyFiber, body: unknown, close: Claim["close"]): void => {
  // Its fiber has ended, which an interrupt does.
  const onEnd = (exit: Exit.Exit<unknown, unknown>) => {
    count--
    // Who has run the mappers in a fiber of their own goes on with what came of them.
    if (hasFailed(exit)) close(exit)
  }
  const own = claims.get(fiber)
  count++
  const claim = { body, close, forget: fiber.addObserver(onEnd) }
  if (own === undefined) claims.set(fiber, [claim])
  else own.push(claim)
}

/** A fiber that races with another one succeeds with how it ended. */
const hasFailed = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) || (Exit.isExit(exit.value) && hasFailed(exit.value))

const remove = ({ forget }: Claim): void => {
  count--
  forget()
}

/** How many the fiber has. */
export const countOf = (fiber: AnyFiber): number => count === 0 ? 0 : claims.get(fiber)?.length ?? 0

/** What the fiber has claimed since then is closed: its request has failed on its way here. */
export const closeFrom = (fiber: AnyFiber, index: number, cause: Cause.Cause<unknown>): void => {
  if (count === 0) return
  for (const claim of claims.get(fiber)?.splice(index) ?? []) {
    remove(claim)
    claim.close(cause)
  }
}

/** The transport has the request: what it took over is its own, and what somebody has put in its place is theirs. */
export const passOn = (fiber: AnyFiber, index: number): void => {
  if (count === 0) return
  for (const claim of claims.get(fiber)?.splice(index) ?? []) remove(claim)
}
