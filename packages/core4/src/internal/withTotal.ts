import type { Attempt } from "@sluice/engine/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { type HttpClientError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Timeouts from "../Timeouts.js"
import { TotalTimeout } from "../TransportError.js"
import * as history from "./attempts.js"
import { clientError } from "./client/errors.js"
import { shownRequest } from "./client/shownRequest.js"
import { halvesOf } from "./clientHalves.js"
import * as deadline from "./deadline.js"
import * as wallTime from "./wallTime.js"

/** The `total` of the origin of a request, in milliseconds, where it has its own. */
export type TotalOf = (request: HttpClientRequest.HttpClientRequest) => number | undefined

/**
 * Ends every call after so many milliseconds, by its region: also what the transport cannot end, because it knows nothing
 * of it, as the wait for a token. `totalOf` says better once it is known what is called; it is not asked where a region has
 * said so.
 */
export const limited = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  millisOf: (region: Partial<Timeouts.Resolved> | undefined) => number,
  totalOf?: TotalOf
): HttpClient.HttpClient.With<E | HttpClientError, R> => {
  const { postprocess, preprocess } = halvesOf(client)
  return HttpClient.makeWith<E, R, E | HttpClientError, R>(
    (request) =>
      Effect.flatMap(Timeouts.current, (region) => {
        const ownOf = region?.total === undefined ? totalOf : undefined
        const millis = millisOf(region)
        if (millis === Infinity && ownOf === undefined) return postprocess(request)
        const yields = deadline.ofRegion(region)?.yields ?? ownOf !== undefined
        const tried: history.Tried = { attempts: undefined }
        let known: HttpClientRequest.HttpClientRequest | undefined
        return deadline.withDeadline(millis, yields, ownOf !== undefined, (whole) => {
          const note = (request: HttpClientRequest.HttpClientRequest) => {
            if (known === undefined) whole.settle(ownOf?.(request))
            known = request
            return request
          }
          const sent = Effect.provideService(postprocess(Effect.map(request, note)), history.current, tried)
          return deadline.endedBy(whole, sent, (millis) =>
            Effect.flatMap(
              wallTime.date,
              (now) => Effect.fail(exceeded(known ?? HttpClientRequest.get(""), millis, tried.attempts?.(now) ?? []))
            ))
        })
      }),
    preprocess
  )
}

/** `Deadline.within` as the option of a layer: a region's own `timeouts.total` replaces it, and so does an origin's. */
export const withTotal = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  total: Duration.Input | "Infinity",
  totalOf: TotalOf | undefined
): HttpClient.HttpClient.With<E | HttpClientError, R> => {
  const millis = total === "Infinity" ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(total))
  return millis === Infinity && totalOf === undefined
    ? client as never
    : limited(client, (region) => region?.total ?? millis, totalOf)
}

const exceeded = (
  request: HttpClientRequest.HttpClientRequest,
  timeout: number,
  attempts: ReadonlyArray<Attempt>
): HttpClientError => {
  const origin = Option.match(HttpClientRequest.toUrl(request), { onNone: () => "", onSome: ({ origin }) => origin })
  // What had been sent by then, only the transport knows.
  const cause = new TotalTimeout({ origin, phase: "headers", written: true, safeToRetry: false, timeout })
  const error = clientError(() =>
    new TransportError({ request: shownRequest(request), cause, description: cause.message })
  )
  if (attempts.length > 1) history.note(error, attempts)
  return error
}
