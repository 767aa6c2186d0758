/**
 * Sending requests again when that is safe, and not so often that it makes things worse.
 *
 * @since 0.1.0
 */
import {
  askedPause,
  type Attempt,
  AttemptLog,
  describeAttempts,
  judgeFailure,
  judgeResponse,
  makeRetryBudget,
  millisUntil,
  randomPause,
  retryAfter,
  type RetryPolicy,
  type Verdict
} from "@sluice/engine/client"
import * as optionTable from "@sluice/engine/options"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual, identity } from "effect/Function"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import { isHttpClientError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Idempotency from "./Idempotency.js"
import * as history from "./internal/attempts.js"
import { discard } from "./internal/client/discard.js"
import { counted } from "./internal/client/sends.js"
import { type Halves, halvesOf, isClient } from "./internal/clientHalves.js"
import * as deadline from "./internal/deadline.js"
import { countRetry } from "./internal/metrics/callCounters.js"
import { isReplayable } from "./internal/replayableBody.js"
import * as wallTime from "./internal/wallTime.js"
import { withHeaders } from "./internal/withHeaders.js"
import { check, once } from "./InvalidOptions.js"
import { fromHttpClientError } from "./TransportError.js"

/**
 * What retries may be spent from, shared by all requests of a client: each first attempt pays `ratio` into it, each
 * retry takes 1 out. So when everything fails, the load grows by `ratio` and no more; `reserve` is for a client
 * that has sent little yet.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  readonly deposit: () => void
  /** Takes a retry out, if there is one. */
  readonly withdraw: () => boolean
}

/**
 * A budget for retries: by default 20 % of the requests, and 10 besides. Throws `InvalidOptions` when an option
 * makes no sense.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBudget = (options: { readonly ratio?: number; readonly reserve?: number } = {}): Budget =>
  makeRetryBudget(Result.getOrThrowWith(check(optionTable.retryBudget, options, "Retry.budget"), identity))

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How many times a request is sent again at most. Default 3. */
  readonly times?: number | undefined
  /** The longest pause before the first retry; it doubles with each. Default 100 ms. */
  readonly base?: Duration.Input | undefined
  /** The longest pause of all. Default 10 seconds. */
  readonly cap?: Duration.Input | undefined
  /**
   * How long each attempt may take, with the body of its response. One that takes longer is retried if that is safe.
   * `timeouts.total` and `Deadline.within` hold over all attempts together. Default `"Infinity"`.
   */
  readonly attempt?: Duration.Input | "Infinity" | undefined
  /** When a server asks for a longer pause than this (`Retry-After`), its response is final. Default 30 seconds. */
  readonly maxRetryAfter?: Duration.Input | undefined
  /** Which responses are worth another attempt. Default 408, 425, 429, 500, 502, 503, 504. */
  readonly statuses?: ReadonlyArray<number> | undefined
  /**
   * By which statuses the server says that it has not acted on the request: it is retried whatever its method, if its body
   * can be sent again. Many services mean it by 429, which no RFC promises. Default 425.
   */
  readonly refusals?: ReadonlyArray<number> | undefined
  /** Default: one of its own, from `makeBudget`. */
  readonly budget?: Budget | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type { Attempt } from "@sluice/engine/client"

/**
 * All attempts that led to a response or an error, oldest first; empty when there was one alone. The message of an error of
 * the transport has them too.
 *
 * @since 0.1.0
 * @category accessors
 */
export const attempts: (outcome: unknown) => ReadonlyArray<Attempt> = history.attemptsOf

