/**
 * One end for all that a call does: its redirects, its retries and the pauses between them, the tokens that it waits for,
 * and the bodies of its responses.
 *
 * @since 0.1.0
 */
import { formatValue } from "@sluice/engine"
import { millisUntil } from "@sluice/engine/client"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as deadline from "./internal/deadline.js"
import { toMillis } from "./internal/duration.js"
import { limited } from "./internal/withTotal.js"

/**
 * Ends every call of a client after `total`, from the call until the last byte of the response's body, whatever it is doing
 * by then: `TotalTimeout`, as the cause of a `HttpClientError`, or while the body is read of a `HttpClientError`. A deadline
 * within another one ends no later than that. Put it last, around redirects and retries; `Retry.safely` begins no pause
 * that it cannot end in time.
 *
 * `total` that is no duration throws `Cause.IllegalArgumentError` where the client is made.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Deadline from "@sluice/core4/Deadline"
 * import * as Redirects from "@sluice/core4/Redirects"
 * import * as Retry from "@sluice/core4/Retry"
 * import * as Effect from "effect/Effect"
 *
 * const client = Effect.map(HttpClient.HttpClient, (client) =>
 *   client.pipe(Retry.safely({ attempt: "2 seconds" }), Redirects.follow(), Deadline.within("10 seconds")))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const within: {
  (
    total: Duration.Input
  ): <E, R>(client: HttpClient.HttpClient.With<E, R>) => HttpClient.HttpClient.With<E | HttpClientError, R>
  <E, R>(
    client: HttpClient.HttpClient.With<E, R>,
    total: Duration.Input
  ): HttpClient.HttpClient.With<E | HttpClientError, R>
} = dual(2, <E, R>(client: HttpClient.HttpClient.With<E, R>, total: Duration.Input) => {
  const millis = toMillis(total)
  if (millis === undefined) {
    throw new Cause.IllegalArgumentError(
      `Deadline: total is ${formatValue(total)}: expected a duration that is not negative, as in "10 seconds"`
    )
  }
  return millis === Infinity ? client : limited(client, () => millis)
})

/**
 * How much time the call that the fiber is in has left, in milliseconds; `Infinity` when it has no deadline.
 *
 * @since 0.1.0
 * @category accessors
 */
export const remaining: Effect.Effect<number> = Effect.flatMap(
  deadline.current,
  (current) => Effect.map(Clock.monotonicTimeNanos, (now) => millisUntil(current, now))
)
