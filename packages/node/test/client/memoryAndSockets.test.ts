import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { MemoryNetwork } from "@sluice/core/testing"
import { HttpClientLayer } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { observe } from "./observed.js"

// What a program sees over the network in memory is what it sees over sockets. Where the two differ on purpose, the list
// in docs/testing.md says why.

interface Scenario {
  readonly name: string
  /** The octets that the server sends for each request, one after the other; `close`: and then closes. */
  readonly replies: ReadonlyArray<{ readonly raw: string; readonly close?: boolean }>
  /** Default: a GET for each reply. */
  readonly requests?: ReadonlyArray<HttpClientRequest.HttpClientRequest>
}

const get = HttpClientRequest.get("/")
const post = HttpClientRequest.post("/")
const text = (body: string, headers = "") => ({
  raw: `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
})
const upload = HttpClientRequest.bodyStream(post, Stream.make(new Uint8Array(70_000), new Uint8Array(10)))

const scenarios: ReadonlyArray<Scenario> = [
  { name: "a length", replies: [text("hello"), text("again")] },
  { name: "no content", replies: [{ raw: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }, text("again")] },
  {
    name: "names of headers in any case, several of a name",
    replies: [text("a", "X-One: 1\r\nx-one: 2\r\nSET-COOKIE: a=1\r\n")]
  },
  {
    name: "Connection: close",
    replies: [text("a", "Connection: close\r\n"), text("b")].map((_, i) => ({ ..._, close: i === 0 }))
  },
  { name: "Keep-Alive", replies: [text("a", "Keep-Alive: timeout=5, max=10\r\n"), text("b")] },
  { name: "HTTP/1.0", replies: [{ raw: "HTTP/1.0 200 OK\r\n\r\nto the end", close: true }, text("b")] },
  { name: "to the end of the connection", replies: [{ raw: "HTTP/1.1 200 OK\r\n\r\nto the end", close: true }] },
  {
    name: "chunks and trailers",
    replies: [{
      raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n"
    }, text("b")]
  },
  { name: "interim responses", replies: [{ raw: `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${text("a").raw}` }] },
  {
    name: "200 to HEAD",
    requests: [HttpClientRequest.head("/"), get],
    replies: [{ raw: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" }, text("b")]
  },
  {
    name: "redirects, not followed",
    replies: [{ raw: "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n" }]
  },
  {
    name: "a request with a body",
    requests: [HttpClientRequest.bodyText(post, "body"), get],
    replies: [text("a"), text("b")]
  },
  { name: "a request that is a stream", requests: [upload, get], replies: [text("a"), text("b")] },
  {
    name: "a response that is cut",
    replies: [{ raw: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", close: true }]
  },
  {
    name: "a chunked response that is cut",
    replies: [{ raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", close: true }]
  },
  { name: "a head that is cut", replies: [{ raw: "HTTP/1.1 200 OK\r\nContent-", close: true }] },
  { name: "no response but the end", requests: [post], replies: [{ raw: "", close: true }] },
  {
    name: "two lengths",
    replies: [{ raw: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", close: true }]
  },
  {
    name: "length and chunks",
    replies: [{
      raw: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      close: true
    }]
  },
  {
    name: "a bad chunk",
    replies: [{ raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", close: true }]
  },
  { name: "a bad status line", replies: [{ raw: "HTTP/1.1 2OO OK\r\n\r\n", close: true }] },
  { name: "a bad header", replies: [{ raw: "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", close: true }] },
  { name: "another protocol", replies: [{ raw: "220 mail.test ESMTP\r\n", close: true }] },
  { name: "101 that nobody asked for", replies: [{ raw: "HTTP/1.1 101 Switching Protocols\r\n\r\n", close: true }] },
  { name: "bytes after the response", replies: [{ raw: `${text("a").raw}stray` }, text("b")] },
  {
    name: "a header that cannot be sent",
    requests: [HttpClientRequest.setHeader(get, "x-a", "a\nb"), get],
    replies: [text("b")]
  },
  {
    name: "a header section that is too long",
    replies: [{ raw: `HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}\r\n\r\n`, close: true }]
  }
]

const play = ({ replies, requests = replies.map(() => get) }: Scenario, url: string) => observe(requests, url)

const overSockets = (scenario: Scenario, tls: boolean) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({
      tls,
      replies: { "*": scenario.replies.map(({ close, raw }) => Reply.raw(raw, { close: close === true })) }
    })
    const layer = HttpClientLayer.layer({ tls: tls ? { ca: server.ca } : undefined })
    return yield* Effect.provide(play(scenario, server.url), layer)
  })

const inMemory = (scenario: Scenario, tls: boolean) => {
  let next = 0
  const network = MemoryNetwork.layer({
    respond: (request) =>
      Effect.map(Stream.runDrain(request.body), () => {
        const { close, raw } = scenario.replies[Math.min(next++, scenario.replies.length - 1)]
        return { raw, headers: close === true ? { connection: "close" } : {} }
      })
  })
  return Effect.provide(
    play(scenario, tls ? "https://memory.test" : "http://memory.test"),
    HttpClientLayer.layerWithoutConnector().pipe(Layer.provide(network))
  )
}

for (const tls of [false, true]) {
  describe(`in memory and over sockets, ${tls ? "with TLS" : "in clear text"}, a program sees the same`, () => {
    for (const scenario of scenarios) {
      it.scoped(scenario.name, () =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* inMemory(scenario, tls), yield* overSockets(scenario, tls))
        }))
    }
  })
}
