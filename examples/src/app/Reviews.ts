import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import * as Timeouts from "@sluice/core/Timeouts"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Downstreams } from "./Downstreams.js"
import { ReviewsTooSlow } from "./Errors.js"

export class Review extends Schema.Class<Review>("app/Review")({
  stars: Schema.Number
}) {}

const ReviewList = Schema.Array(Review)

/**
 * Reviews: a slow service that nobody waits long for. `PooledHttpClient` is the same client with the transport's errors
 * in its type, so a timeout is caught by its name.
 */
export class Reviews extends Effect.Service<Reviews>()("app/Reviews", {
  effect: Effect.gen(function*() {
    const downstreams = yield* Downstreams
    const client = yield* PooledHttpClient.PooledHttpClient

    const of = (id: number) =>
      client.get(`${downstreams.reviews}/reviews/${id}`).pipe(
        Effect.catchTag("ReadTimeout", ({ timeout }) => new ReviewsTooSlow({ waited: timeout })),
        Effect.flatMap(HttpClientResponse.schemaBodyJson(ReviewList)),
        Timeouts.locally({ read: "1 second" })
      )

    return { of } as const
  })
}) {}
