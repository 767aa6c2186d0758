import { assert, describe, it } from "@effect/vitest"
import { Reply, TestProxy, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { connect, GET, overSocket, secureConnect } from "./support.js"

const setUp = (options: TestProxy.Options = {}) =>
  Effect.gen(function*() {
    const origin = yield* TestServer.make({ replies: { "/": Reply.text("from afar"), "/echo": Reply.echo() } })
    const proxy = yield* TestProxy.make({
      routes: { "api.test": origin, "api.test:1": { host: "127.0.0.1", port: 1 } },
      ...options
    })
    return { origin, proxy, client: yield* connect({ port: proxy.port }) }
  })

const CONNECT = (target = "api.test:80", ...fields: ReadonlyArray<string>) =>
  [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...fields, "", ""].join("\r\n")

const basic = (userinfo: string) => `Proxy-Authorization: Basic ${Buffer.from(userinfo).toString("base64")}`
const ann = { user: "ann", password: "s:cret" }

describe("HTTP", () => {
  it.scoped("forwards, without what is meant for the proxy", () =>
    Effect.gen(function*() {
      const { client, origin, proxy } = yield* setUp({ credentials: ann })
      client.write(
        "POST http://api.test/echo HTTP/1.1\r\nHost: api.test\r\nContent-Length: 5\r\n" +
          `${basic("ann:s:cret")}\r\nX-A: 1\r\nConnection: x-hop\r\nX-Hop: 2\r\n\r\nhello`
      )
      assert.include(yield* client.until("0\r\n\r\n"), "hello")
      const [request] = yield* origin.requests
      assert.strictEqual(request.target, "/echo")
      assert.strictEqual(request.header("host"), "api.test")
      assert.strictEqual(request.header("x-a"), "1")
      assert.isUndefined(request.header("proxy-authorization"))
      assert.isUndefined(request.header("x-hop"))
      const [asked] = yield* proxy.requests
      assert.deepInclude(asked, {
        kind: "forward",
        host: "api.test",
        port: 80,
        addressType: "name",
        user: "ann",
        authorized: true
      })
    }))

  it.scoped("says 502 when it does not get through, and serves on", () =>
    Effect.gen(function*() {
      const { client } = yield* setUp()
      client.write("GET http://api.test:1/ HTTP/1.1\r\nHost: api.test:1\r\n\r\n")
      yield* client.until("could not be reached (ECONNREFUSED)")
      client.write(CONNECT("api.test:1"))
      assert.include(yield* client.until((all) => all.split("could not").length === 3), "502 Bad Gateway")
      client.write("GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n")
      yield* client.until("from afar")
    }))

  it.scoped("asks for credentials, and tunnels on the same connection", () =>
    Effect.gen(function*() {
      const { client, proxy } = yield* setUp({ credentials: ann })
      client.write(CONNECT())
      assert.include(yield* client.until("Who are you?\n"), "407")
      client.write(CONNECT("api.test:80", basic("ann:s:cret")))
      yield* client.until("200 OK\r\n\r\n")
      client.write(GET("/"))
      yield* client.until("from afar")
      assert.deepStrictEqual((yield* proxy.requests).map((request) => request.authorized), [false, true])
      assert.strictEqual((yield* proxy.stats).openTunnels, 1)
      client.socket.destroy()
      yield* proxy.awaitStats((stats) => stats.openTunnels === 0 && stats.openConnections === 0)
    }))

  it.scoped("is reached over TLS", () =>
    Effect.gen(function*() {
      const { proxy } = yield* setUp({ tls: true })
      const client = overSocket(yield* secureConnect({ port: proxy.port, host: proxy.host, ca: proxy.ca }))
      client.write(CONNECT())
      yield* client.until("200 OK\r\n\r\n")
      client.write(GET("/"))
      yield* client.until("from afar")
    }))

  it.scoped("is hostile as a script says", () =>
    Effect.gen(function*() {
      const { client, proxy } = yield* setUp({
        connect: [
          Reply.empty({ status: 407, headers: { "proxy-authenticate": "Basic" } }),
          Reply.tunnel({
            before: "noise",
            drip: "1 millis",
            headers: { "content-length": "9", "x-giant": "v".repeat(50) }
          })
        ]
      })
      client.write(CONNECT())
      yield* client.until("407")
      client.write(CONNECT())
      assert.match(
        yield* client.until("v\r\n\r\n"),
        /noiseHTTP\/1.1 200 OK\r\ncontent-length: 9\r\nx-giant: v{50}\r\n\r\n$/
      )
      yield* proxy.connect([Reply.tunnel({ then: "end" }), Reply.tunnel({ then: "reset" })])
      for (const end of ["end", "ECONNRESET"]) {
        const other = yield* connect({ port: proxy.port })
        other.write(CONNECT())
        assert.strictEqual(yield* other.closed, end)
        assert.include(other.received(), "200 OK")
      }
    }))
})

const bytes = (...given: ReadonlyArray<number | string>) =>
  Buffer.concat(given.map((one) => typeof one === "string" ? Buffer.from(one, "latin1") : Buffer.of(one)))

const name = bytes(5, 1, 0, 3, 8, "api.test", 0, 80)
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")
const succeeded = latin1(TestProxy.socksReply())

describe("SOCKS5", () => {
  it.scoped("tunnels to a name, with what came along", () =>
    Effect.gen(function*() {
      const { client, proxy } = yield* setUp()
      client.write(bytes(5, 1, 0))
      yield* client.until("\x05\x00")
      client.write(Buffer.concat([name, Buffer.from(GET("/"))]))
      yield* client.until("from afar")
      assert.strictEqual(client.received().slice(2, 12), succeeded)
      const [asked] = yield* proxy.requests
      assert.deepInclude(asked, { kind: "socks5", host: "api.test", port: 80, addressType: "name", user: undefined })
      assert.strictEqual((yield* proxy.stats).tunnelsOpened, 1)
    }))

  it.scoped("reads single bytes, user and password", () =>
    Effect.gen(function*() {
      const { client, proxy } = yield* setUp({ credentials: ann })
      for (const byte of bytes(5, 2, 0, 2)) client.write(Uint8Array.of(byte))
      yield* client.until("\x05\x02")
      for (const byte of bytes(1, 3, "ann", 6, "s:cret")) client.write(Uint8Array.of(byte))
      yield* client.until("\x05\x02\x01\x00")
      for (const byte of name) client.write(Uint8Array.of(byte))
      yield* client.until(succeeded)
      assert.strictEqual((yield* proxy.requests)[0].user, "ann")
    }))

  it.scoped("refuses a wrong password, and a client that offers none", () =>
    Effect.gen(function*() {
      const { client, proxy } = yield* setUp({ credentials: ann })
      client.write(bytes(5, 1, 2, 1, 3, "ann", 1, "x"))
      assert.strictEqual(yield* client.closed, "end")
      assert.strictEqual(client.received(), "\x05\x02\x01\x01")
      const other = yield* connect({ port: proxy.port })
      other.write(bytes(5, 1, 0))
      yield* other.closed
      assert.strictEqual(other.received(), "\x05\xff")
    }))

  for (
    const [type, address, host] of [
      ["ipv4", bytes(1, 10, 1, 2, 3), "10.1.2.3"],
      ["ipv6", bytes(4, 0x20, 1, 0x0d, 0xb8, ...new Array<number>(11).fill(0), 1), "2001:db8::1"]
    ] as const
  ) {
    it.scoped(`takes ${type} addresses`, () =>
      Effect.gen(function*() {
        const origin = yield* TestServer.make({ replies: { "/": Reply.text("by address") } })
        const proxy = yield* TestProxy.make({ routes: { [host]: origin } })
        const client = yield* connect({ port: proxy.port })
        client.write(Buffer.concat([bytes(5, 1, 0, 5, 1, 0), address, bytes(0, 80), Buffer.from(GET("/"))]))
        yield* client.until("by address")
        assert.deepInclude((yield* proxy.requests)[0], { host, addressType: type })
      }))
  }

  for (
    const [what, request, code] of [
      ["a server that refuses", bytes(5, 1, 0, 3, 8, "api.test", 0, 1), 5],
      ["BIND", bytes(5, 2, 0, 3, 8, "api.test", 0, 80), 7],
      ["an unknown address type", bytes(5, 1, 0, 9, 0, 0, 0), 8]
    ] as const
  ) {
    it.scoped(`says code ${code} for ${what}`, () =>
      Effect.gen(function*() {
        const { client } = yield* setUp()
        client.write(Buffer.concat([bytes(5, 1, 0), request]))
        assert.strictEqual(yield* client.closed, "end")
        assert.strictEqual(client.received(), `\x05\x00${latin1(TestProxy.socksReply({ code }))}`)
      }))
  }

  it.scoped("spoils each of its messages", () =>
    Effect.gen(function*() {
      const { proxy } = yield* setUp()
      for (
        const [faults, received, end] of [
          [{ method: { instead: bytes(4, 0), then: "end" } }, "\x04\x00", "end"],
          [{ method: { then: "reset" } }, "\x05\x00", "ECONNRESET"],
          [{ reply: { before: "x", drip: 1, after: "y", then: "end" } }, `\x05\x00x${succeeded}y`, "end"],
          [
            { reply: { instead: TestProxy.socksReply({ addressType: 9 }), then: "end" } },
            `\x05\x00${latin1(TestProxy.socksReply({ addressType: 9 }))}`,
            "end"
          ]
        ] as const
      ) {
        yield* proxy.socks(faults)
        const client = yield* connect({ port: proxy.port })
        client.write(bytes(5, 1, 0))
        yield* client.until((all) => all.length >= 2)
        client.write(name)
        assert.strictEqual(yield* client.closed, end)
        assert.strictEqual(client.received(), received)
      }
      yield* proxy.awaitStats((stats) => stats.openConnections === 1)
    }))

  it.scoped("names what is malformed", () =>
    Effect.gen(function*() {
      const { client, proxy } = yield* setUp()
      client.write(Buffer.concat([bytes(5, 1, 0), bytes(5, 1, 7, 3, 1, "a", 0, 80)]))
      yield* client.closed
      assert.deepStrictEqual((yield* proxy.stats).malformed, ["the reserved byte of a SOCKS request is 7"])
    }))
})
