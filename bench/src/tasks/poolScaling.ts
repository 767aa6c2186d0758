import * as HttpClient from "@effect/platform/HttpClient"
import { ConnectionPool } from "@sluice/core/ConnectionPool"
import { Connector } from "@sluice/core/Connector"
import * as Origin from "@sluice/core/Origin"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { Job, Measurement } from "../Suite.js"
import * as memoryConnector from "./memoryConnector.js"

export interface PoolJob extends Job {
  readonly task: "pool"
  readonly connections: number
  readonly fibers: number
  readonly origins: number
  /** Idle connections, to origins that nobody asks for. */
  readonly idle: number
  /** Requests that wait all the time, for connections of another origin that never come back. */
  readonly standing: number
  readonly duration: number
}

/** Requests through client and pool for a fixed time, in as many fibers as wanted. */
export const measureScaling = (job: PoolJob): Promise<Measurement> => {
  const busy = job.standing > 0 ? 2 * job.connections : job.connections
  const options = {
    limits: {
      maxConnections: busy + job.idle,
      maxKeepAliveConnections: busy + job.idle,
      maxConnectionsPerOrigin: job.connections,
      keepAliveExpiry: "10 minutes"
    },
    timeouts: { pool: "10 minutes", read: "10 minutes" }
  } as const
  const layer = HttpClientLayer.layerWithoutConnector(options).pipe(
    Layer.provide(Layer.sync(Connector, memoryConnector.make))
  )
  const urls = Array.from({ length: job.origins }, (_, i) => `http://origin-${i}.test/`)

  const program = Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const pool = yield* ConnectionPool
    for (let opened = 0; opened < job.idle; opened += job.connections) {
      const origin = Either.getOrThrow(Origin.make(`http://idle-${opened}.test/`))
      yield* pool.warm(origin, Math.min(job.connections, job.idle - opened))
    }
    if (job.standing > 0) {
      const held = Effect.fork(client.get(`http://${memoryConnector.silentHost}/`))
      yield* Effect.replicateEffect(held, job.connections + job.standing, { discard: true })
      while (pool.unsafeStats().waiting < job.standing) yield* Effect.yieldNow()
    }
    const load = (duration: number, atLeast: number) => {
      let count = 0
      const begun = performance.now()
      const until = begun + duration
      // The clock is read once in a while: reading it costs a share of what is measured.
      let over = false
      const loop = (fiber: number) =>
        Effect.gen(function*() {
          for (let i = fiber; !over; i++) {
            const response = yield* client.get(urls[i % urls.length])
            yield* response.text
            if (++count % 64 !== 0) continue
            const now = performance.now()
            over = now >= until && (count >= atLeast || now >= until + 4 * duration)
          }
        })
      const fibers = Array.from({ length: job.fibers }, (_, i) => loop(i))
      return Effect.all(fibers, { concurrency: "unbounded", discard: true }).pipe(
        Effect.map(() => ({ count, elapsed: performance.now() - begun }))
      )
    }
    // The compiler counts calls, not time.
    yield* load(job.duration / 2, 50_000)
    const cpu = process.cpuUsage()
    const { count, elapsed } = yield* load(job.duration, 0)
    const used = process.cpuUsage(cpu)
    return { cpu: (used.user + used.system) / count, rate: count / (elapsed / 1000) }
  })
  return Effect.runPromise(Effect.provide(program, layer))
}
