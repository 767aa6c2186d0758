import type { HttpClient } from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as Redirects from "@sluice/core/Redirects"
import * as Tunnel from "@sluice/core/Tunnel"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { makeClient, turns, until } from "./support.js"
import { type Unasked, workerServer } from "./workerServer.js"

// What a server sends where HTTP allows nothing must not become the response to the next request, which may be of
// another user. The response that is not to be seen says so.
const stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"

type Late = Reply.Late

const transports = ["http", "https"] as const

const start = (secure: boolean, replies: Record<string, Reply.Reply>) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({ ...(secure ? { tls: {} } : {}), replies })
    const made = yield* makeClient(server.ca === undefined ? {} : { tls: { ca: server.ca } })
    return { ...made, server }
  })

const textOf = (client: HttpClient, url: string) => Effect.flatMap(client.get(url), (response) => response.text)

const late: Late = { delay: "1 millis", bytes: stray }

describe.each(transports)("A response without a body, and bytes after it (%s)", (scheme) => {
  const methods: Record<string, (url: string) => HttpClientRequest.HttpClientRequest> = {
    HEAD: HttpClientRequest.head,
    DELETE: HttpClientRequest.del,
    GET: HttpClientRequest.get
  }
  const cases: ReadonlyArray<readonly [name: string, method: string, reply: Reply.Reply]> = [
    ["200 to HEAD", "HEAD", Reply.empty({ headers: { "content-length": "42" }, late })],
    ["404 to HEAD", "HEAD", Reply.empty({ status: 404, headers: { "content-length": "9" }, late })],
    ["204", "DELETE", Reply.empty({ status: 204, late })],
    ["205", "DELETE", Reply.empty({ status: 205, headers: { "content-length": "0" }, late })],
    ["304", "GET", Reply.empty({ status: 304, headers: { "content-length": "42" }, late })]
  ]
  for (const [name, method, reply] of cases) {
    it.scoped(`${name}: the next request gets its own response`, () =>
      Effect.gen(function*() {
        const { client, server } = yield* start(scheme === "https", { "/first": reply, "/second": Reply.text("own") })
        for (let n = 0; n < 20; n++) {
          yield* client.execute(methods[method](`${server.url}/first`))
          assert.strictEqual(yield* textOf(client, `${server.url}/second`), "own")
        }
      }))
  }

  it.scoped("a refused Upgrade is the last exchange of its connection", () =>
    Effect.gen(function*() {
      const { client, server } = yield* start(scheme === "https", {
        "/first": Reply.text("no", { status: 400, late }),
        "/second": Reply.text("own")
      })
      const upgrade = HttpClientRequest.get(`${server.url}/first`).pipe(
        HttpClientRequest.setHeaders({ upgrade: "websocket", connection: "upgrade" })
      )
      yield* Effect.flatMap(client.execute(upgrade), (response) => response.text)
      assert.strictEqual(yield* textOf(client, `${server.url}/second`), "own")
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1, 1])
    }))

  for (const status of [407, 502]) {
    it.scoped(`a refused CONNECT (${status}) is the last exchange of its connection`, () =>
      Effect.gen(function*() {
        const { client, pool, server } = yield* start(scheme === "https", { "/second": Reply.text("own") })
        const { host } = new URL(server.url)
        yield* server.reply("CONNECT *", Reply.text("no", { status, late }))
        for (let n = 0; n < 20; n++) {
          const refused = yield* Effect.flip(Effect.scoped(Effect.provideService(
            Tunnel.connect(HttpClientRequest.get(server.url), host),
            ConnectionPool.ConnectionPool,
            pool
          )))
          assert.strictEqual(refused._tag, "TunnelRefused")
          assert.strictEqual(yield* textOf(client, `${server.url}/second`), "own")
        }
      }))
  }

  it.scoped("413 in the middle of an upload is the last exchange of its connection", () =>
    Effect.gen(function*() {
      const { client, server } = yield* start(scheme === "https", { "/second": Reply.text("own") })
      yield* server.reply("/first", Reply.text("no", { status: 413, late }), { early: true })
      const endless = Stream.repeatValue(new Uint8Array(65_536))
      for (
        const set of [HttpClientRequest.bodyStream(endless), HttpClientRequest.bodyUint8Array(new Uint8Array(4 << 20))]
      ) {
        for (let n = 0; n < 10; n++) {
          const response = yield* client.execute(HttpClientRequest.post(`${server.url}/first`).pipe(set))
          assert.strictEqual(response.status, 413)
          assert.strictEqual(yield* response.text, "no")
          assert.strictEqual(yield* textOf(client, `${server.url}/second`), "own")
        }
      }
    }))

  it.scoped("a HEAD that redirects: neither the next hop nor the next request gets what is late", () =>
    Effect.gen(function*() {
      const { client, server } = yield* start(scheme === "https", {
        "/first": Reply.empty({ status: 302, headers: { location: "/hop", "content-length": "5" }, late }),
        "/hop": Reply.empty({ status: 203, headers: { "content-length": "5" }, late }),
        "/second": Reply.text("own")
      })
      const following = Redirects.follow(client)
      for (let n = 0; n < 20; n++) {
        assert.strictEqual((yield* following.head(`${server.url}/first`)).status, 203)
        assert.strictEqual(yield* textOf(client, `${server.url}/second`), "own")
      }
    }))

  it.scoped("a connection in quarantine makes room before one that is idle, and its own origin dials meanwhile", () =>
    Effect.gen(function*() {
      const { client, pool, server } = yield* start(scheme === "https", {
        "/first": Reply.empty({ status: 204 }),
        "/second": Reply.text("own")
      })
      const other = yield* TestServer.make({ replies: { "/": Reply.text("other") } })
      const third = yield* TestServer.make({ replies: { "/": Reply.text("third") } })
      yield* pool.setLimits({ maxConnections: 2 })
      yield* textOf(client, `${other.url}/`)
      yield* client.del(`${server.url}/first`)
      assert.strictEqual(yield* textOf(client, `${third.url}/`), "third")
      assert.strictEqual((yield* other.stats).openConnections, 1)
      yield* server.awaitStats((stats) => stats.openConnections === 0)
      // With room there is no need to wait for the end of the quarantine, nor to close what is in it.
      yield* pool.setLimits({ maxConnections: 10 })
      yield* client.del(`${server.url}/first`)
      assert.strictEqual(yield* textOf(client, `${server.url}/second`), "own")
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1, 1, 1])
    }))

  it.scoped("a connection is used again after a 204 that nothing follows, not at once but soon", () =>
    Effect.gen(function*() {
      const { client, pool, server } = yield* start(scheme === "https", {
        "/first": Reply.empty({ status: 204 }),
        "/second": Reply.text("own")
      })
      yield* client.del(`${server.url}/first`)
      yield* until(() => pool.unsafeStats().idle === 1)
      // The quarantine lasts 50 ms at most, in real time: it is about what the server puts on the wire.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 100)))
      yield* turns(3)
      assert.strictEqual(yield* textOf(client, `${server.url}/second`), "own")
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
    }))
})

