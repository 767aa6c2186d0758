import type { HttpClient } from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { makeClient, pattern, recordEvents, settled, turns } from "../support.js"
import { type Daemon, daemons, keepAliveRequests, start } from "./daemons.js"

/** Sends a body, and gives back what the server made of it. */
const upload = (
  client: HttpClient,
  url: string,
  { method, path }: Daemon["upload"],
  name: string,
  set: (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest
) =>
  Effect.gen(function*() {
    const target = method === "PUT" ? `${url}${path}/${name}` : `${url}${path}`
    const response = yield* client.execute(set(HttpClientRequest.make(method)(target)))
    assert.isBelow(response.status, 300)
    return method === "PUT"
      ? yield* Effect.flatMap(client.get(target), (response) => response.arrayBuffer)
      : yield* response.arrayBuffer
  })

const small = (client: HttpClient, url: string) =>
  Effect.flatMap(client.get(`${url}/small.txt`), (response) => response.text)

for (const daemon of daemons) {
  const reason = daemon.command === undefined ? " (skipped: not installed here)" : ""
  describe.skipIf(daemon.command === undefined)(`${daemon.name}${reason}`, () => {
    it.scoped("GET, HEAD, a missing page, a large file, and bodies with and without a length", () =>
      Effect.gen(function*() {
        const { url } = yield* start(daemon)
        const { client, pool } = yield* makeClient()
        assert.strictEqual(yield* small(client, url), "small")
        const head = yield* client.head(`${url}/large.bin`)
        assert.strictEqual(head.headers["content-length"], String(3 << 20))
        const missing = yield* client.get(`${url}/missing`)
        assert.strictEqual(missing.status, 404)
        yield* missing.text
        const large = yield* client.get(`${url}/large.bin`)
        assert.strictEqual((yield* large.arrayBuffer).byteLength, 3 << 20)
        const bodies = {
          text: HttpClientRequest.bodyText("some text"),
          bytes: HttpClientRequest.bodyUint8Array(pattern(300_000)),
          chunked: HttpClientRequest.bodyStream(Stream.make(pattern(100_000), pattern(200_000)))
        }
        const expected = {
          text: Buffer.from("some text"),
          bytes: pattern(300_000),
          chunked: Buffer.concat([pattern(100_000), pattern(200_000)])
        }
        for (const name of ["text", "bytes", "chunked"] as const) {
          for (const expect of [false, true]) {
            const set = (request: HttpClientRequest.HttpClientRequest) =>
              expect
                ? HttpClientRequest.setHeader(bodies[name](request), "expect", "100-continue")
                : bodies[name](request)
            const received = yield* upload(client, url, daemon.upload, `${name}-${expect}`, set)
            assert.isTrue(Buffer.from(received).equals(expected[name]), `${name}, expect: ${expect}`)
          }
        }
        yield* settled(pool)
      }))

    it.scoped("its limit of requests for a connection is met without a loss and without a repetition", () =>
      Effect.gen(function*() {
        const { url } = yield* start(daemon)
        const { client, pool } = yield* makeClient({ limits: { maxConnections: 4 } })
        const events = yield* recordEvents(pool)
        const texts = yield* Effect.all(Effect.replicate(small(client, url), 200), { concurrency: 8 })
        assert.isTrue(texts.every((text) => text === "small"))
        // It announces its last response, so nothing is sent after it.
        assert.lengthOf(yield* events("Retried"), 0)
        yield* settled(pool)
        const served = (yield* events("Closed")).map((event) => event._tag === "Closed" ? event.requests : 0)
        assert.include(served, keepAliveRequests)
        assert.isTrue(served.every((requests) => requests <= keepAliveRequests))
      }))

    it.scoped("reloaded while busy, it loses no request that was safe to retry", () =>
      Effect.gen(function*() {
        const { reload, url } = yield* start(daemon)
        const { client, pool } = yield* makeClient({ limits: { maxConnections: 8 } })
        yield* small(client, url)
        for (let round = 0; round < 3; round++) {
          const busy = yield* Effect.fork(
            Effect.all(Effect.replicate(small(client, url), 300), { concurrency: 8 })
          )
          yield* turns(20)
          yield* reload
          const texts = yield* busy
          assert.isTrue(texts.every((text) => text === "small"))
        }
        yield* settled(pool)
      }))
  })
}
