import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Timeouts from "../Timeouts.js"
import { TotalTimeout } from "../TransportError.js"
import * as history from "./attempts.js"
import { shownRequest, withShownUrl } from "./client/shownRequest.js"
import { halvesOf } from "./clientHalves.js"
import * as deadline from "./deadline.js"
import * as wallTime from "./wallTime.js"

/**
 * Ends every call after so many milliseconds, by its region: also what the transport cannot end, because it knows nothing
 * of it, as the wait for a token.
 */
export const limited = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  millisOf: (region: Partial<Timeouts.Resolved> | undefined) => number
): HttpClient.HttpClient.With<E | RequestError, R> => {
  const { postprocess, preprocess } = halvesOf(client)
  return HttpClient.makeWith<E, R, E | RequestError, R>(
    (request) =>
      Effect.flatMap(FiberRef.get(Timeouts.current), (region) => {
        const millis = millisOf(region)
        if (millis === Infinity) return postprocess(request)
        let known = HttpClientRequest.get("")
        const noted = Effect.map(request, (request) => known = request)
        const tried: history.Tried = { attempts: undefined }
        const call = Effect.locally(deadline.within(postprocess(noted), millis), history.current, tried)
        return Effect.flatten(Effect.timeoutTo(call, {
          duration: millis,
          onSuccess: Effect.succeed,
          onTimeout: () => Effect.flatMap(wallTime.date, (now) => exceeded(known, millis, tried.attempts?.(now) ?? []))
        }))
      }),
    preprocess
  )
}

/** `Deadline.within` as the option of a layer: a region's own `timeouts.total` replaces it. */
export const withTotal = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  total: Duration.DurationInput | "Infinity"
): HttpClient.HttpClient.With<E | RequestError, R> => {
  const millis = total === "Infinity" ? Infinity : Duration.toMillis(total)
  return limited(client, (region) => region?.total ?? millis)
}

const exceeded = (
  request: HttpClientRequest.HttpClientRequest,
  timeout: number,
  attempts: ReadonlyArray<history.Attempt>
): RequestError => {
  const origin = Option.match(HttpClientRequest.toUrl(request), { onNone: () => "", onSome: ({ origin }) => origin })
  // What had been sent by then, only the transport knows.
  const cause = new TotalTimeout({ origin, phase: "headers", written: true, safeToRetry: false, timeout })
  const error = withShownUrl(
    new RequestError({
      request: shownRequest(request),
      reason: "Transport",
      cause,
      description: cause.message
    })
  )
  if (attempts.length > 1) history.note(error, attempts)
  return error
}
