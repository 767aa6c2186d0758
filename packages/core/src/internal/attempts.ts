import { isHttpClientError } from "@effect/platform/HttpClientError"
import { type Attempt, noteOnError } from "@sluice/engine/client"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import { isTransportError } from "../TransportError.js"

/** Where whoever ends a call from outside finds what had been tried by then. */
export interface Tried {
  attempts: ((now: number) => ReadonlyArray<Attempt>) | undefined
}

export const current: FiberRef.FiberRef<Tried | undefined> = globalValue(
  Symbol.for("@sluice/core/Retry/tried"),
  () => FiberRef.unsafeMake<Tried | undefined>(undefined)
)

const histories = globalValue(
  Symbol.for("@sluice/core/Retry/histories"),
  () => new WeakMap<object, ReadonlyArray<Attempt>>()
)

/** Of a response that somebody has made an error of, as by `filterStatusOk`, too. */
export const attemptsOf = (outcome: unknown): ReadonlyArray<Attempt> => {
  if (typeof outcome !== "object" || outcome === null) return []
  const known = histories.get(outcome)
  if (known !== undefined) return known
  return isHttpClientError(outcome) && outcome._tag === "ResponseError" ? histories.get(outcome.response) ?? [] : []
}

/** That this is what came of all these attempts. An error of the transport says so however it is printed. */
export const note = (outcome: unknown, attempts: ReadonlyArray<Attempt>): void => {
  // Errors of others may be shared between calls, as that of a token which several wait for.
  if (typeof outcome !== "object" || outcome === null || histories.has(outcome)) return
  histories.set(outcome, attempts)
  if (!(outcome instanceof Error) || !(isHttpClientError(outcome) || isTransportError(outcome))) return
  noteOnError(outcome, attempts)
}
