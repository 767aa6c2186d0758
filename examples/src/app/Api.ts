import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ProductPage } from "./ProductPage.js"
import { poolPage } from "./report.js"

const Params = Schema.Struct({ id: Schema.NumberFromString })

/**
 * What the service responds with: `GET /products/:id`, and the pool under it all as a page that renews itself, `GET /pool`.
 */
export const Api = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/products/:id",
    Effect.gen(function*() {
      const { id } = yield* HttpRouter.schemaPathParams(Params)
      const page = yield* ProductPage
      return yield* HttpServerResponse.json(yield* page.load(id))
    }).pipe(
      Effect.catchTags({
        ProductNotFound: (error) => HttpServerResponse.json({ error: error.message }, { status: 404 }),
        CatalogUnavailable: (error) =>
          HttpServerResponse.json({ error: error.message }, { status: 503, headers: { "retry-after": "1" } }),
        ParseError: () => HttpServerResponse.json({ error: "a product has a number" }, { status: 400 })
      })
    )
  ),
  HttpRouter.get(
    "/pool",
    Effect.flatMap(ConnectionPool.ConnectionPool, (pool) => Effect.map(pool.stats, poolPage)).pipe(
      Effect.map(HttpServerResponse.html)
    )
  )
)
