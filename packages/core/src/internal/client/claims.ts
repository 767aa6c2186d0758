import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import { claim, watch } from "@sluice/engine/client"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { rawOf } from "./RequestBody.js"

/** A body that is open, of a request that has not come to the transport. */
interface Claim {
  /** Claims are numbered as they are made. */
  readonly number: number
  readonly body: object
  readonly close: (cause: unknown) => void
  readonly release: () => void
  /** Does not wait for the end of its fiber any more. */
  readonly forget: () => void
}

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** By the fiber that runs the request: those of requests within the mappers of others come last. */
const claims = new WeakMap<AnyFiber, Set<Claim>>()

let last = 0

/** How many there are in all; mostly none. */
let count = 0

/**
 * A request begins to run: what comes first are mappers and wrappers, which may wait, fail, or be interrupted. A body that is
 * open belongs to it from here on; from before, it does not end the process, for what is around the client may wait too.
 */
export const begin = (request: HttpClientRequest): Effect.Effect<HttpClientRequest> => {
  const { body } = request
  if (body._tag !== "Raw" && body._tag !== "Stream") return Effect.succeed(request)
  const raw = rawOf(body)
  if (typeof raw !== "object" || raw === null) return Effect.succeed(request)
  watch(raw)
  return Effect.withFiberRuntime((fiber) => {
    add(fiber, raw)
    return Effect.succeed(request)
  })
}

const add = (fiber: AnyFiber, body: object): void => {
  // Its request has begun: what becomes of it is no longer ours to say.
  const claimed = claim(body, () => remove(own))
  if (claimed === undefined) return
  // Its fiber has ended, which an interrupt does.
  const onEnd = (exit: Exit.Exit<unknown, unknown>) => {
    remove(own)
    if (hasFailed(exit)) claimed.close(exit)
    // Who has run the mappers in a fiber of their own goes on with what came of them.
    else claimed.release()
  }
  fiber.addObserver(onEnd)
  const forget = () => fiber.removeObserver(onEnd)
  const ofFiber = claims.get(fiber) ?? new Set()
  const own: Claim = { ...claimed, body, number: ++last, forget: () => ofFiber.delete(own) && forget() }
  claims.set(fiber, ofFiber.add(own))
  count++
}

/** A fiber that races with another one succeeds with how it ended. */
const hasFailed = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) || (Exit.isExit(exit.value) && hasFailed(exit.value))

const remove = ({ forget }: Claim): void => {
  count--
  forget()
}

/** Claims that are made from now on come after it. */
export const mark = (): number => last

/** What the fiber has claimed since then is closed: its request has failed on its way here. */
export const closeSince = (fiber: AnyFiber, mark: number, cause: Cause.Cause<unknown>): void => {
  for (const claim of since(fiber, mark)) {
    remove(claim)
    claim.close(cause)
  }
}

/** The request is ready to begin: what it does not have any more, since somebody has put another body in its place, is theirs. */
export const releaseOthers = (fiber: AnyFiber, mark: number, request: HttpClientRequest): void => {
  const all = since(fiber, mark)
  if (all.length === 0) return
  const own = rawOf(request.body)
  for (const claim of all) {
    if (claim.body === own) continue
    remove(claim)
    claim.release()
  }
}

/** A request that another fiber has made, as one that mappers ran in, goes on in this one. */
export const adopt = (from: AnyFiber, to: AnyFiber, request: HttpClientRequest): void => {
  if (count === 0) return
  const body = rawOf(request.body)
  for (const claim of claims.get(from) ?? []) {
    if (claim.body !== body) continue
    remove(claim)
    claim.release()
    add(to, claim.body)
  }
}

const since = (fiber: AnyFiber, mark: number): ReadonlyArray<Claim> =>
  count === 0 || mark === Infinity ? [] : [...claims.get(fiber) ?? []].filter(({ number }) => number > mark)
