import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import type { Client, ClientSettings } from "../Client.js"
import type { Meter } from "../Meter.js"
import { chunks } from "./body.js"
import { distinctHeaders } from "./distinct.js"

const contentType = "application/octet-stream"

/** A tracer that makes spans and sends them, in batches and by a client of its own; the same for every contender. */
const tracer = async (url: string) => {
  const [{ layer: fetch }, { layerJson }, OtlpTracer] = await Promise.all([
    import("@effect/platform/FetchHttpClient"),
    import("@effect/opentelemetry/OtlpSerialization"),
    import("@effect/opentelemetry/OtlpTracer")
  ])
  const options = { url, resource: { serviceName: "bench" }, exportInterval: "500 millis" } as const
  return OtlpTracer.layer(options).pipe(Layer.provide([fetch, layerJson]))
}

/** An `HttpClient.HttpClient` at work, whoever made it: written as a user of Effect writes it. */
export const open = async <R, E>(
  layer: Layer.Layer<HttpClient.HttpClient | R, E>,
  { body, distinct, traces, url }: ClientSettings
): Promise<Client> => {
  const traced = traces === undefined ? layer : Layer.provideMerge(layer, await tracer(traces))
  const runtime = ManagedRuntime.make(traced)
  const client = await runtime.runPromise(HttpClient.HttpClient)

  const send = distinct === true
    ? () => client.get(url, { headers: distinctHeaders() })
    : body === undefined
    ? () => client.get(url)
    : () => client.post(url, { body: HttpBody.uint8Array(body, contentType) })

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
    download: (url) =>
      runtime.runPromise(
        client.get(url).pipe(
          Effect.flatMap((response) => Stream.runFold(response.stream, 0, (size, chunk) => size + chunk.length))
        )
      ),
    upload: (url, chunk, count) =>
      runtime.runPromise(
        client.post(url, {
          body: HttpBody.stream(Stream.fromIterable(chunks(chunk, count)), contentType, chunk.length * count)
        }).pipe(
          Effect.flatMap((response) => response.text),
          Effect.asVoid
        )
      ),
    hold: (url, count) => {
      for (let i = 0; i < count; i++) runtime.runFork(client.get(url))
    },
    close: () => runtime.dispose()
  }
}
