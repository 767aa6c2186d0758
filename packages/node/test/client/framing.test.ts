import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { FramePeer, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { failure, idle, makeClient, settled } from "./support.js"

const get = HttpClientRequest.get

describe("responses and what becomes of their connection", () => {
  it.scoped("reads HEAD, 204 and 304 without waiting for a body, and uses the connection at once if it may", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: {
          "HEAD /": Reply.text("never sent"),
          "/204": Reply.empty({ status: 204 }),
          "/304": Reply.raw("HTTP/1.1 304 Not Modified\r\ncontent-length: 1000\r\n\r\n"),
          "/last": Reply.text("last")
        }
      })
      const { client } = yield* makeClient({ reuseAfterNoContent: "always" })
      const head = yield* client.head(`${server.url}/`)
      assert.strictEqual(head.headers["content-length"], "10")
      assert.strictEqual(yield* head.text, "")
      for (const status of [204, 304]) {
        const response = yield* client.get(`${server.url}/${status}`)
        assert.strictEqual(response.status, status)
        assert.strictEqual(yield* response.text, "")
      }
      assert.strictEqual(yield* (yield* client.get(`${server.url}/last`)).text, "last")
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1, 3])
    }))

  // The accessors of this face know its own responses alone; `node4/test` has it for the other.
  it.scoped.skipIf(process.env["SLUICE_FACE"] === "4")(
    "reads chunks with trailers, and keeps the connection",
    () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({
          replies: { "/": Reply.chunks(["ab", "c".repeat(3000), "de"], { trailers: { "X-Sum": "5", "X-Other": "y" } }) }
        })
        const { client, pool } = yield* makeClient()
        const response = yield* client.get(`${server.url}/`)
        assert.strictEqual(yield* response.text, "ab" + "c".repeat(3000) + "de")
        assert.deepStrictEqual({ ...(response as any).trailers }, { "x-sum": "5", "x-other": "y" })
        yield* idle(pool, server, 1)
      })
  )

  it.scoped("reads until the server ends the connection where nothing else states the length", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("to the end", { framing: "close" }) } })
      const { client, pool } = yield* makeClient()
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "to the end")
      assert.strictEqual((yield* settled(pool)).open, 0)
    }))

  it.scoped("keeps an HTTP/1.0 connection only when the server says so", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: {
          "/plain": Reply.raw("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"),
          "/kept": Reply.raw("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok")
        }
      })
      const { client, pool } = yield* makeClient()
      assert.strictEqual(yield* (yield* client.get(`${server.url}/kept`)).text, "ok")
      yield* idle(pool, server, 1)
      assert.strictEqual(yield* (yield* client.get(`${server.url}/plain`)).text, "ok")
      yield* idle(pool, server, 0)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
    }))

  it.scoped("does not keep a connection that the server said it closes", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("bye", { connection: "close" }) } })
      const { client, pool } = yield* makeClient()
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "bye")
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "bye")
      yield* idle(pool, server, 0)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1, 1])
    }))

  it.scoped("does not keep a connection for a request that said it closes", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("bye") } })
      const { client, pool } = yield* makeClient()
      const request = HttpClientRequest.setHeader(get(`${server.url}/`), "connection", "close")
      assert.strictEqual(yield* (yield* client.execute(request)).text, "bye")
      yield* idle(pool, server, 0)
      assert.strictEqual((yield* server.requests)[0].header("connection"), "close")
    }))

  it.scoped("closes an idle connection a second before the time that the server gave it", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("x", { keepAliveHint: { timeout: 3 } }) } })
      const { client, pool } = yield* makeClient()
      yield* client.get(`${server.url}/`)
      yield* idle(pool, server, 1)
      yield* TestClock.adjust("1999 millis")
      assert.strictEqual(pool.unsafeStats().idle, 1)
      yield* TestClock.adjust("1 millis")
      yield* idle(pool, server, 0)
    }))

  it.scoped("sends no fragment and no credentials in the target, but the credentials as a header", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "*": Reply.empty() } })
      const { client } = yield* makeClient()
      yield* client.get(`http://ann:s%20c%C3%A9@127.0.0.1:${server.port}/a%20b?q=1&r#secret`)
      const [request] = yield* server.requests
      assert.strictEqual(request.target, "/a%20b?q=1&r")
      assert.strictEqual(request.header("host"), `127.0.0.1:${server.port}`)
      assert.strictEqual(request.header("authorization"), `Basic ${Buffer.from("ann:s cé").toString("base64")}`)
    }))

  it.scoped("takes userinfo that is not properly encoded as it is", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "*": Reply.empty() } })
      const { client } = yield* makeClient()
      yield* client.get(`http://a%zz:100%@127.0.0.1:${server.port}/`)
      const [request] = yield* server.requests
      assert.strictEqual(request.header("authorization"), `Basic ${Buffer.from("a%zz:100%").toString("base64")}`)
    }))
})

