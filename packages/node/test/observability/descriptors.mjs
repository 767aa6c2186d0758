// Uses up the descriptors of this process: see descriptors.test.ts. It runs what has been compiled.
import * as HttpClient from "@effect/platform/HttpClient"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as TransportError from "@sluice/core/TransportError"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { closeSync, openSync } from "node:fs"
import { argv } from "node:process"

const [, , url, named] = argv

/** The rest is taken: modules are loaded with more at once than this. */
const left = 24
const taken = []
try {
  while (taken.length < 10_000) taken.push(openSync("/dev/null", "r"))
} catch {}
for (const descriptor of taken.splice(0, left)) closeSync(descriptor)

const errorOf = (error) => Option.getOrThrow(TransportError.fromHttpClientError(error))

const program = Effect.gen(function*() {
  const pool = yield* ConnectionPool.ConnectionPool
  const get = (path) => Effect.either(Effect.flatMap(HttpClient.get(path), (response) => response.text))
  const failed = []
  const count = (result) => Effect.sync(() => void (Either.isLeft(result) && failed.push(errorOf(result.left))))
  const late = Effect.tap(get(`${url}/late`), count)
  const all = yield* Effect.fork(Effect.all(Effect.replicate(late, 80), { concurrency: "unbounded" }))
  yield* Effect.repeat(Effect.sleep(1), { until: () => failed.length === 80 - left })
  // Nothing is left for the look-up of a name either, by whoever.
  const byName = yield* get(`${named}/`)
  const ownNames = HttpClientLayer.layer({ resolve: "dns" })
  const byServer = yield* get("http://a.test/").pipe(Effect.provide(ownNames))
  // The server is told to respond.
  console.log("exhausted")
  const succeeded = (yield* Fiber.join(all)).filter(Either.isRight).length
  // What is idle gives its descriptor to whoever needs one.
  yield* pool.evictIdle
  const after = yield* get(`${named}/`)
  return {
    succeeded,
    failed: failed.map((error) => error.toJSON()),
    byName: byName.left && errorOf(byName.left).toJSON(),
    byServer: byServer.left && errorOf(byServer.left).toJSON(),
    after: after.right
  }
})

const report = await Effect.runPromise(
  Effect.provide(program, HttpClientLayer.layer({ timeouts: { pool: "1 minute" } }))
)
console.log(JSON.stringify(report))
