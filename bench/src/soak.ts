import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { ConnectionPool } from "@sluice/core"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { slopeOf } from "./soak/slope.js"

// Requests without pause over real sockets, and what grows meanwhile: descriptors, memory, permits.
//
//   npm run soak -- [--minutes 5]
//
// It fails when one of them does. Three servers of HTTP/1.1 and one of HTTP/2 stand in a process of their own; they share
// fewer connections than they want. Some requests are interrupted, some bodies are never read, some connections end
// unannounced.

const args = process.argv.slice(2)
const minutes = Number(args[args.indexOf("--minutes") + 1] ?? 5) || 5
const maxConnections = 12
const clients = 48
/** How often it is looked at what has grown, in milliseconds. */
const interval = 2_000

/** What an hour may add at most, as far as can be said with 97.5 % confidence. */
const bounds = { descriptors: 30, "RSS, MiB": 120, "heap, MiB": 60 } as const

const server = `
const http = require("node:http"), http2 = require("node:http2")
const large = Buffer.alloc(400_000, "x")
let n = 0
const respond = (request, response) => {
  request.on("error", () => {}).resume()
  response.on("error", () => {})
  const { url } = request
  if (url === "/large") response.end(large)
  else if (url === "/endless") response.write("begun")
  else if (url === "/slow") setTimeout(() => response.end("slow"), 20)
  else if (url === "/dies" && request.httpVersion === "1.1" && n++ % 3 === 0) request.socket.destroy()
  else if (url === "/closes" && request.httpVersion === "1.1") response.setHeader("connection", "close").end("bye")
  else response.end("ok")
}
const all = [http.createServer(respond), http.createServer(respond), http.createServer(respond), http2.createServer(respond)]
let listening = 0
for (const each of all) {
  each.on("error", () => {}).listen(0, "127.0.0.1", () => {
    if (++listening === all.length) console.log(JSON.stringify(all.map((_) => _.address().port)))
  })
}
process.stdin.resume().on("end", () => process.exit(0))
`

const child = spawn(process.execPath, ["-e", server], { stdio: ["pipe", "pipe", "inherit"] })
const [line] = await once(child.stdout, "data")
const ports = JSON.parse(String(line)) as ReadonlyArray<number>

/** Each takes its turn; what it fails with is as it should be. */
const kinds: ReadonlyArray<(client: HttpClient.HttpClient, url: string) => Effect.Effect<unknown, unknown>> = [
  (client, url) => Effect.flatMap(client.get(`${url}/`), (_) => _.text),
  (client, url) => Effect.flatMap(client.get(`${url}/slow`), (_) => _.text),
  (client, url) => Effect.flatMap(client.get(`${url}/large`), (_) => Stream.runDrain(_.stream)),
  (client, url) => client.execute(HttpClientRequest.post(`${url}/`).pipe(HttpClientRequest.bodyText("a body"))),
  // Interrupted in the middle.
  (client, url) => Effect.timeout(Effect.flatMap(client.get(`${url}/slow`), (_) => _.text), 10),
  (client, url) => Effect.timeout(Effect.flatMap(client.get(`${url}/endless`), (_) => _.text), 15),
  // Never read.
  (client, url) => client.get(`${url}/large`),
  (client, url) => client.get(`${url}/endless`),
  (client, url) => Effect.flatMap(client.get(`${url}/dies`), (_) => _.text),
  (client, url) => Effect.flatMap(client.get(`${url}/closes`), (_) => _.text)
]

interface Sample {
  readonly at: number
  readonly descriptors: number
  readonly "RSS, MiB": number
  readonly "heap, MiB": number
}

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

const look = (at: number): Sample => {
  collectGarbage()
  const { heapUsed, rss } = process.memoryUsage()
  return {
    at,
    descriptors: readdirSync("/proc/self/fd").length,
    "RSS, MiB": rss / 2 ** 20,
    "heap, MiB": heapUsed / 2 ** 20
  }
}

const problems: Array<string> = []
const start = performance.now()
const end = start + minutes * 60_000
let requests = 0
let failed = 0

/** Requests to these servers until the end; then nothing is lent, and all permits are there or are an idle connection's. */
const load = (ports: ReadonlyArray<number>, options: HttpClientLayer.Options) =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const pool = yield* ConnectionPool.ConnectionPool
    const request = Effect.suspend(() => {
      const n = requests++
      const one = kinds[Math.floor(n / 7) % kinds.length](client, `http://127.0.0.1:${ports[n % ports.length]}`)
      return Effect.catchAll(one, () => Effect.sync(() => void failed++))
    })
    const counted = Effect.sync(() => {
      const { open, permitsFree } = pool.unsafeStats()
      if (open + permitsFree !== maxConnections) problems.push(`${open} connections open, ${permitsFree} permits free`)
    })
    const all = Effect.all(
      Effect.replicate(Effect.repeat(request, { while: () => performance.now() < end }), clients),
      { concurrency: "unbounded", discard: true }
    )
    yield* Effect.raceFirst(all, Effect.forever(Effect.zipRight(Effect.sleep(interval), counted)))
    // The unread ones go with their pool.
    yield* Effect.sleep("6 seconds")
    const { leases, waiting } = pool.unsafeStats()
    if (waiting > 0 || leases > maxConnections * kinds.length) {
      problems.push(`${leases} leases, ${waiting} waiting at the end`)
    }
  }).pipe(
    Effect.provide(Layer.fresh(HttpClientLayer.layer({
      limits: { maxConnections },
      timeouts: { pool: "2 seconds", read: "5 seconds" },
      unreadBodyGrace: "50 millis",
      ...options
    })))
  )

const report = (samples: ReadonlyArray<Sample>): void => {
  console.log(`${requests} requests, ${failed} of them failed as they may`)
  // The first third is the compiler's, and the pool's until it is full.
  const steady = samples.slice(Math.floor(samples.length / 3))
  for (const [name, bound] of Object.entries(bounds)) {
    const valueOf = (sample: Sample) => sample[name as keyof typeof bounds]
    const { high, low, slope } = slopeOf(steady.map((sample) => [sample.at, valueOf(sample)]))
    const now = valueOf(steady[steady.length - 1]).toFixed(1)
    console.log(`${name}: ${slope.toFixed(1)} an hour (${low.toFixed(1)} to ${high.toFixed(1)}), now ${now}`)
    if (low > bound) problems.push(`${name} grows by at least ${low.toFixed(1)} an hour`)
  }
}

const before = readdirSync("/proc/self/fd").length
const samples: Array<Sample> = []
const watching = setInterval(() => {
  if (performance.now() < end) samples.push(look((performance.now() - start) / 3_600_000))
}, interval)
await Effect.runPromise(Effect.all([
  load(ports.slice(0, -1), { http2: false }),
  load(ports.slice(-1), { http2: "prior-knowledge" })
], { concurrency: "unbounded" }))
clearInterval(watching)
report(samples)
const after = readdirSync("/proc/self/fd").length
if (after > before) problems.push(`${after - before} descriptors are left when the layer is closed`)
child.stdin.end()
for (const problem of new Set(problems)) console.log(`PROBLEM: ${problem}`)
console.log(problems.length === 0 ? "Nothing grows." : "Something grows.")
process.exitCode = problems.length === 0 ? 0 : 1
