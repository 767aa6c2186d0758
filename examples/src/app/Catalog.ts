import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Downstreams } from "./Downstreams.js"
import { CatalogUnavailable, ProductNotFound } from "./Errors.js"

export class Product extends Schema.Class<Product>("app/Product")({
  id: Schema.Number,
  name: Schema.String
}) {}

/**
 * The catalog: nothing goes without it, so a failure on the way is tried again at once, by the platform's own means.
 */
export class Catalog extends Effect.Service<Catalog>()("app/Catalog", {
  effect: Effect.gen(function*() {
    const downstreams = yield* Downstreams
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.retryTransient({ times: 2, schedule: Schedule.exponential("20 millis").pipe(Schedule.jittered) })
    )

    const product = (id: number): Effect.Effect<Product, ProductNotFound | CatalogUnavailable> =>
      Effect.gen(function*() {
        const response = yield* client.get(`${downstreams.catalog}/products/${id}`)
        if (response.status === 404) return yield* new ProductNotFound({ id })
        const ok = yield* HttpClientResponse.filterStatusOk(response)
        return yield* HttpClientResponse.schemaBodyJson(Product)(ok)
      }).pipe(
        Effect.catchTags({
          RequestError: (cause) => new CatalogUnavailable({ cause }),
          ResponseError: (cause) => new CatalogUnavailable({ cause }),
          ParseError: (cause) => new CatalogUnavailable({ cause })
        })
      )

    return { product } as const
  })
}) {}
