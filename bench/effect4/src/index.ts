/**
 * The contenders that need Effect 4. Each is opened as `OpenClient` of the benchmark says it.
 */
import { HttpClientLayer } from "@sluice/node4"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"

interface Settings {
  readonly url: string
  readonly connections: number
  readonly body: Uint8Array | undefined
  readonly traces: string | undefined
}

interface Meter {
  readonly more: () => boolean
  readonly begin: () => number
  readonly end: (begun: number, body: unknown) => void
}

interface Client {
  readonly load: (meter: Meter, workers: number) => Promise<void>
  readonly close: () => Promise<void>
}

/** A tracer that makes spans and sends them, in batches and by a client of its own; the same for every contender. */
const tracer = (url: string) =>
  OtlpTracer.layer({ url, resource: { serviceName: "bench" }, exportInterval: "500 millis" }).pipe(
    Layer.provide([FetchHttpClient.layer, OtlpSerialization.layerJson])
  )

/** An `HttpClient.HttpClient` at work, whoever made it: written as a user of Effect writes it. */
const open = async <E>(
  layer: Layer.Layer<HttpClient.HttpClient, E>,
  { body, traces, url }: Settings
): Promise<Client> => {
  const runtime = ManagedRuntime.make(traces === undefined ? layer : Layer.provideMerge(layer, tracer(traces)))
  const client = await runtime.runPromise(HttpClient.HttpClient)
  const send = body === undefined
    ? () => client.get(url)
    : () => client.post(url, { body: HttpBody.uint8Array(body, "application/octet-stream") })
  const loop = (meter: Meter) =>
    Effect.gen(function*() {
      while (meter.more()) {
        const begun = meter.begin()
        const response = yield* send()
        meter.end(begun, yield* response.text)
      }
    })
  return {
    load: (meter, workers) =>
      runtime.runPromise(
        Effect.all(Array.from({ length: workers }, () => loop(meter)), { concurrency: "unbounded", discard: true })
      ),
    close: () => runtime.dispose()
  }
}

export const openSluice = (settings: Settings): Promise<Client> =>
  open(
    HttpClientLayer.layer({
      limits: { maxConnections: settings.connections, maxKeepAliveConnections: settings.connections },
      // The peers wait as long as it takes for a connection, or for a response that never comes.
      timeouts: { pool: "10 minutes", read: "10 minutes" },
      http2: false
    }),
    settings
  )

export const openFetch = (settings: Settings): Promise<Client> => open(FetchHttpClient.layer, settings)

/** They need Node 22.19: imported by who asks for them. */
const nodeLayers = () => import("@effect/platform-node/NodeHttpClient")

export const openUndici = async (settings: Settings): Promise<Client> =>
  open((await nodeLayers()).layerUndiciOptions({ connections: settings.connections }), settings)

export const openNode = async (settings: Settings): Promise<Client> =>
  open((await nodeLayers()).layerNodeHttpOptions({ keepAlive: true, maxSockets: settings.connections }), settings)

/** `request` and `body.text()` over a Pool of undici 8, without Effect. */
export const openBareUndici = async ({ body, connections, url }: Settings): Promise<Client> => {
  const { Pool } = await import("undici")
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin, { connections })
  const once = body === undefined
    ? async () => (await pool.request({ method: "GET", path })).body.text()
    : async () => (await pool.request({ method: "POST", path, body })).body.text()
  const loop = async (meter: Meter) => {
    while (meter.more()) {
      const begun = meter.begin()
      meter.end(begun, await once())
    }
  }
  return {
    load: async (meter, workers) => {
      await Promise.all(Array.from({ length: workers }, () => loop(meter)))
    },
    close: () => pool.destroy()
  }
}