/**
 * Retries what is safe to retry: requests that the server cannot have acted on, and requests with an idempotent method or
 * an `Idempotency-Key` whose body can be sent again. Pauses are random between 0 and a bound that doubles each time ("full
 * jitter"), or as long as `Retry-After` says, in seconds or as a date. Failures of the pool are not retried: that would be
 * more load where there is too much. All time is Effect's `Clock`, all chance its `Random`.
 *
 * It composes as `HttpClient.retry` does: what was added to the client before or after it by `mapRequest` and the like runs
 * for each attempt, so that each has a fresh token and signature, and recovery that was added before it comes first. A
 * response that `filterStatusOk` has made an error of counts as that response.
 *
 * - A 425 (Too Early) is retried whatever the method: the server has not acted on it (RFC 8470 §5.2). `refusals` may name
 *   more of this kind. A 421 (Misdirected
 *   Request) to a request on a shared connection the transport itself sends again over another one (RFC 9110 §15.5.20).
 * - A 417 to a request with `Expect: 100-continue` is sent again at once, without it (RFC 9110 §10.1.1).
 * - No retry begins that could not begin within the deadline (`Deadline.within`, `timeouts.total` of a region): the last
 *   outcome is final.
 * - `attempts` lists what was tried, from the final response or error, whose message has it too; each retry is an event of
 *   the current span, and all attempts are its attribute `sluice.retry.attempts`.
 *
 * Options that make no sense are a mistake of the program: `InvalidOptions` is thrown where the client
 * is made.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Retry from "@sluice/core4/Retry"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const client = Retry.safely(yield* HttpClient.HttpClient, { times: 5, attempt: "2 seconds" })
 *   return yield* client.get("http://127.0.0.1:8080/sometimes")
 * })
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const safely: {
  (options?: Options): <E, R>(client: HttpClient.HttpClient.With<E, R>) => HttpClient.HttpClient.With<E, R>
  <E, R>(client: HttpClient.HttpClient.With<E, R>, options?: Options): HttpClient.HttpClient.With<E, R>
} = dual(
  (args) => isClient(args[0]),
  <E, R>(client: HttpClient.HttpClient.With<E, R>, options: Options = {}) => {
    const policy = resolve(options)
    const halves = halvesOf(client)
    return HttpClient.makeWith<E, R, E, R>(
      (request) =>
        counted(deadline.withinTotal(Effect.flatMap(Idempotency.current, (keys) => {
          policy.budget.deposit()
          return new Attempts(policy, halves, request, keys !== undefined).first
        }))),
      halves.preprocess
    )
  }
)

const checkOptions = once((given) => check(optionTable.retry, given, "Retry"))

const resolve = (options: Options): RetryPolicy => ({
  ...Result.getOrThrowWith(checkOptions(options), identity),
  budget: options.budget ?? makeBudget()
})

/** The response that became an error because of its status, as by `filterStatusOk`. */
const refusedResponse = (error: unknown): HttpClientResponse | undefined =>
  isHttpClientError(error) && error.reason._tag === "StatusCodeError"
    ? error.reason.response
    : undefined

/** One call with all its attempts. */
class Attempts<E, R> {
  private readonly log = new AttemptLog()
  private expects = true

  constructor(
    private readonly policy: RetryPolicy,
    private readonly halves: Halves<E, R>,
    private readonly request: Effect.Effect<HttpClientRequest, E, R>,
    private readonly hasKey: boolean
  ) {}

  get first(): Effect.Effect<HttpClientResponse, E, R> {
    return Effect.flatMap(history.current, (tried) => {
      if (tried !== undefined) tried.attempts = (now) => this.log.soFar(now)
      return this.next
    })
  }

  private get next(): Effect.Effect<HttpClientResponse, E, R> {
    return Effect.flatMap(wallTime.date, (startedAt) => {
      this.log.begin(startedAt)
      return Effect.matchEffect(this.attempt, {
        onFailure: (error) => {
          const response = refusedResponse(error)
          const verdict = response === undefined
            ? judgeFailure(Option.getOrUndefined(fromHttpClientError(error)), this.policy)
            : judgeResponse(response, isReplayable(response.request.body), this.hasKey, this.policy)
          return this.decide(verdict, startedAt, error, response, Effect.fail(error))
        },
        onSuccess: (response) => {
          const verdict = judgeResponse(response, isReplayable(response.request.body), this.hasKey, this.policy)
          return this.decide(verdict, startedAt, response, response, Effect.succeed(response))
        }
      })
    })
  }

  private get attempt(): Effect.Effect<HttpClientResponse, E, R> {
    const { attempt } = this.policy
    const request = this.expects ? this.request : Effect.map(this.request, dropExpect)
    const sent = this.halves.postprocess(request)
    return attempt === Infinity ? sent : deadline.withinAttempt(sent, attempt)
  }

