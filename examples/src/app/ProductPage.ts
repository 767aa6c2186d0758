import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Catalog } from "./Catalog.js"
import { Prices } from "./Prices.js"
import { Reviews } from "./Reviews.js"

/**
 * All that is known of a product, from three services. The catalog must know it; then the other two are asked at once,
 * and without their responses the page has gaps.
 */
export class ProductPage extends Effect.Service<ProductPage>()("app/ProductPage", {
  effect: Effect.gen(function*() {
    const catalog = yield* Catalog
    const prices = yield* Prices
    const reviews = yield* Reviews
    const counts = { asked: 0, found: 0, withoutPrice: 0, withoutReviews: 0 }

    const load = (id: number) =>
      Effect.gen(function*() {
        counts.asked++
        const product = yield* catalog.product(id)
        counts.found++
        const [price, stars] = yield* Effect.all([
          orGap(prices.price(id), () => counts.withoutPrice++),
          orGap(reviews.of(id), () => counts.withoutReviews++)
        ], { concurrency: 2 })
        return {
          name: product.name,
          cents: price && price.cents,
          stars: stars && stars.map((review) => review.stars)
        }
      }).pipe(
        Effect.withSpan("ProductPage.load", { attributes: { id } })
      )

    return { load, counts: counts as Readonly<typeof counts> } as const
  })
}) {}

/** Why there is a gap is for the log. */
const orGap = <A, E extends Error>(part: Effect.Effect<A, E>, onGap: () => void): Effect.Effect<A | null> =>
  part.pipe(
    Effect.tapError((error) => Effect.zipRight(Effect.sync(onGap), Effect.logDebug(error.message))),
    Effect.option,
    Effect.map(Option.getOrNull)
  )
