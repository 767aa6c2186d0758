import type { ConnectionPool, Options as PoolOptions } from "@sluice/core4/ConnectionPool"
import type { Connector } from "@sluice/core4/Connector"
import type { InvalidOptions } from "@sluice/core4/InvalidOptions"
import type { Limits } from "@sluice/core4/Limits"
import * as PooledHttpClient from "@sluice/core4/PooledHttpClient"
import type * as Priority from "@sluice/core4/Priority"
import * as Redirects from "@sluice/core4/Redirects"
import * as Retry from "@sluice/core4/Retry"
import { MockHttp } from "@sluice/core4/testing"
import type { MockHttp as MockHttpService } from "@sluice/core4/testing/MockHttp"
import * as Timeouts from "@sluice/core4/Timeouts"
import * as TransportError from "@sluice/core4/TransportError"
import type * as table from "@sluice/engine/options"
import * as Config from "effect/Config"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { describe, expectTypeOf, it } from "vitest"
import type { ContentCoding, Files, Http2Options, JsonLines, Sse, TlsOptions } from "../src/index.js"
import { HttpClientLayer, NodeConnector } from "../src/index.js"

// What fails here fails in `tsc -b`: when the tests run, types are gone.

type Clients = HttpClient.HttpClient | PooledHttpClient.PooledHttpClient | ConnectionPool

const url = "http://127.0.0.1/"

describe("what each layer provides, fails with and asks for", () => {
  it("HttpClientLayer.layer", () => {
    expectTypeOf(HttpClientLayer.layer).returns.toEqualTypeOf<Layer.Layer<Clients, InvalidOptions>>()
  })

  it("HttpClientLayer.layerConfig", () => {
    expectTypeOf(HttpClientLayer.layerConfig).returns.toEqualTypeOf<
      Layer.Layer<Clients, InvalidOptions | Config.ConfigError>
    >()
    // Configs may stand anywhere in the options, or for all of them.
    expectTypeOf(HttpClientLayer.layerConfig).toBeCallableWith({
      limits: { maxConnections: Config.Int("CONNECTIONS") },
      timeouts: { pool: Config.Duration("POOL") },
      http2: Config.Boolean("HTTP2")
    })
    expectTypeOf(HttpClientLayer.layerConfig).toBeCallableWith(HttpClientLayer.config("API"))
  })

  it("HttpClientLayer.layerWithoutConnector, and the connector that it asks for", () => {
    expectTypeOf(HttpClientLayer.layerWithoutConnector).returns.toEqualTypeOf<
      Layer.Layer<Clients, InvalidOptions, Connector>
    >()
    expectTypeOf(NodeConnector.layer).returns.toEqualTypeOf<
      Layer.Layer<Connector, InvalidOptions>
    >()
  })

  it("MockHttp.layer stands where HttpClientLayer.layer stands", () => {
    const live = MockHttp.layer([MockHttp.on("GET", "/", {}), MockHttp.optional(MockHttp.on("GET", "/b", () => ({})))])
    expectTypeOf(live).toEqualTypeOf<Layer.Layer<Clients | MockHttpService, InvalidOptions>>()
    // What responders need is what the layer needs.
    const passing = MockHttp.layer([MockHttp.on("GET", "/", {}), MockHttp.on("*", "*", MockHttp.passThrough)])
    expectTypeOf(passing).toEqualTypeOf<
      Layer.Layer<Clients | MockHttpService, InvalidOptions, HttpClient.HttpClient>
    >()
    expectTypeOf(MockHttp.layer).parameter(1).toEqualTypeOf<PooledHttpClient.LayerOptions | undefined>()
  })
})

describe("the table of options", () => {
  it("has the names that the types have", () => {
    expectTypeOf<keyof typeof table.limits.fields>().toEqualTypeOf<keyof Limits>()
    expectTypeOf<keyof typeof table.timeouts.fields>().toEqualTypeOf<keyof Timeouts.Timeouts>()
    expectTypeOf<keyof typeof table.pool.fields>().toEqualTypeOf<keyof PoolOptions>()
    expectTypeOf<keyof typeof table.client.fields>().toEqualTypeOf<keyof PooledHttpClient.Options>()
    expectTypeOf<keyof typeof table.http2.fields>().toEqualTypeOf<keyof Http2Options.Http2Options>()
    expectTypeOf<keyof typeof table.tls.fields>().toEqualTypeOf<keyof TlsOptions.TlsOptions>()
    expectTypeOf<keyof typeof table.connector.fields>().toEqualTypeOf<keyof NodeConnector.Options>()
    expectTypeOf<keyof typeof table.layer.fields>().toEqualTypeOf<keyof HttpClientLayer.Options>()
    expectTypeOf<keyof typeof table.origin.fields>().toEqualTypeOf<keyof NodeConnector.OriginOptions>()
    expectTypeOf<keyof typeof table.originLimits.fields>().toEqualTypeOf<keyof NodeConnector.OriginLimits>()
    expectTypeOf<keyof typeof table.retry.fields>().toEqualTypeOf<keyof Retry.Options>()
    expectTypeOf<keyof typeof table.redirects.fields>().toEqualTypeOf<keyof Redirects.Options>()
    expectTypeOf<keyof typeof table.wrappers.fields | "decompress">().toEqualTypeOf<
      keyof HttpClientLayer.WrapperOptions
    >()
    expectTypeOf<keyof typeof table.cookies.fields>().toEqualTypeOf<keyof HttpClientLayer.CookieOptions>()
    expectTypeOf<keyof typeof table.events.fields>().toEqualTypeOf<keyof Sse.Options>()
    expectTypeOf<keyof typeof table.jsonLines.fields>().toEqualTypeOf<keyof JsonLines.Options>()
    expectTypeOf<keyof typeof table.files.fields>().toEqualTypeOf<keyof Files.Options>()
    expectTypeOf<keyof typeof table.decompress.fields>().toEqualTypeOf<keyof ContentCoding.Options>()
    expectTypeOf<keyof typeof table.requestCoding.fields>().toEqualTypeOf<keyof ContentCoding.EncodeOptions>()
    expectTypeOf<keyof typeof table.priority.fields>().toEqualTypeOf<keyof Priority.Priority>()
  })
})

