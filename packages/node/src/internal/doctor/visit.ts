import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import * as TransportError from "@sluice/core/TransportError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

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
      // Behind a body there is a TransportError too, or one of decoding.
      Effect.catchAll((error) => Effect.flatMap(Effect.orDie(TransportError.fromHttpClientError(error)), Effect.fail)),
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

const protocols = { "http/1.1": "HTTP/1.1", h2: "HTTP/2" } as const

/** What came, and how long each part of it took, as bars. */
export const describeVisit = (
  { connection, firstByte, location, size, status, total }: Visit
): ReadonlyArray<string> => {
  const { connectTime = 0, id, protocol, remoteAddress, reused, tlsTime = 0, waitTime } = connection
  const from = remoteAddress === undefined ? "" : ` from ${remoteAddress}`
  const parts: ReadonlyArray<readonly [string, number]> = [
    ["waiting", Math.max(0, waitTime - connectTime)],
    ["connecting", connectTime - tlsTime],
    ["TLS", tlsTime],
    ["response", Math.max(0, firstByte - waitTime)],
    ["body", total - firstByte]
  ]
  return [
    `${status}${location === undefined ? "" : `, see ${location}`}, ${size} bytes`,
    `${protocols[protocol]}${from}, connection ${id}${reused ? ", used again" : ""}`,
    ...bars(parts, total)
  ]
}

/** How many characters the longest bar has. */
const width = 40

/** The parts one after the other; those that took nothing are left out. */
const bars = (parts: ReadonlyArray<readonly [string, number]>, total: number): ReadonlyArray<string> => {
  let before = 0
  return parts.filter(([, millis]) => millis > 0).map(([name, millis]) => {
    const start = Math.round(before / total * width)
    before += millis
    const length = Math.max(1, Math.round(before / total * width) - start)
    const bar = " ".repeat(Math.min(start, width - 1)) + "=".repeat(length)
    return `${name.padEnd(12)}|${bar.padEnd(width + 1)}${millis.toFixed(1)} ms`
  })
}
