import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import * as Trailers from "@sluice/core/Trailers"
import * as TransportError from "@sluice/core/TransportError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { settled } from "./support.js"

/** What a program can see of a response, or of a failure. Origins have other names and ports on either side. */
const seen = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.gen(function*() {
    const response: HttpClientResponse.HttpClientResponse = yield* HttpClient.execute(request)
    const body = yield* response.text
    const info = Option.getOrThrow(PooledHttpClient.connectionInfo(response))
    const trailers = { ...Trailers.get(response) }
    return { status: response.status, headers: { ...response.headers }, body, reused: info.reused, trailers } as unknown
  }).pipe(
    Effect.catchAll((error) => {
      const failure = Option.getOrThrow(TransportError.fromHttpClientError(error))
      const { _tag, message, ...facts } = failure as unknown as Record<string, unknown> & {
        _tag: string
        message: string
      }
      const { code, goAway, phase, reason, safeToRetry, section, written } = facts
      return Effect.succeed<unknown>({
        _tag,
        message: message.replaceAll(String(facts["origin"]), "ORIGIN").replace(
          / to (memory|127\.0\.0\.1)(?=[,\]])/,
          " to ADDRESS"
        ),
        ...{ code, goAway, phase, reason, safeToRetry, section, written }
      })
    })
  )

/** What a program sees of one request after the other, and what the pool is left with. */
export const observe = (requests: ReadonlyArray<HttpClientRequest.HttpClientRequest>, url: string) =>
  Effect.gen(function*() {
    const observed: Array<unknown> = []
    for (const request of requests) {
      observed.push(yield* seen(HttpClientRequest.prependUrl(request, url)))
    }
    const pool = yield* ConnectionPool.ConnectionPool
    const { idle, open } = yield* settled(pool)
    return { observed, idle, open }
  })
