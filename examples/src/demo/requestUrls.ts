import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import type { PoolStats } from "@sluice/core/PoolStats"
import * as TransportError from "@sluice/core/TransportError"
import { HttpClientLayer } from "@sluice/node"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { count } from "./Outcome.js"
import type { Terminal } from "./Terminal.js"

/** What one request showed. Times are milliseconds. */
export interface Visit {
  readonly status: number
  readonly location: string | undefined
  readonly size: number
  readonly connection: PooledHttpClient.ConnectionInfo
  /** From the call to the response head, connecting included. */
  readonly firstByte: number
  /** From the call to the last byte of the body. */
  readonly total: number
}

/** Requests a URL and reads its body, which it does not keep. */
export const visit = (
  url: string
): Effect.Effect<Visit, TransportError.TransportError, PooledHttpClient.PooledHttpClient> =>
  Effect.gen(function*() {
    const client = yield* PooledHttpClient.PooledHttpClient
    const [firstByte, response] = yield* Effect.timed(client.get(url))
    const [rest, size] = yield* response.stream.pipe(
      Stream.runFold(0, (size, bytes) => size + bytes.length),
      // Behind a body there is a TransportError too.
      Effect.catchAll((error) => Effect.flatMap(TransportError.fromHttpClientError(error), Effect.fail)),
      Effect.catchTag("NoSuchElementException", Effect.die),
      Effect.timed
    )
    return {
      status: response.status,
      location: response.headers["location"],
      size,
      connection: Option.getOrThrow(PooledHttpClient.connectionInfo(response)),
      firstByte: Duration.toMillis(firstByte),
      total: Duration.toMillis(Duration.sum(firstByte, rest))
    }
  })

/** Requests URLs one after the other with one client and shows each. False when one failed. */
export const requestUrls = (urls: ReadonlyArray<string>, terminal: Terminal): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const pool = yield* ConnectionPool.ConnectionPool
    const results = yield* Effect.forEach(urls, (url) =>
      Effect.gen(function*() {
        yield* terminal.status(`requesting ${url}`)
        const visited = yield* visit(url)
        yield* terminal.line(url)
        for (const line of describeVisit(visited)) yield* terminal.line(`  ${line}`)
        yield* terminal.line(`  ${describePool(pool.unsafeStats())}`)
        return true
      }).pipe(
        Effect.catchAll((error) => Effect.as(terminal.error(error.message), false))
      ))
    return results.every((succeeded) => succeeded)
  }).pipe(
    Effect.provide(HttpClientLayer.default),
    // The options are the defaults, which make sense.
    Effect.orDie
  )

const describeVisit = ({ connection, firstByte, location, size, status, total }: Visit): ReadonlyArray<string> => [
  `${status}${location === undefined ? "" : `, see ${location}`}, ${count(size)} bytes`,
  `${protocols[connection.protocol]} from ${connection.remoteAddress}, ${describeConnection(connection)}`,
  `first byte after ${millis(firstByte)}, all of it after ${millis(total)}`
]

const protocols = { "http/1.1": "HTTP/1.1", h2: "HTTP/2" } as const

const describeConnection = ({ connectTime, id, tlsTime }: PooledHttpClient.ConnectionInfo): string => {
  if (connectTime === undefined) return `connection ${id}, used again`
  const tls = tlsTime === undefined ? "" : `, ${millis(tlsTime)} of it for TLS`
  return `connection ${id}, made in ${millis(connectTime)}${tls}`
}

const describePool = (stats: PoolStats): string =>
  `pool: ${stats.active} active, ${stats.idle} idle, ${stats.waiting} waiting; ` +
  `${stats.permitsFree} of ${stats.maxConnections} permits free`

const millis = (n: number): string => n < 0.1 ? "less than a millisecond" : `${n.toFixed(1)} ms`
