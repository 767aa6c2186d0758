import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { Priority } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { makeClient } from "./support.js"

for (const http2 of [false, "prior-knowledge"] as const) {
  describe(http2 === false ? "HTTP/1.1" : "HTTP/2", () => {
    it.scoped("OPTIONS of a URL without a path asks for the server as a whole, and nothing else does", () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ http2: http2 !== false, replies: { "/": Reply.empty() } })
        const { client } = yield* makeClient({ http2 })
        yield* client.options(server.url)
        yield* client.options(`${server.url}#part`)
        yield* client.options(`${server.url}/`)
        yield* client.options(server.url, { urlParams: { a: "1" } })
        yield* client.options(`${server.url}/*`)
        yield* client.get(server.url)
        const targets = (yield* server.requests).map(({ method, target }) => `${method} ${target}`)
        assert.deepStrictEqual(targets, [
          "OPTIONS *",
          "OPTIONS *",
          "OPTIONS /",
          "OPTIONS /?a=1",
          "OPTIONS /*",
          "GET /"
        ])
      }))

    it.scoped("a priority is sent with its request", () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ http2: http2 !== false, replies: { "/": Reply.empty() } })
        const { client } = yield* makeClient({ http2 })
        const request = HttpClientRequest.get(`${server.url}/`)
        yield* client.execute(Priority.set(request, { urgency: 1 }))
        yield* client.execute(Priority.set(request, { incremental: true }))
        yield* client.execute(Priority.set(request, { urgency: 6, incremental: true }))
        const sent = (yield* server.requests).map((request) => request.header("priority"))
        assert.deepStrictEqual(sent, ["u=1", "u=3, i", "u=6, i"])
      }))
  })
}
