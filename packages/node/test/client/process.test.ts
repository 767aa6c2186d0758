import type { HttpClient } from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { makeClient, settled, until } from "./support.js"
import { workerServer } from "./workerServer.js"

/** What keeps this process alive and may be ours. The server is in a thread of its own and does not count. */
const holding = () =>
  process.getActiveResourcesInfo().filter((kind) => /^(TCP|TLS|Pipe|Timeout|GetAddr)/.test(kind)).sort()

/** Nothing of these ends by itself while the test lasts. */
const patient = {
  limits: { keepAliveExpiry: "10 minutes", maxConnectionAge: "1 hour" },
  timeouts: { pool: "10 minutes", connect: "10 minutes", headers: "10 minutes", read: "10 minutes" }
} as const

const textOf = (client: HttpClient, url: string) => Effect.flatMap(client.get(url), (response) => response.text)

describe.each(["http", "https"])("A process that has nothing to do (%s)", (scheme) => {
  const start = Effect.gen(function*() {
    const server = yield* workerServer(scheme === "https", {})
    const made = yield* makeClient({ ...patient, tls: { ca: server.ca } })
    return { ...made, server, before: holding() }
  })

  it.scopedLive("is not kept by an idle connection, nor by a timeout that nobody waits for", () =>
    Effect.gen(function*() {
      const { before, client, pool, server } = yield* start
      yield* Effect.all(Effect.replicate(textOf(client, `${server.url}/second`), 5), { concurrency: "unbounded" })
      assert.strictEqual((yield* settled(pool)).idle, 5)
      yield* until(() => holding().length <= before.length)
      assert.strictEqual(pool.unsafeStats().idle, 5)
    }))

  it.scopedLive("is kept while a request waits for its response, and no longer", () =>
    Effect.gen(function*() {
      const { before, client, pool, server } = yield* start
      yield* textOf(client, `${server.url}/second`)
      yield* until(() => holding().length <= before.length)
      const idle = holding()
      const upload = HttpClientRequest.post(`${server.url}/second`).pipe(HttpClientRequest.bodyStream(Stream.never))
      const request = yield* Effect.fork(client.execute(upload))
      yield* until(() => pool.unsafeStats().leases === 1)
      assert.isAbove(holding().length, idle.length)
      yield* Fiber.interrupt(request)
      yield* until(() => holding().length <= before.length)
    }))

  it.scopedLive("is not kept by a connection that was refused", () =>
    Effect.gen(function*() {
      const { before, client, pool } = yield* start
      yield* Effect.exit(client.get(`${scheme}://127.0.0.1:1/`))
      yield* settled(pool)
      yield* until(() => holding().length <= before.length)
    }))
})
