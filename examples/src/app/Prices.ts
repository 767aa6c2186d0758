import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Retry from "@sluice/core/Retry"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Downstreams } from "./Downstreams.js"
import { PriceUnknown } from "./Errors.js"

export class Price extends Schema.Class<Price>("app/Price")({
  cents: Schema.Number
}) {}

/**
 * Prices: a service that refuses now and then. What is safe to retry is retried, and not so often that the retries
 * become a load of their own.
 */
export class Prices extends Effect.Service<Prices>()("app/Prices", {
  effect: Effect.gen(function*() {
    const downstreams = yield* Downstreams
    const client = (yield* HttpClient.HttpClient).pipe(
      Retry.safely({ times: 2, base: "20 millis", budget: Retry.makeBudget({ ratio: 0.2, reserve: 10 }) }),
      HttpClient.filterStatusOk
    )

    const price = (id: number): Effect.Effect<Price, PriceUnknown> =>
      client.get(`${downstreams.prices}/prices/${id}`).pipe(
        Effect.flatMap(HttpClientResponse.schemaBodyJson(Price)),
        Effect.mapError((cause) => new PriceUnknown({ cause }))
      )

    return { price } as const
  })
}) {}