describe("responses that break off or break the rules", () => {
  const broken: Record<string, { reply: Reply.Reply; tag: string; inBody: boolean; reason?: string; code?: string }> = {
    "a body that ends before its length": {
      reply: Reply.text("hello world", { abrupt: { afterBytes: 5 } }),
      tag: "ReadError",
      inBody: true,
      reason: "Ended"
    },
    "a body that is reset before its length": {
      reply: Reply.text("hello world", { abrupt: { afterBytes: 5, how: "reset" } }),
      tag: "ReadError",
      inBody: true,
      reason: "Reset"
    },
    "chunks without a last one": {
      reply: Reply.chunks(["hello", "world"], { abrupt: { afterBytes: 5 } }),
      tag: "ReadError",
      inBody: true,
      reason: "Ended"
    },
    "a chunk without a size": {
      reply: Reply.raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
      tag: "RemoteProtocolError",
      inBody: true,
      code: "InvalidChunkSize"
    },
    "no response at all": { reply: Reply.disconnect(), tag: "ReadError", inBody: false, reason: "Ended" },
    "a reset instead of a response": {
      reply: Reply.disconnect("reset"),
      tag: "ReadError",
      inBody: false,
      reason: "Reset"
    },
    "half a head": {
      reply: Reply.raw("HTTP/1.1 200 OK\r\ncontent-", { close: true }),
      tag: "ReadError",
      inBody: false,
      reason: "Ended"
    },
    "what is no HTTP": {
      reply: Reply.raw("SSH-2.0-OpenSSH_9.2\r\n"),
      tag: "RemoteProtocolError",
      inBody: false,
      code: "InvalidStatusLine"
    },
    "content-length with chunked": {
      reply: Reply.raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
      tag: "RemoteProtocolError",
      inBody: false,
      code: "ConflictingFraming"
    },
    "a head that is too large": {
      reply: Reply.raw(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(270_000)}\r\n\r\n`),
      tag: "RemoteProtocolError",
      inBody: false,
      code: "HeadTooLarge"
    },
    "more interim responses than anybody needs": {
      reply: Reply.raw("HTTP/1.1 102 Processing\r\n\r\n".repeat(11_000)),
      tag: "RemoteProtocolError",
      inBody: false,
      code: "InformationalTooLarge"
    }
  }
  for (const [name, { code, inBody, reason, reply, tag }] of Object.entries(broken)) {
    it.scoped(`${name}: a typed error, an empty pool, one request`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies: { "/": reply, "/next": Reply.text("next") } })
        const { client, pool } = yield* makeClient()
        const error = yield* failure(Effect.flatMap(client.get(`${server.url}/`), (response) => response.text))
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(error.phase, inBody ? "body" : "headers")
        assert.strictEqual(error.origin, server.origin)
        assert.isTrue(error.written)
        if (reason !== undefined) assert.strictEqual((error as any).reason, reason)
        if (code !== undefined) assert.strictEqual((error as any).code, code)
        yield* idle(pool, server, 0)
        assert.strictEqual((yield* server.stats).requests, 1)
        assert.strictEqual(yield* (yield* client.get(`${server.url}/next`)).text, "next")
      }))
  }

  it.scoped("a whole response with bytes after it is delivered, and its connection closed", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: {
          "/": Reply.raw("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"),
          "/2": Reply.empty()
        }
      })
      const { client, pool } = yield* makeClient()
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "ok")
      yield* idle(pool, server, 0)
      assert.strictEqual((yield* client.get(`${server.url}/2`)).status, 200)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1, 1])
    }))

  it.scoped("a request that breaks the rules is refused unsent, and costs no connection", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "*": Reply.text("ok") } })
      const { client, pool } = yield* makeClient()
      yield* client.get(`${server.url}/`)
      yield* idle(pool, server, 1)
      const injections = [
        HttpClientRequest.setHeader(get(`${server.url}/`), "x", "a\r\nx-injected: yes"),
        HttpClientRequest.setHeader(get(`${server.url}/`), "bad name", "a"),
        HttpClientRequest.setHeader(get(`${server.url}/`), "x", "nul\0"),
        HttpClientRequest.make("GE T" as "GET")(`${server.url}/`),
        HttpClientRequest.setHeader(get(`${server.url}/`), "content-length", "5")
      ]
      for (const request of injections) {
        const error = yield* failure(client.execute(request))
        assert.strictEqual(error._tag, "LocalProtocolError")
        assert.isFalse(error.written)
      }
      yield* idle(pool, server, 1)
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1])
      assert.deepStrictEqual((yield* server.stats).malformed, [])
    }))

  it.scoped("a URL that is none, or of another scheme, is refused before the pool is asked", () =>
    Effect.gen(function*() {
      const { client, pool } = yield* makeClient()
      const relative = yield* failure(client.get("/relative?token=secret"))
      assert.strictEqual(relative._tag, "LocalProtocolError")
      assert.notInclude(relative.message, "secret")
      assert.strictEqual((yield* failure(client.get("ftp://127.0.0.1/")))._tag, "UnsupportedProtocol")
      assert.strictEqual(pool.unsafeStats().origins.size, 0)
    }))

  it.scoped("a port where nobody listens: ConnectError, an empty pool", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ port: yield* TestServer.unusedPort })
      yield* server.stopAccepting
      const { client, pool } = yield* makeClient()
      const error = yield* failure(client.get(`${server.url}/`))
      assert.strictEqual(error._tag, "ConnectError")
      assert.strictEqual((error as any).reason, "Refused")
      assert.isTrue(error.safeToRetry)
      assert.strictEqual((yield* settled(pool)).open, 0)
      yield* server.resumeAccepting
      yield* server.reply("/", Reply.text("there"))
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "there")
    }))
})

describe("interim responses", () => {
  it.scoped("100 that nobody asked for is skipped, 103 goes to the hook", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: {
          "/": Reply.text("final", {
            informational: [{ status: 100 }, { status: 103, headers: { link: "</a.css>" } }, { status: 102 }]
          })
        }
      })
      const seen: Array<[string, number, ReadonlyArray<string>]> = []
      const { client, pool } = yield* makeClient({
        onInformational: (request, head) => seen.push([request.url, head.status, head.rawHeaders])
      })
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "final")
      assert.deepStrictEqual(seen, [[`${server.url}/`, 103, ["link", "</a.css>"]], [`${server.url}/`, 102, []]])
      yield* idle(pool, server, 1)
    }))

  it.scoped("a hook that throws disturbs neither the request nor the process", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: { "/": Reply.text("final", { informational: [{ status: 103 }] }) }
      })
      const { client, pool } = yield* makeClient({
        onInformational: () => {
          throw new Error("the hook is broken")
        }
      })
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "final")
      yield* idle(pool, server, 1)
    }))

  const refuses101 = (headers: Record<string, string>) =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.tunnel({ status: 101, first: "first " }) } })
      const { client, pool } = yield* makeClient()
      const error = yield* failure(client.execute(get(`${server.url}/`, { headers })))
      assert.deepInclude(error, { _tag: "RemoteProtocolError", code: "UnexpectedUpgrade" })
      assert.match(error.message, /Tunnel\.upgrade/)
      yield* idle(pool, server, 0)
    })

  it.scoped("101 is no response to a request of the client that did not ask for it", () => refuses101({}))

  // A response of Effect 4 has the connection of a 101 that was asked for (`response.upgrade`).
  it.scoped.skipIf(process.env["SLUICE_FACE"] === "4")(
    "nor to one that asked for it",
    () => refuses101({ upgrade: "echo" })
  )
})

describe("a server that speaks something else", () => {
  const alerts = {
    "as TLS 1.3 and 1.2 have it": Uint8Array.of(21, 3, 3, 0, 2, 2, 10),
    "as TLS 1.0 has it": Uint8Array.of(21, 3, 1, 0, 2, 2, 70)
  }
  for (const [name, alert] of Object.entries(alerts)) {
    it.scoped(`TLS, with an alert ${name}: the error says to use https:`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies: { "/": Reply.raw(alert, { close: true }) } })
        const { client, pool } = yield* makeClient()
        const error = yield* failure(client.get(`${server.url}/`))
        assert.strictEqual(error._tag, "RemoteProtocolError")
        assert.include(error.message, "the server seems to speak TLS: use https:")
        assert.strictEqual((yield* settled(pool)).open, 0)
      }))
  }

  it.scoped("TLS, which hangs up: the error asks for https:", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ tls: true })
      const { client, pool } = yield* makeClient()
      const error = yield* failure(client.get(`http://${server.host}:${server.port}/`))
      assert.strictEqual(error._tag, "ReadError")
      assert.include(error.message, "does it speak TLS? Then use https:")
      assert.strictEqual((yield* settled(pool)).open, 0)
    }))

  it.scoped("HTTP/2 alone: the error says to use prior knowledge, which helps", () =>
    Effect.gen(function*() {
      const peer = yield* FramePeer.make({ settings: { maxConcurrentStreams: 7 } })
      const { client, pool } = yield* makeClient()
      const error = yield* failure(client.get(`${peer.url}/`))
      assert.strictEqual(error._tag, "RemoteProtocolError")
      assert.include(error.message, `use http2: "prior-knowledge"`)
      assert.strictEqual((yield* settled(pool)).open, 0)
      const knowing = yield* makeClient({ http2: "prior-knowledge" })
      yield* Effect.fork(knowing.client.get(`${peer.url}/`))
      yield* peer.accept
      yield* (yield* peer.accept).take("Headers")
    }))

  it.scoped("neither: the error says what came, and no more", () =>
    Effect.gen(function*() {
      const others = { ssh: "SSH-2.0-OpenSSH_9.2\r\n", short: Uint8Array.of(0, 0, 0, 4), zeros: new Uint8Array(9) }
      for (const [name, bytes] of Object.entries(others)) {
        const server = yield* TestServer.make({ replies: { "/": Reply.raw(bytes, { close: true }) } })
        const { client } = yield* makeClient()
        const error = yield* failure(client.get(`${server.url}/`))
        assert.strictEqual(error._tag, "RemoteProtocolError", name)
        assert.notInclude(error.message, "use http", name)
      }
      // It has responded before: what ends now is not for want of TLS.
      const server = yield* TestServer.make({ replies: { "/": [Reply.text("ok"), Reply.disconnect()] } })
      const { client } = yield* makeClient()
      yield* client.get(`${server.url}/`)
      const error = yield* failure(client.post(`${server.url}/`))
      assert.strictEqual(error._tag, "ReadError")
      assert.notInclude(error.message, "https:")
    }))
})
