import { type Attempt, noteOnError } from "@sluice/engine/client"
import * as Context from "effect/Context"
import { isHttpClientError } from "effect/http/HttpClientError"
import { isTransportError } from "../TransportError.js"

/** Where whoever ends a call from outside finds what had been tried by then. */
export interface Tried {
  attempts: ((now: number) => ReadonlyArray<Attempt>) | undefined
}

export const current: Context.Reference<Tried | undefined> = Context.Reference(
  "@sluice/core4/Retry/tried",
  { defaultValue: (): Tried | undefined => undefined }
)

const histories = new WeakMap<object, ReadonlyArray<Attempt>>()

/** Of a response that somebody has made an error of, as by `filterStatusOk`, too. */
export const attemptsOf = (outcome: unknown): ReadonlyArray<Attempt> => {
  if (typeof outcome !== "object" || outcome === null) return []
  const known = histories.get(outcome)
  if (known !== undefined) return known
  const response = isHttpClientError(outcome) ? outcome.response : undefined
  return response === undefined ? [] : histories.get(response) ?? []
}

/** That this is what came of all these attempts. An error of the transport says so however it is printed. */
export const note = (outcome: unknown, attempts: ReadonlyArray<Attempt>): void => {
  // Errors of others may be shared between calls, as that of a token which several wait for.
  if (typeof outcome !== "object" || outcome === null || histories.has(outcome)) return
  histories.set(outcome, attempts)
  if (!(outcome instanceof Error) || !(isHttpClientError(outcome) || isTransportError(outcome))) return
  noteOnError(outcome, attempts)
}
