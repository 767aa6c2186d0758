import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, it } from "@effect/vitest"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"

const url = "https://api.test/v1"

const api = MockHttp.layer(MockHttp.baseUrl(url, [
  MockHttp.on("GET", "/users", { json: [{ id: 1 }] }),
  MockHttp.on("GET", "/users/:id", ({ params }) => ({ json: { id: Number(params.id) } }))
]))

it.effect("a client with a base URL, and a mock with the same", () =>
  Effect.gen(function*() {
    const client = HttpClient.mapRequest(yield* HttpClient.HttpClient, HttpClientRequest.prependUrl(url))
    assert.deepEqual(yield* Effect.flatMap(client.get("/users"), (response) => response.json), [{ id: 1 }])
    assert.deepEqual(yield* Effect.flatMap(client.get("/users/7"), (response) => response.json), { id: 7 })
  }).pipe(Effect.provide(api)))