  private decide(
    verdict: Verdict,
    startedAt: number,
    outcome: E | HttpClientResponse,
    response: HttpClientResponse | undefined,
    end: Effect.Effect<HttpClientResponse, E>
  ): Effect.Effect<HttpClientResponse, E, R> {
    this.log.leave()
    if (verdict._tag === "Final" && this.log.ended.length === 0) return end
    return Effect.flatMap(wallTime.date, (endedAt) => {
      this.log.end(startedAt, endedAt, response?.status ?? tagOf(outcome))
      if (verdict._tag === "Final" || this.log.ended.length > this.policy.times) return this.end(outcome, end)
      if (verdict._tag === "WithoutExpect") this.expects = false
      return Effect.flatMap(this.pauseOf(verdict, endedAt), (pause) => {
        if (pause === undefined) return this.end(outcome, end)
        const hasBudget = this.policy.budget.withdraw()
        return Effect.andThen(
          countRetry(hasBudget ? "sent" : "no_budget", this.log.last.outcome),
          hasBudget ? this.retry(response, pause) : this.end(outcome, end)
        )
      })
    })
  }

  /** How long to wait before the next attempt; undefined when it would be too long. */
  private pauseOf(verdict: Verdict, now: number): Effect.Effect<number | undefined> {
    const asked = askedPause(verdict, now)
    const pause = asked === undefined
      ? Effect.map(Random.next, (chance) => randomPause(this.policy, this.log.ended.length, chance))
      : Effect.succeed(asked <= this.policy.maxRetryAfter ? asked : undefined)
    return Effect.flatMap(
      pause,
      (pause) =>
        Effect.flatMap(deadline.current, (end) =>
          pause === undefined || end === undefined
            ? Effect.succeed(pause)
            : Effect.map(Clock.monotonicTimeNanos, (now) => pause < millisUntil(end, now) ? pause : undefined))
    )
  }

  private retry(response: HttpClientResponse | undefined, pause: number): Effect.Effect<HttpClientResponse, E, R> {
    const discarded = response === undefined ? Effect.void : discard(response)
    return discarded.pipe(
      Effect.andThen(this.noteOnSpan(pause)),
      Effect.andThen(Effect.sleep(pause)),
      Effect.andThen(this.next)
    )
  }

  private noteOnSpan(pause: number): Effect.Effect<void> {
    return Effect.withFiber(({ cache: { span: currentSpan } }) =>
      currentSpan === undefined || currentSpan._tag === "ExternalSpan"
        ? Effect.void
        : Effect.map(Clock.currentTimeNanos, (now) => {
          const { outcome } = this.log.last
          currentSpan.event("sluice.retry", now, { attempt: this.log.ended.length, outcome, pause })
        })
    )
  }

  private end(
    outcome: E | HttpClientResponse,
    end: Effect.Effect<HttpClientResponse, E>
  ): Effect.Effect<HttpClientResponse, E> {
    const { ended } = this.log
    if (ended.length < 2) return end
    history.note(outcome, ended)
    return Effect.withFiber(({ cache: { span: currentSpan } }) => {
      if (currentSpan?._tag === "Span") currentSpan.attribute("sluice.retry.attempts", describeAttempts(ended))
      return end
    })
  }
}

const tagOf = (error: unknown): string =>
  Option.match(fromHttpClientError(error), {
    onNone: () => (error as { readonly _tag?: string } | null)?._tag ?? "_OTHER",
    onSome: ({ _tag }) => _tag
  })

const dropExpect = (request: HttpClientRequest): HttpClientRequest =>
  withHeaders(request, Headers.remove(request.headers, "expect"))

/**
 * How long a server asks to wait, in milliseconds: `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), also in the
 * two obsolete forms of dates (§5.6.7). Undefined when it does not say, or not so that it can be understood.
 *
 * @since 0.1.0
 * @category conversions
 */
export const parseRetryAfter: (value: string | undefined, now: number) => number | undefined = retryAfter.parse