const unasked: ReadonlyArray<readonly [name: string, act: Unasked]> = [
  ["a response", { bytes: stray }],
  ["408 and the end", { bytes: "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n", close: "end" }],
  ["the end", { close: "end" }],
  ["a reset", { close: "reset" }]
]

const chunks = Stream.make("a", "b").pipe(Stream.encodeText)

const bodies: Record<string, (url: string) => HttpClientRequest.HttpClientRequest> = {
  "GET": HttpClientRequest.get,
  "POST with text": (url) => HttpClientRequest.post(url).pipe(HttpClientRequest.bodyText("post")),
  "PUT with a large body": (url) =>
    HttpClientRequest.put(url).pipe(HttpClientRequest.bodyUint8Array(new Uint8Array(200_000))),
  "POST with a stream": (url) => HttpClientRequest.post(url).pipe(HttpClientRequest.bodyStream(chunks)),
  "POST with a form": (url) => {
    const form = new FormData()
    form.append("file", new Blob(["contents"]), "a.txt")
    return HttpClientRequest.post(url).pipe(HttpClientRequest.bodyFormData(form))
  },
  "POST with Expect": (url) =>
    HttpClientRequest.post(url).pipe(
      HttpClientRequest.bodyStream(chunks),
      HttpClientRequest.setHeader("expect", "100-continue")
    )
}

describe.each(transports)("What came before the request began (%s)", (scheme) => {
  for (const [what, act] of unasked) {
    for (const [name, request] of Object.entries(bodies)) {
      it.scoped(`${what} is not taken for the response to ${name}`, () =>
        Effect.gen(function*() {
          const server = yield* workerServer(scheme === "https", act)
          const { client } = yield* makeClient({ tls: { ca: server.ca } })
          const outcomes: Array<string> = []
          for (let n = 0; n < 5; n++) {
            yield* textOf(client, `${server.url}/first`)
            // In the same turn of the loop as the response before it: the kernel has what the server did since.
            server.blockUntilActed(n + 1)
            const outcome = yield* Effect.either(
              Effect.flatMap(client.execute(request(`${server.url}/second`)), (response) => response.text)
            )
            outcomes.push(outcome._tag === "Right" ? outcome.right : String(outcome.left))
          }
          assert.deepStrictEqual(outcomes, ["own", "own", "own", "own", "own"])
        }))
    }
  }
})
