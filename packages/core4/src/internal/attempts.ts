import * as Context from "effect/Context"
import { isHttpClientError } from "effect/http/HttpClientError"
import { isTransportError } from "../TransportError.js"

/**
 * An attempt, and how it ended.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempt {
  /** When it began and ended, in milliseconds since the epoch. */
  readonly startedAt: number
  readonly endedAt: number
  /** The status of its response, or the tag of its error. */
  readonly outcome: number | string
}

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
  const { message: alone, stack = "" } = outcome
  const message = `${alone}; ${describe(attempts)}`
  Object.defineProperties(outcome, {
    attempts: { value: attempts, enumerable: true, configurable: true },
    message: { value: message, configurable: true, writable: true },
    stack: { value: stack.replace(alone, () => message), configurable: true, writable: true }
  })
}

/** So many are shown of those that were last. */
const shown = 10

/** `tried 2 times: 503 (0 to 12 ms), ReadError (112 to 340 ms)`: from the beginning of the first. */
export const describe = (attempts: ReadonlyArray<Attempt>): string => {
  const [{ startedAt: begun }] = attempts
  const last = attempts.slice(-shown).map(({ endedAt, outcome, startedAt }) =>
    `${outcome} (${startedAt - begun} to ${endedAt - begun} ms)`
  )
  return `tried ${attempts.length} times: ${attempts.length > shown ? "…, " : ""}${last.join(", ")}`
}
