import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { HttpClientLayer } from "@sluice/node"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Page = Schema.Struct({
  name: Schema.String,
  cents: Schema.NullOr(Schema.Number),
  stars: Schema.NullOr(Schema.Array(Schema.Number))
})

/** What the users got so far. Every page asked for is in `asked`, and in one of the other three when it has ended. */
export interface Tally {
  asked: number
  served: number
  /** Those served that lack their price, or their reviews. */
  withoutPrice: number
  withoutReviews: number
  failed: number
}

export const emptyTally = (): Tally => ({ asked: 0, served: 0, withoutPrice: 0, withoutReviews: 0, failed: 0 })

export interface LoadOptions {
  readonly users: number
  readonly duration: Duration.DurationInput
  /** The load ends after that many pages, however much time is left. */
  readonly maxPages: number
}

/**
 * Users who ask for one page after the other. They are outside of the service, so they have a client of their own.
 */
export const load = (service: string, tally: Tally, { duration, maxPages, users }: LoadOptions) =>
  Effect.gen(function*() {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const end = (yield* Clock.currentTimeMillis) + Duration.toMillis(duration)

    const nextPage = Effect.gen(function*() {
      const id = 1 + tally.asked++ % 100
      const page = yield* client.get(`${service}/products/${id}`).pipe(
        Effect.flatMap(HttpClientResponse.schemaBodyJson(Page))
      )
      tally.served++
      if (page.cents === null) tally.withoutPrice++
      if (page.stars === null) tally.withoutReviews++
    }).pipe(
      Effect.catchAll((error) => {
        tally.failed++
        return Effect.logWarning(error.message)
      })
    )

    const user = Effect.flatMap(
      Clock.currentTimeMillis,
      (now) => now >= end || tally.asked >= maxPages ? Effect.succeed(true) : Effect.as(nextPage, false)
    ).pipe(Effect.repeat({ until: (isOver) => isOver }))
    yield* Effect.replicateEffect(user, users, { concurrency: "unbounded", discard: true })
  }).pipe(Effect.provide(HttpClientLayer.layer({ limits: { maxConnections: users } })))
