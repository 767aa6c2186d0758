import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { Priority } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { failure, makeClient } from "./support.js"

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

    it.scoped("a host of one's own is asked for, of the server that the URL names", () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ http2: http2 !== false, replies: { "*": Reply.empty() } })
        const { client, pool } = yield* makeClient({ http2 })
        const request = HttpClientRequest.get(`${server.url}/`)
        for (const host of ["tenant.example", "other.example:8443"]) {
          yield* client.execute(HttpClientRequest.setHeader(request, "host", host))
        }
        yield* client.execute(request)
        const hosts = (yield* server.requests).map((request) => request.header(http2 === false ? "host" : ":authority"))
        assert.deepStrictEqual(hosts, ["tenant.example", "other.example:8443", new URL(server.url).host])
        assert.strictEqual(pool.unsafeStats().open, 1)
        for (const host of ["a, b", "", "a/b", "user@a"]) {
          const error = yield* failure(client.execute(HttpClientRequest.setHeader(request, "host", host)))
          assert.strictEqual(error._tag, "LocalProtocolError")
        }
      }))

    it.scoped("a zone in a URL: why not, and how else", () =>
      Effect.gen(function*() {
        const { client } = yield* makeClient({ http2 })
        for (const url of ["http://[fe80::1%eth0]/", "http://user:secret@[fe80::1%25en1]:8080/path"]) {
          const error = yield* failure(client.get(url))
          assert.include(error.message, "lookup")
          assert.notInclude(String(error), "secret")
        }
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
