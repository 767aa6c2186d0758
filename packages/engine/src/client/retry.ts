import { isIdempotent } from "../call/index.js"
import type * as Failure from "../Failure.js"
import * as retryAfter from "./retryAfter.js"

/** What retries may be spent from: each first attempt pays `ratio` into it, each retry takes 1 out. */
export interface RetryBudget {
  readonly deposit: () => void
  /** Takes a retry out, if there is one. */
  readonly withdraw: () => boolean
}

export const makeRetryBudget = (
  { ratio, reserve }: { readonly ratio: number; readonly reserve: number }
): RetryBudget => {
  let balance = reserve
  // What has been saved up for long must not pay for a storm.
  const most = reserve + 100 * ratio
  return {
    deposit: () => {
      balance = Math.min(most, balance + ratio)
    },
    withdraw: () => {
      if (balance < 1) return false
      balance -= 1
      return true
    }
  }
}

/** Times in milliseconds. */
export interface RetryPolicy {
  readonly times: number
  readonly base: number
  readonly cap: number
  /** How long each attempt may take. */
  readonly attempt: number
  readonly maxRetryAfter: number
  readonly statuses: ReadonlyArray<number>
  readonly refusals: ReadonlyArray<number>
  readonly budget: RetryBudget
}

/**
 * What an outcome asks for.
 *
 * - `Final`: it is the caller's.
 * - `Retry`: another attempt, after the pause that the server asks for, if it does.
 * - `WithoutExpect`: another attempt at once, without `Expect: 100-continue`.
 */
export type Verdict =
  | { readonly _tag: "Final" }
  | { readonly _tag: "Retry"; readonly retryAfter: string | undefined }
  | { readonly _tag: "WithoutExpect" }

const final: Verdict = { _tag: "Final" }
const withoutExpect: Verdict = { _tag: "WithoutExpect" }

/** What is looked at of a response; its headers only where they matter. */
interface JudgedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly request: { readonly method: string; readonly headers: Readonly<Record<string, string>> }
}

/** `hasKey`: requests of this call have an `Idempotency-Key`. */
export const judgeResponse = (
  response: JudgedResponse,
  isReplayable: boolean,
  hasKey: boolean,
  policy: RetryPolicy
): Verdict => {
  const { request, status } = response
  if (!isReplayable) return final
  if (status === 417 && request.headers["expect"] !== undefined) return withoutExpect
  const isRefusal = policy.refusals.includes(status)
  if (!isRefusal && !policy.statuses.includes(status)) return final
  return isRefusal || hasKey || isIdempotent(request.method) || request.headers["idempotency-key"] !== undefined
    ? { _tag: "Retry", retryAfter: response.headers["retry-after"] }
    : final
}

/** Sending more does not help against these. */
const permanent: ReadonlyArray<Failure.FailureTag> = [
  "PoolTimeout",
  "PoolQueueFull",
  "PoolClosed",
  "TotalTimeout",
  "TlsError",
  "UnsupportedProtocol",
  "LocalProtocolError",
  "RemoteProtocolError",
  "RequestBodyError",
  "ResponseTooLarge"
]

/** Undefined for an error that is not the transport's. */
export const judgeFailure = (
  failure: { readonly _tag: Failure.FailureTag; readonly safeToRetry: boolean } | undefined,
  policy: RetryPolicy
): Verdict =>
  failure?.safeToRetry === true && (!permanent.includes(failure._tag) || isOfAttempt(failure._tag, policy))
    ? { _tag: "Retry", retryAfter: undefined }
    : final

/** Whether what took too long was an attempt, and not all of them: then the pause finds the deadline passed. */
const isOfAttempt = (tag: Failure.FailureTag, policy: RetryPolicy): boolean =>
  tag === "TotalTimeout" && policy.attempt !== Infinity

/** How long the outcome asks to wait before the next attempt; undefined when it does not say. */
export const askedPause = (verdict: Verdict, now: number): number | undefined =>
  verdict._tag === "Retry" ? retryAfter.parse(verdict.retryAfter, now) : 0

/**
 * A pause by chance, before retry `number`, 1 for the first: between 0 and a bound that doubles each time ("full jitter"), in
 * whole milliseconds, for TestClock takes no others.
 */
export const randomPause = ({ base, cap }: RetryPolicy, number: number, chance: number): number =>
  Math.round(chance * Math.min(cap, base * 2 ** (number - 1)))
