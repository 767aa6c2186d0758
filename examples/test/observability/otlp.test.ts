import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import { HttpClientLayer } from "@sluice/node"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { otlp } from "../../src/observability/otlp.js"

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number; readonly doubleValue?: number }
}

interface Span {
  readonly name: string
  readonly kind: number
  readonly status: { readonly code: number }
  readonly attributes: ReadonlyArray<Attribute>
}

interface Metric {
  readonly name: string
  readonly unit: string
  readonly histogram?: { readonly dataPoints: ReadonlyArray<{ readonly attributes: ReadonlyArray<Attribute> }> }
}

/** A collector of OTLP over HTTP, in JSON: it keeps what it is sent. */
const collector = Effect.acquireRelease(
  Effect.async<
    { readonly url: string; readonly spans: Array<Span>; readonly metrics: Array<Metric>; readonly close: () => void }
  >(
    (resume) => {
      const spans: Array<Span> = []
      const metrics: Array<Metric> = []
      const server = http.createServer(async (request, response) => {
        const parts: Array<Buffer> = []
        for await (const part of request) parts.push(part as Buffer)
        const body = JSON.parse(Buffer.concat(parts).toString()) as {
          readonly resourceSpans?: ReadonlyArray<
            { readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }> }
          >
          readonly resourceMetrics?: ReadonlyArray<{
            readonly scopeMetrics: ReadonlyArray<{ readonly metrics: ReadonlyArray<Metric> }>
          }>
        }
        for (const { scopeSpans } of body.resourceSpans ?? []) spans.push(...scopeSpans.flatMap((_) => _.spans))
        for (const { scopeMetrics } of body.resourceMetrics ?? []) {
          metrics.push(...scopeMetrics.flatMap((_) => _.metrics))
        }
        response.end("{}")
      }).listen(0, "127.0.0.1", () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        resume(Effect.succeed({ url, spans, metrics, close: () => server.close() }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

const attributesOf = (attributes: ReadonlyArray<Attribute>): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** Looks every 50 ms of real time: the exporters have intervals of their own. */
const eventually = (holds: () => boolean, what: string) =>
  Effect.suspend(() => holds() ? Effect.void : Effect.fail(what)).pipe(
    Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 400 }),
    Effect.orDieWith((what) => new Error(what))
  )

describe("OTLP", () => {
  it.scopedLive("spans of requests that got no connection arrive while the pool is full", () =>
    Effect.gen(function*() {
      const sink = yield* collector
      const gate = yield* Gate.make
      yield* Effect.addFinalizer(() => gate.open)
      const server = yield* TestServer.make({
        replies: {
          "/": Reply.text("ok"),
          "/hold": Reply.text("ok", { hold: gate }),
          "/503": Reply.empty({ status: 503 })
        }
      })
      const client = HttpClientLayer.layer({
        name: "otlp",
        limits: { maxConnections: 3 },
        timeouts: { pool: "50 millis" },
        reserved: { origins: [sink.url], connections: 1 }
      })
      const live = otlp({ collector: sink.url, serviceName: "example", interval: "100 millis" }).pipe(
        Layer.provideMerge(client)
      )
      yield* Effect.gen(function*() {
        const get = (path: string) => HttpClient.get(`${server.url}${path}`)
        yield* get("/")
        yield* get("/503")
        yield* Effect.forkScoped(get("/hold"))
        yield* Effect.forkScoped(get("/hold"))
        yield* gate.awaitHeld(2)
        yield* Effect.forEach(Array.from({ length: 8 }), () => Effect.flip(get("/")), { concurrency: "unbounded" })
        const refused = () => sink.spans.filter((span) => attributesOf(span.attributes)["error.type"] === "PoolTimeout")
        yield* eventually(() => refused().length === 8, "8 spans of PoolTimeout")
        // Two connections are held still: nobody let the exporter in.
        assert.strictEqual((yield* server.stats).activeRequests, 2)
        const [span] = refused()
        assert.deepStrictEqual([span.name, span.kind, span.status.code], ["http.client GET", 3, 2])
        const failed = sink.spans.find((span) => attributesOf(span.attributes)["error.type"] === "503")
        assert.strictEqual(failed?.status.code, 2)
        yield* eventually(
          () => sink.metrics.some(({ name }) => name === "http.client.request.duration"),
          "the duration of requests"
        )
        const units = Object.fromEntries(sink.metrics.map(({ name, unit }) => [name, unit]))
        assert.strictEqual(units["http.client.request.duration"], "s")
        assert.strictEqual(units["sluice.client.connection.wait_time"], "s")
        assert.strictEqual(units["http.client.open_connections"], "{connection}")
        yield* eventually(() =>
          sink.metrics.some(({ histogram, name }) =>
            name === "http.client.request.duration" &&
            histogram?.dataPoints.some(({ attributes }) => attributesOf(attributes)["error.type"] === "PoolTimeout")
          ), "durations of PoolTimeout")
      }).pipe(Effect.scoped, Effect.provide(live))
    }), 30_000)
})