describe("what each client fails with", () => {
  it("HttpClient: the platform's errors", () => {
    expectTypeOf(HttpClient.get(url)).toEqualTypeOf<
      Effect.Effect<HttpClientResponse, HttpClientError, HttpClient.HttpClient>
    >()
  })

  it("PooledHttpClient: the transport's, each by its name", () => {
    const get = Effect.flatMap(PooledHttpClient.PooledHttpClient, (client) => client.get(url))
    expectTypeOf(get).toEqualTypeOf<
      Effect.Effect<HttpClientResponse, TransportError.TransportError, PooledHttpClient.PooledHttpClient>
    >()
    const caught = Effect.catchTag(get, "PoolTimeout", ({ pool }) => Effect.succeed(pool.waiting))
    expectTypeOf(caught).toEqualTypeOf<
      Effect.Effect<
        HttpClientResponse | number,
        Exclude<TransportError.TransportError, TransportError.PoolTimeout>,
        PooledHttpClient.PooledHttpClient
      >
    >()
  })

  it("the platform's combinators add theirs to it", () => {
    const client = Effect.map(PooledHttpClient.PooledHttpClient, (client) =>
      client.pipe(
        HttpClient.mapRequest(HttpClientRequest.acceptJson),
        Retry.safely({ times: 2 }),
        HttpClient.filterStatusOk
      ))
    expectTypeOf(client).toEqualTypeOf<
      Effect.Effect<
        HttpClient.HttpClient.With<TransportError.TransportError | HttpClientError>,
        never,
        PooledHttpClient.PooledHttpClient
      >
    >()
  })

  it("Retry.safely and Redirects.follow keep the client's type, piped or not", () => {
    const platform = undefined as unknown as HttpClient.HttpClient
    const pooled = undefined as unknown as PooledHttpClient.PooledHttpClient
    const both = () =>
      [
        Retry.safely(platform),
        Redirects.follow(platform, { maxRedirects: 3 }),
        Retry.safely(pooled, { times: 1 }),
        Redirects.follow()(pooled)
      ] as const
    expectTypeOf(both).returns.toEqualTypeOf<
      readonly [
        HttpClient.HttpClient.With<HttpClientError>,
        HttpClient.HttpClient.With<HttpClientError>,
        HttpClient.HttpClient.With<TransportError.TransportError>,
        HttpClient.HttpClient.With<TransportError.TransportError | HttpClientError>
      ]
    >()
  })
})

describe("what Effect 4 alone has", () => {
  it("PooledHttpClient.withScope asks for a Scope", () => {
    const scoped = () => PooledHttpClient.withScope(undefined as unknown as PooledHttpClient.PooledHttpClient)
    expectTypeOf(scoped).returns.toEqualTypeOf<
      HttpClient.HttpClient.With<TransportError.TransportError, Scope.Scope>
    >()
  })

  it("a region's settings are References, which need nobody to provide them", () => {
    expectTypeOf(Timeouts.current).toExtend<Context.Reference<Partial<Timeouts.Resolved> | undefined>>()
    const current = Effect.map(Timeouts.current, (timeouts) => timeouts?.read)
    expectTypeOf(current).toEqualTypeOf<Effect.Effect<number | undefined>>()
  })

  it("HttpClientLayer.layer is what HttpClient's programs need", () => {
    const program = Effect.provide(HttpClient.get(url), HttpClientLayer.layer())
    expectTypeOf(program).toEqualTypeOf<Effect.Effect<HttpClientResponse, HttpClientError | InvalidOptions>>()
  })
})

describe("helpers", () => {
  it("TransportError.catchTag adds what its handler does, and takes nothing away that it cannot see", () => {
    const caught = HttpClient.get(url).pipe(
      TransportError.catchTag("ReadTimeout", (error) => {
        expectTypeOf(error).toEqualTypeOf<TransportError.ReadTimeout>()
        return Effect.succeed(0)
      })
    )
    expectTypeOf(caught).toEqualTypeOf<
      Effect.Effect<HttpClientResponse | number, HttpClientError, HttpClient.HttpClient>
    >()
    // @ts-expect-error there is no such error
    void (() => TransportError.catchTag(HttpClient.get(url), "PoolTimeOut", () => Effect.void))
  })

  it("Timeouts.locally changes no type", () => {
    const get = HttpClient.get(url)
    const bounded = Timeouts.locally(get, { read: "1 second" })
    expectTypeOf(bounded).toEqualTypeOf(get)
  })

  it("limits and timeouts are of the right kind", () => {
    // @ts-expect-error a limit is a number
    void (() => HttpClientLayer.layer({ limits: { maxConnections: "10" } }))
    // @ts-expect-error there is no such limit
    void (() => HttpClientLayer.layer({ limits: { maxConnection: 10 } }))
    // @ts-expect-error not a duration
    void (() => HttpClientLayer.layer({ timeouts: { pool: "soon" } }))
    expectTypeOf(HttpClientLayer.layer).toBeCallableWith({
      limits: { keepAliveExpiry: "Infinity" },
      timeouts: { read: 250, total: "1 minute" }
    })
  })
})
