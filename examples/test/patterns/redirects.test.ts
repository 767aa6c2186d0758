import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, it } from "@effect/vitest"
import * as Redirects from "@sluice/core/Redirects"
import { MockHttp } from "@sluice/core/testing"
import * as Effect from "effect/Effect"

const moved = MockHttp.layer([
  MockHttp.on("GET", "https://api.test/old", { status: 302, headers: { location: "https://cdn.test/new" } }),
  MockHttp.on("GET", "https://cdn.test/new", { body: "here" })
])

it.effect("a redirect to another origin takes no credentials with it", () =>
  Effect.gen(function*() {
    const client = Redirects.follow(yield* HttpClient.HttpClient)
    const request = HttpClientRequest.bearerToken(HttpClientRequest.get("https://api.test/old"), "secret")
    assert.strictEqual(yield* Effect.flatMap(client.execute(request), (response) => response.text), "here")
    const { requests } = yield* MockHttp.MockHttp
    assert.deepEqual(requests.map(({ headers }) => headers["authorization"]), ["Bearer secret", undefined])
  }).pipe(Effect.provide(moved)))
