/**
 * Sending requests again when that is safe, and not so often that it makes things worse.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { formatValue } from "@sluice/engine"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Idempotency from "./Idempotency.js"
import { discard } from "./internal/client/discard.js"
import { isIdempotent } from "./internal/client/methods.js"
import { toMillis } from "./internal/duration.js"
import { fromHttpClientError, type TransportError } from "./TransportError.js"

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
 * A budget for retries: by default 20 % of the requests, and 10 besides. Throws `Cause.IllegalArgumentException` when a
 * number is negative or none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBudget = (options: { readonly ratio?: number; readonly reserve?: number } = {}): Budget => {
  const ratio = atLeastZero("ratio", options.ratio ?? 0.2)
  const reserve = atLeastZero("reserve", options.reserve ?? 10)
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

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How many times a request is sent again at most. Default 3. */
  readonly times?: number | undefined
  /** The longest pause before the first retry; it doubles with each. Default 100 ms. */
  readonly base?: Duration.DurationInput | undefined
  /** The longest pause of all. Default 10 seconds. */
  readonly cap?: Duration.DurationInput | undefined
  /** A server that asks for more patience than this (`Retry-After`) gets its answer accepted. Default 30 seconds. */
  readonly maxRetryAfter?: Duration.DurationInput | undefined
  /** Which answers are worth another attempt. Default 408, 425, 429, 500, 502, 503, 504. */
  readonly statuses?: ReadonlyArray<number> | undefined
  /** Default: one of its own, from `makeBudget`. */
  readonly budget?: Budget | undefined
}

const transientStatuses: ReadonlyArray<number> = [408, 425, 429, 500, 502, 503, 504]

/** Sending more does not help against these. */
const permanent: ReadonlyArray<TransportError["_tag"]> = [
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

/**
 * Repeats what is safe to repeat: requests that the server cannot have acted on, and requests with an idempotent method
 * or an `Idempotency-Key` whose body can be sent again. Pauses are random between 0 and a bound that doubles each time
 * ("full jitter"), or as long as `Retry-After` says, in seconds or as a date. Failures of the pool are not repeated:
 * that would be more load where there is too much. All time is Effect's `Clock`, all chance its `Random`.
 *
 * Options that make no sense are a mistake of the program: `Cause.IllegalArgumentException` is thrown where the client
 * is made.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Retry from "@sluice/core/Retry"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const client = Retry.safely(yield* HttpClient.HttpClient, { times: 5 })
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
  (args) => typeof args[0] === "object" && args[0] !== null && HttpClient.TypeId in args[0],
  <E, R>(client: HttpClient.HttpClient.With<E, R>, options: Options = {}) => {
    const policy = resolve(options)
    return HttpClient.transform(client, (send, request) => {
      const attempt = (retries: number, hasKey: boolean): Effect.Effect<HttpClientResponse, E, R> =>
        Effect.matchEffect(send, {
          onFailure: (error) =>
            retries < policy.times && isWorthRepeating(error) && policy.budget.withdraw()
              ? Effect.zipRight(backOff(policy, retries), attempt(retries + 1, hasKey))
              : Effect.fail(error),
          onSuccess: (response) =>
            retries < policy.times && policy.statuses.includes(response.status) && canRepeat(request, hasKey)
              ? Effect.flatMap(
                pauseBefore(policy, retries, response),
                (pause) =>
                  pause <= policy.maxRetryAfter && policy.budget.withdraw()
                    ? discard(response).pipe(
                      Effect.zipRight(Effect.sleep(pause)),
                      Effect.zipRight(attempt(retries + 1, hasKey))
                    )
                    : Effect.succeed(response)
              )
              : Effect.succeed(response)
        })
      return Effect.flatMap(FiberRef.get(Idempotency.current), (keys) => {
        policy.budget.deposit()
        return attempt(0, keys !== undefined || request.headers["idempotency-key"] !== undefined)
      })
    })
  }
)

interface Policy {
  readonly times: number
  readonly base: number
  readonly cap: number
  readonly maxRetryAfter: number
  readonly statuses: ReadonlyArray<number>
  readonly budget: Budget
}

const resolve = (options: Options): Policy => ({
  times: atLeastZero("times", options.times ?? 3),
  base: duration("base", options.base, 100),
  cap: duration("cap", options.cap, 10_000),
  maxRetryAfter: duration("maxRetryAfter", options.maxRetryAfter, 30_000),
  statuses: options.statuses ?? transientStatuses,
  budget: options.budget ?? makeBudget()
})

const atLeastZero = (option: string, value: number): number => {
  if (value >= 0) return value
  throw invalid(option, value, "a number that is not negative")
}

const duration = (option: string, value: Duration.DurationInput | undefined, otherwise: number): number => {
  const millis = value === undefined ? otherwise : toMillis(value)
  if (millis === undefined) throw invalid(option, value, `a duration that is not negative, as in "5 seconds"`)
  return millis
}

const invalid = (option: string, value: unknown, expected: string) =>
  new Cause.IllegalArgumentException(`Retry: ${option} is ${formatValue(value)}: expected ${expected}`)

const isWorthRepeating = (error: unknown): boolean =>
  Option.match(fromHttpClientError(error), {
    onNone: () => false,
    onSome: (cause) => cause.safeToRetry && !permanent.includes(cause._tag)
  })

const canRepeat = (request: HttpClientRequest, hasKey: boolean): boolean =>
  request.body._tag !== "Stream" && (isIdempotent(request.method) || hasKey)

const pauseBefore = (policy: Policy, retries: number, response: HttpClientResponse): Effect.Effect<number> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const asked = parseRetryAfter(response.headers["retry-after"], now)
    return asked === undefined ? jittered(policy, retries) : Effect.succeed(asked)
  })

const backOff = (policy: Policy, retries: number): Effect.Effect<void> =>
  Effect.flatMap(jittered(policy, retries), (millis) => Effect.sleep(millis))

const jittered = (policy: Policy, retries: number): Effect.Effect<number> =>
  Effect.map(Random.next, (chance) => chance * Math.min(policy.cap, policy.base * 2 ** retries))

/**
 * How long a server asks to wait, in milliseconds: `Retry-After` in seconds or as a date (RFC 9110 §10.2.3). Undefined
 * when it does not say, or not so that it can be understood.
 *
 * @since 0.1.0
 * @category conversions
 */
export const parseRetryAfter = (value: string | undefined, now: number): number | undefined => {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  // A date of HTTP begins with the name of the day; what else `Date.parse` takes is not one.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
