/**
 * One end for all that a call does: its redirects, its retries and the pauses between them, the tokens that it waits for,
 * and the bodies of its responses.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type { RequestError } from "@effect/platform/HttpClientError"
import { formatValue } from "@sluice/engine"
import { millisUntil } from "@sluice/engine/client"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import { dual } from "effect/Function"
import * as deadline from "./internal/deadline.js"
import { toMillis } from "./internal/duration.js"
import { limited } from "./internal/withTotal.js"

/**
 * Ends every call of a client after `total`, from the call until the last byte of the response's body, whatever it is doing
 * by then: `TotalTimeout`, as the cause of a `RequestError`, or while the body is read of a `ResponseError`. A deadline
 * within another one ends no later than that. Put it last, around redirects and retries; `Retry.safely` begins no pause
 * that it cannot end in time.
 *
 * `total` that is no duration throws `Cause.IllegalArgumentException` where the client is made.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Deadline from "@sluice/core/Deadline"
 * import * as Redirects from "@sluice/core/Redirects"
 * import * as Retry from "@sluice/core/Retry"
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
    total: Duration.DurationInput
  ): <E, R>(client: HttpClient.HttpClient.With<E, R>) => HttpClient.HttpClient.With<E | RequestError, R>
  <E, R>(
    client: HttpClient.HttpClient.With<E, R>,
    total: Duration.DurationInput
  ): HttpClient.HttpClient.With<E | RequestError, R>
} = dual(2, <E, R>(client: HttpClient.HttpClient.With<E, R>, total: Duration.DurationInput) => {
  const millis = toMillis(total)
  if (millis === undefined) {
    throw new Cause.IllegalArgumentException(
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
  FiberRef.get(deadline.current),
  (current) => Effect.map(Clock.currentTimeNanos, (now) => millisUntil(current, now))
)
