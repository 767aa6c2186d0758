// Waits, in a process whose wall clock is set while it waits: see steppedClock.test.ts. It runs what has been compiled.
import * as HttpClient from "@effect/platform/HttpClient"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as TransportError from "@sluice/core/TransportError"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import * as net from "node:net"
import process from "node:process"

const [, , file, step] = process.argv
const monotonic = () => Number(process.hrtime.bigint()) / 1e6

const server = net.createServer((socket) => {
  socket.on("error", () => {})
  socket.on("data", (bytes) => {
    if (bytes.toString("latin1").startsWith("GET /ok")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
  })
}).listen(0, "127.0.0.1")

const timeouts = { pool: "Infinity", connect: "Infinity", headers: "Infinity", read: "Infinity" }

/** What it failed with, and after how long. */
const ending = (options, use) =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const pool = yield* ConnectionPool.ConnectionPool
    const url = `http://127.0.0.1:${server.address().port}`
    const start = monotonic()
    const outcome = yield* use(client, url, pool).pipe(
      Effect.as("done"),
      Effect.catchAll((error) =>
        Effect.succeed(Option.match(TransportError.fromHttpClientError(error), {
          onNone: () => String(error),
          onSome: (failure) => failure._tag
        }))
      )
    )
    return { outcome, took: monotonic() - start }
  }).pipe(Effect.provide(HttpClientLayer.layer(options)))

const silent = (client, url) => Effect.flatMap(client.get(url), (response) => response.text)

const program = Effect.all({
  read: ending({ timeouts: { ...timeouts, read: 1_000 } }, silent),
  headers: ending({ timeouts: { ...timeouts, headers: 1_000 } }, silent),
  total: ending({ timeouts: { ...timeouts, total: 1_000 } }, silent),
  pool: ending(
    { limits: { maxConnections: 1 }, timeouts: { ...timeouts, pool: 1_000 } },
    (client, url) => Effect.raceFirst(silent(client, url), Effect.zipRight(Effect.yieldNow(), silent(client, url)))
  ),
  expiry: ending(
    { limits: { keepAliveExpiry: 1_000 }, timeouts },
    (client, url, pool) =>
      Effect.zipRight(
        silent(client, `${url}/ok`),
        Effect.repeat(Effect.sleep(10), { until: () => pool.unsafeStats().open === 0 })
      )
  )
}, { concurrency: "unbounded" })

await once(server, "listening")
const before = Date.now()
setTimeout(() => writeFileSync(file, step), 300)
const results = await Effect.runPromise(program)
console.log(JSON.stringify({ stepped: Date.now() - before, results }))
process.exit(0)
