import * as Data from "effect/Data"

/** There is no such product. It is the caller's mistake. */
export class ProductNotFound extends Data.TaggedError("ProductNotFound")<{ readonly id: number }> {
  override get message(): string {
    return `There is no product ${this.id}`
  }
}

/** Without the catalog there is no page. `cause` is what the client said. */
export class CatalogUnavailable extends Data.TaggedError("CatalogUnavailable")<{ readonly cause: unknown }> {
  override get message(): string {
    return "The catalog does not respond as it should"
  }
}

/** A page can be shown without a price. */
export class PriceUnknown extends Data.TaggedError("PriceUnknown")<{ readonly cause: unknown }> {
  override get message(): string {
    return "The price could not be had"
  }
}

/** A page can be shown without reviews. */
export class ReviewsTooSlow extends Data.TaggedError("ReviewsTooSlow")<{ readonly waited: number }> {
  override get message(): string {
    return `No reviews within ${this.waited} ms`
  }
}
