import * as HttpClient from "@effect/platform/HttpClient"
import { describe, it } from "@effect/vitest"
import * as Timeouts from "@sluice/core/Timeouts"
import * as TransportError from "@sluice/core/TransportError"
import * as Timeouts4 from "@sluice/core4/Timeouts"
import * as TransportError4 from "@sluice/core4/TransportError"
import { HttpClientLayer } from "@sluice/node"
import { HttpClientLayer as HttpClientLayer4 } from "@sluice/node4"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Effect4 from "effect4/Effect"
import * as HttpClient4 from "effect4/http/HttpClient"
import { strictEqual } from "node:assert"

describe("both faces in one process", () => {
  it.scopedLive("each has a pool of its own, and nothing of one is anything to the other", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok"), "/never": Reply.never } })
      const three = Effect.flatMap(HttpClient.get(`${server.url}/`), (response) => response.text).pipe(
        Effect.replicateEffect(10, { concurrency: "unbounded" }),
        Effect.provide(HttpClientLayer.layer({ limits: { maxConnections: 2 } }))
      )
      const four = Effect4.flatMap(HttpClient4.get(`${server.url}/`), (response) => response.text).pipe(
        Effect4.replicateEffect(10, { concurrency: "unbounded" }),
        Effect4.provide(HttpClientLayer4.layer({ limits: { maxConnections: 2 } }))
      )
      const [texts, texts4] = yield* Effect.all([three, Effect.promise(() => Effect4.runPromise(four))], {
        concurrency: "unbounded"
      })
      strictEqual(texts.join(), texts4.join())
      strictEqual((yield* server.stats).connectionsOpened, 4)

      const error = yield* Effect.flip(HttpClient.get(`${server.url}/never`)).pipe(
        Timeouts.locally({ read: 1 }),
        Effect.provide(HttpClientLayer.layer())
      )
      const error4 = yield* Effect.promise(() =>
        Effect4.runPromise(
          Effect4.flip(HttpClient4.get(`${server.url}/never`)).pipe(
            Timeouts4.locally({ read: 1 }),
            Effect4.provide(HttpClientLayer4.layer())
          )
        )
      )
      const { cause } = error
      const { cause: cause4 } = error4
      strictEqual(TransportError.isTransportError(cause) && cause._tag, "ReadTimeout")
      strictEqual(TransportError4.isTransportError(cause4) && cause4._tag, "ReadTimeout")
      strictEqual(TransportError.isTransportError(cause4) || TransportError4.isTransportError(cause), false)
      strictEqual((cause as Error).message, (cause4 as Error).message)
    }))
})
