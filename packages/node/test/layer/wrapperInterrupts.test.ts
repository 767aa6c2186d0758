import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as Cookies from "@sluice/core/Cookies"
import * as Credentials from "@sluice/core/Credentials"
import { Interleavings, MemoryNetwork, settle } from "@sluice/core/testing"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { gzipSync } from "node:zlib"

/** A call with everything around it: a retry, a challenge, a redirect, cookies, a coded body. */
const respond = () => {
  let count = 0
  return (request: MemoryNetwork.Request): MemoryNetwork.Reply => {
    count++
    if (request.target === "/token") return { body: String(count) }
    if (count === 2) return { status: 503, headers: { "set-cookie": "a=1" } }
    if (count === 3) return { status: 401 }
    if (request.target === "/1") return { status: 307, headers: { location: "/2" } }
    return { headers: { "content-encoding": "gzip" }, body: gzipSync("done") }
  }
}

const call = (steps: number) =>
  Effect.gen(function*() {
    const reply = respond()
    const jar = yield* Cookies.make()
    const layer = HttpClientLayer.layerWithoutConnector({
      compress: "gzip",
      cookies: { jar },
      credentials: Effect.gen(function*() {
        const client = yield* HttpClient.HttpClient
        const login = client.post("http://a.test/token").pipe(
          Effect.flatMap((response) => response.text),
          Effect.map(Redacted.make)
        )
        return { "http://a.test": yield* Credentials.tokenSource(login) }
      }),
      redirects: true,
      retry: { base: 0 },
      limits: { maxConnections: 1 },
      timeouts: { total: "1 minute" }
    })
    return yield* Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const pool = yield* ConnectionPool.ConnectionPool
      const fiber = yield* client.put("http://a.test/1").pipe(
        Effect.flatMap((response) => response.text),
        Effect.fork
      )
      for (let step = 0; step < steps; step++) {
        yield* Effect.yieldNow()
      }
      const exit = yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 second")
      yield* settle
      const { active, dialing, leases, waiting } = pool.unsafeStats()
      assert.deepStrictEqual({ active, dialing, leases, waiting }, { active: 0, dialing: 0, leases: 0, waiting: 0 })
      // What was interrupted is in nobody's way: one connection is all that there is.
      const after = yield* Effect.fork(Effect.flatMap(client.get("http://a.test/2"), (response) => response.text))
      yield* TestClock.adjust("1 second")
      assert.isNotNull(after.unsafePoll(), `after ${steps} steps`)
      return exit._tag
    }).pipe(
      Effect.provide(
        Layer.provide(layer, MemoryNetwork.layer({ respond: (request) => Effect.sync(() => reply(request)) }))
      )
    )
  })

it.effect(
  "an interrupt at any step of a call with everything around it leaves nothing behind",
  () =>
    Effect.gen(function*() {
      let steps = 0
      while ((yield* call(steps)) === "Failure") steps++
      // Otherwise it was never interrupted in the middle of something.
      assert.isAbove(steps, 10)
    }),
  60_000
)

/** As a stream of Node looks to the client; it is never read, for the server does not want it. */
class OpenBody {
  readonly readableDidRead = false
  destroyed = false
  isOwned = false
  pipe() {}
  on() {}
  destroy() {
    this.destroyed = true
  }
  async *[Symbol.asyncIterator]() {}
}

const yields = (request: HttpClientRequest.HttpClientRequest) => Effect.as(Effect.yieldNow(), request)

it.effect.each<
  readonly [string, HttpClientLayer.ClientOptions, (client: HttpClient.HttpClient) => HttpClient.HttpClient]
>([
  [
    "everything around it",
    {
      redirects: true,
      decompress: false,
      retry: { attempt: "10 seconds" },
      timeouts: { total: "1 minute" },
      credentials: { "http://a.test": { authorize: yields } }
    },
    HttpClient.mapRequestEffect(yields)
  ],
  ["a transformer", {}, HttpClient.transform((response) => Effect.zipRight(Effect.yieldNow(), response))]
])("an open body is closed whenever its request is interrupted: %s", ([, options, around]) =>
  Effect.gen(function*() {
    const bodies: Array<OpenBody> = []
    const actor = Effect.gen(function*() {
      const client = HttpClient.mapRequest(yield* HttpClient.HttpClient, (request) => {
        ;(request.body as unknown as { readonly body: OpenBody }).body.isOwned = true
        return request
      })
      const body = new OpenBody()
      bodies.push(body)
      return yield* around(client).put("http://a.test/", {
        body: HttpBody.raw(body),
        headers: { expect: "100-continue" }
      })
    })
    const layer = HttpClientLayer.layerWithoutConnector({ ...options, expectContinueTimeout: "Infinity" })
    const { interleavings } = yield* Interleavings.explore({
      layer: Layer.provide(layer, MemoryNetwork.layer({ respond: () => Effect.succeed({ status: 413 }) })),
      actors: [actor],
      check: Effect.zipRight(
        Interleavings.atRest,
        Effect.suspend(() => {
          const left = bodies.splice(0).filter(({ destroyed, isOwned }) => isOwned && !destroyed)
          return left.length === 0 ? Effect.void : Effect.dieMessage(`${left.length} are open`)
        })
      ),
      random: 5
    })
    assert.isAbove(interleavings, 50)
  }))
