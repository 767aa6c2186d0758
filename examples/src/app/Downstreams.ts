import { Reply, TestServer } from "@sluice/test-server"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * Where the three services are that this one asks. In production their URLs come from `Config`.
 */
export class Downstreams extends Context.Tag("app/Downstreams")<Downstreams, {
  readonly catalog: string
  readonly prices: string
  readonly reviews: string
  /** Who signs the catalog's certificate, where it is nobody that everybody trusts. */
  readonly authority: string | undefined
}>() {}

/**
 * What stands in for them here: servers on loopback that misbehave as the real ones do, and count what they did.
 */
export class StandIns extends Effect.Service<StandIns>()("app/StandIns", {
  scoped: Effect.gen(function*() {
    const did = { pricesRefused: 0, reviewsTooLate: 0 }

    // Knows 100 products, and responds at once, over TLS and HTTP/2.
    const catalog = yield* TestServer.make({
      tls: true,
      http2: true,
      replies: {
        "/products/*": ({ path }) => {
          const id = Number(path.split("/")[2])
          return id >= 1 && id <= 100
            ? Reply.json({ id, name: `product ${id}` })
            : Reply.json({ error: "no such product" }, { status: 404 })
        }
      }
    })

    // Every seventh request is too much for it.
    const prices = yield* TestServer.make({
      replies: {
        "/prices/*": ({ path }, { count }) => {
          if (count % 7 !== 6) return Reply.json({ cents: 100 + Number(path.split("/")[2]) })
          did.pricesRefused++
          return Reply.json({ error: "too busy" }, { status: 503 })
        }
      }
    })

    // Takes 60 ms, and every fiftieth time longer than anybody waits.
    const reviews = yield* TestServer.make({
      replies: {
        "/reviews/*": (_, { count }) => {
          if (count % 50 !== 49) return Reply.json([{ stars: 4 }, { stars: 5 }], { delayBeforeHead: "60 millis" })
          did.reviewsTooLate++
          return Reply.never
        }
      }
    })

    return { catalog, prices, reviews, did } as const
  })
}) {
  /** The stand-ins, and where they are. */
  static readonly Live = Layer.effect(
    Downstreams,
    Effect.map(StandIns, ({ catalog, prices, reviews }) => ({
      catalog: catalog.url,
      prices: prices.url,
      reviews: reviews.url,
      authority: catalog.ca
    }))
  ).pipe(Layer.provideMerge(StandIns.Default))
}
