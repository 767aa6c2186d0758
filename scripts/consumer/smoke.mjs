// What a program that has installed the packages does with them. It runs on Node, Bun and Deno, and prints "ok" last.
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as Timeouts from "@sluice/core/Timeouts"
import * as TransportError from "@sluice/core/TransportError"
import { HttpClientLayer } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const size = 1024 * 1024

const replies = {
  "/hello": Reply.text("hello"),
  "/old": Reply.empty({ status: 302, headers: { location: "/hello" } }),
  "/busy": [Reply.empty({ status: 503 }), Reply.text("at last")],
  "/large": Reply.size(size),
  "/echo": Reply.echo(),
  "/never": Reply.never
}

/** @type {(name: string, actual: unknown, expected: unknown) => Effect.Effect<void>} */
const same = (name, actual, expected) =>
  actual === expected
    ? Effect.sync(() => console.log(`  ${name}`))
    : Effect.die(new Error(`${name}: ${JSON.stringify(actual)}, and not ${JSON.stringify(expected)}`))

/** @param {string} url */
const text = (url) => Effect.flatMap(HttpClient.get(url), (response) => response.text)

const body = Stream.make(new Uint8Array([104, 101]), new Uint8Array([108, 108, 111]))

/**
 * @param {string} name
 * @param {TestServer.Options} options
 */
const round = (name, options) =>
  Effect.gen(function*() {
    console.log(name)
    const server = yield* TestServer.make({ ...options, replies })
    yield* Effect.gen(function*() {
      yield* same("GET", yield* text(`${server.url}/hello`), "hello")
      yield* same(
        "twenty at once",
        (yield* Effect.all(
          Array.from({ length: 20 }, () => text(`${server.url}/hello`)),
          { concurrency: "unbounded" }
        )).join(""),
        "hello".repeat(20)
      )
      yield* same("redirect", yield* text(`${server.url}/old`), "hello")
      yield* same("retry", yield* text(`${server.url}/busy`), "at last")
      const large = yield* HttpClient.get(`${server.url}/large`)
      yield* same("a large body", (yield* large.arrayBuffer).byteLength, size)
      const echoed = yield* HttpClient.execute(
        HttpClientRequest.post(`${server.url}/echo`).pipe(HttpClientRequest.bodyStream(body))
      )
      yield* same("a stream up", yield* echoed.text, "hello")
      const silence = yield* text(`${server.url}/never`).pipe(
        Timeouts.locally({ read: "50 millis" }),
        TransportError.catchTag("ReadTimeout", (error) => Effect.succeed(error._tag))
      )
      yield* same("a timeout", silence, "ReadTimeout")
      const pool = yield* ConnectionPool.ConnectionPool
      yield* same("no lease is left", (yield* pool.stats).leases, 0)
    }).pipe(Effect.provide(HttpClientLayer.layer({
      redirects: true,
      retry: { times: 2, base: "1 millis" },
      limits: { maxConnections: 4 },
      ...server.ca === undefined ? {} : { tls: { ca: server.ca } }
    })))
  }).pipe(Effect.scoped)

const rounds = {
  "http1": () => round("HTTP/1.1", {}),
  "https": () => round("HTTPS", { tls: true }),
  "http2": () => round("HTTP/2", { tls: true, http2: true })
}

const asked = process.argv.slice(2)
for (const [name, run] of Object.entries(rounds)) {
  if (asked.length === 0 || asked.includes(name)) await Effect.runPromise(run())
}
console.log("ok")
