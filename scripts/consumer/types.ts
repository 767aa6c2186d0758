// What a program that has installed the packages says to the compiler.
import * as HttpClient from "@effect/platform/HttpClient"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import { MockHttp } from "@sluice/core/testing"
import { HttpClientLayer } from "@sluice/node"
import { TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"

export const layer: Layer.Layer<HttpClient.HttpClient> = HttpClientLayer.default

export const text: Effect.Effect<string, unknown> = HttpClient.get("http://127.0.0.1/").pipe(
  Effect.flatMap((response) => response.text),
  Effect.provide(HttpClientLayer.layer({ limits: { maxConnections: 1 } }))
)

export const status = Effect.flatMap(PooledHttpClient.PooledHttpClient, (client) => client.get("http://127.0.0.1/"))
  .pipe(
    Effect.map((response) => response.status),
    Effect.catchTag("PoolTimeout", (busy) => Effect.succeed(busy.pool.waiting))
  )

export const mock = MockHttp.layer([MockHttp.on("GET", "/users/:id", ({ params }) => ({ json: params.id }))])

export const server = TestServer.layer({ replies: {} })
