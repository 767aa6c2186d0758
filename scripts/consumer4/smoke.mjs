// What a program with Effect 4 does with the packages. The server is Node's own. It prints "ok" last.
import * as ConnectionPool from "@sluice/core4/ConnectionPool"
import * as Timeouts from "@sluice/core4/Timeouts"
import * as TransportError from "@sluice/core4/TransportError"
import { HttpClientLayer } from "@sluice/node4"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import assert from "node:assert"
import { createServer } from "node:http"

let asked = 0

const server = createServer((request, response) => {
  switch (request.url) {
    case "/old":
      return response.writeHead(302, { location: "/hello" }).end()
    case "/busy":
      return response.writeHead(asked++ === 0 ? 503 : 200).end("at last")
    case "/never":
      return
    default:
      return response.end("hello")
  }
})
await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)))
const { port } = /** @type {import("node:net").AddressInfo} */ (server.address())
const url = `http://127.0.0.1:${port}`

/** @param {string} path */
const text = (path) => Effect.flatMap(HttpClient.get(`${url}${path}`), (response) => response.text)

const program = Effect.gen(function*() {
  assert.strictEqual(yield* text("/hello"), "hello")
  const many = yield* Effect.forEach(Array.from({ length: 20 }), () => text("/hello"), { concurrency: "unbounded" })
  assert.strictEqual(many.join(""), "hello".repeat(20))
  assert.strictEqual(yield* text("/old"), "hello")
  assert.strictEqual(yield* text("/busy"), "at last")
  const silence = yield* text("/never").pipe(
    Timeouts.locally({ read: "50 millis" }),
    TransportError.catchTag("ReadTimeout", (error) => Effect.succeed(error._tag))
  )
  assert.strictEqual(silence, "ReadTimeout")
  const pool = yield* ConnectionPool.ConnectionPool
  assert.strictEqual((yield* pool.stats).leases, 0)
})

await Effect.runPromise(Effect.provide(
  program,
  HttpClientLayer.layer({ redirects: true, retry: { times: 2, base: "1 millis" }, limits: { maxConnections: 4 } })
))
server.closeAllConnections()
server.close()
console.log("ok")
