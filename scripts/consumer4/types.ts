// What a program with Effect 4 says to the compiler.
import * as PooledHttpClient from "@sluice/core4/PooledHttpClient"
import { MockHttp } from "@sluice/core4/testing"
import { HttpClientLayer } from "@sluice/node4"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
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
