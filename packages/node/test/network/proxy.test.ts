import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as Origin from "@sluice/core/Origin"
import * as Tunnel from "@sluice/core/Tunnel"
import { HttpClientLayer } from "@sluice/node"
import { FaultProxy, Reply, TestAuthority, TestProxy, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as net from "node:net"
import { failure, makeClient, pattern, turns, until } from "../client/support.js"
import { blackHoles } from "./support.js"

const ann = { user: "ann", password: "s:cr/et" }
const userinfo = `${ann.user}:${encodeURIComponent(ann.password)}@`

const replies = { "/": Reply.text("from afar"), "/big": Reply.size(300_000), "/echo": Reply.echo() }

/** A proxy behind which `api.test` is a server of HTTPS, and `plain.test` and `other.test` one of HTTP. */
const setUp = (options: TestProxy.Options = {}) =>
  Effect.gen(function*() {
    const authority = yield* TestAuthority.make()
    const certificate = yield* authority.issue({ names: ["api.test", "localhost", "127.0.0.1"] })
    const secure = yield* TestServer.make({ tls: { authority, certificate }, replies })
    const plain = yield* TestServer.make({ replies })
    const proxy = yield* TestProxy.make({
      routes: { "api.test": secure, "plain.test": plain, "other.test": plain },
      ...options
    })
    return { secure, plain, proxy, tls: { ca: authority.certificate } }
  })

const kinds: ReadonlyArray<
  readonly [
    string,
    TestProxy.Options,
    (proxy: TestProxy.TestProxy, credentials: string) => HttpClientLayer.Options["proxy"]
  ]
> = [
  ["HTTP", {}, (proxy, credentials) => proxy.url.replace("//", `//${credentials}`)],
  ["HTTPS", { tls: true }, (proxy, credentials) => ({
    url: proxy.url.replace("//", `//${credentials}`),
    tls: { ca: proxy.ca }
  })],
  ["SOCKS 5", {}, (proxy, credentials) => proxy.socksUrl.replace("socks5://", `socks5h://${credentials}`)]
]

const urls = ["https://api.test/", "http://plain.test/"]

for (const [kind, options, proxyOf] of kinds) {
  describe(`A proxy of ${kind}`, () => {
    for (const http2 of [false, true]) {
      it.scoped(`is gone through by every request, ${http2 ? "HTTP/2" : "HTTP/1.1"} where the origin is secure`, () =>
        Effect.gen(function*() {
          const { proxy, tls } = yield* setUp(options)
          const { client, pool } = yield* makeClient({ tls, http2, proxy: proxyOf(proxy, "") })
          for (const url of urls) {
            for (let n = 0; n < 2; n++) {
              assert.strictEqual(yield* (yield* client.get(url)).text, "from afar")
              const big = new Uint8Array(yield* (yield* client.get(`${url}big`)).arrayBuffer)
              assert.deepStrictEqual(big, pattern(300_000))
              const sent = pattern(200_000)
              const echo = yield* client.post(`${url}echo`, { body: HttpBody.uint8Array(sent) })
              assert.deepStrictEqual(new Uint8Array(yield* echo.arrayBuffer), sent)
            }
          }
          assert.strictEqual(pool.unsafeStats().open, 2)
          assert.strictEqual((yield* proxy.stats).connectionsOpened, 2)
          const [first] = yield* proxy.requests
          assert.deepInclude(first, { host: "api.test", port: 443, addressType: "name" })
        }))
    }

    it.scoped("gets our credentials, and an origin never does", () =>
      Effect.gen(function*() {
        const { plain, proxy, secure, tls } = yield* setUp({ ...options, credentials: ann })
        const { client } = yield* makeClient({ tls, proxy: proxyOf(proxy, userinfo) })
        for (const url of urls) assert.strictEqual((yield* client.get(url)).status, 200)
        for (const { authorized, user } of yield* proxy.requests) {
          assert.deepStrictEqual({ authorized, user }, { authorized: true, user: "ann" })
        }
        for (const server of [plain, secure]) {
          for (const request of yield* server.requests) assert.isUndefined(request.header("proxy-authorization"))
        }
      }))

    for (const [name, credentials] of [["none", ""], ["wrong", "ann:wrong@"]] as const) {
      it.scoped(`that gets ${name} credentials is a ProxyError that nobody tries again`, () =>
        Effect.gen(function*() {
          const { proxy, tls } = yield* setUp({ ...options, credentials: ann })
          const { client, pool } = yield* makeClient({ tls, proxy: proxyOf(proxy, credentials) })
          for (const url of urls) {
            const error = yield* failure(client.get(url))
            if (error._tag !== "ProxyError") return assert.fail(error.message)
            assert.deepInclude({ ...error }, { reason: "Authentication", safeToRetry: false })
            assert.strictEqual(error.origin, url.slice(0, -1))
            assert.match(error.proxy, /^(https?|socks5h):\/\/127\.0\.0\.1:\d+$/)
            if (kind !== "SOCKS 5") assert.strictEqual(error.status, 407)
            assert.notInclude(JSON.stringify(error) + error.message, "wrong")
          }
          yield* until(() => pool.unsafeStats().active === 0)
        }))
    }

    it.scoped("that cannot be connected to is a ProxyError with what was tried", () =>
      Effect.gen(function*() {
        const port = yield* TestServer.unusedPort
        const scheme = { HTTP: "http", HTTPS: "https", "SOCKS 5": "socks5h" }[kind]
        const { client } = yield* makeClient({ proxy: `${scheme}://127.0.0.1:${port}` })
        for (const url of urls) {
          const error = yield* failure(client.get(url))
          assert.deepInclude({ ...error }, {
            _tag: "ProxyError",
            reason: "Unreachable",
            safeToRetry: true,
            written: false
          })
          assert.strictEqual(error.origin, url.slice(0, -1))
          assert.include(error.message, `${scheme}://127.0.0.1:${port}`)
        }
      }))
  })
}

describe("A ConnectTimeout on the way through a proxy", () => {
  interface Leg {
    readonly arrange: Effect.Effect<readonly [url: string, options: HttpClientLayer.Options], never, Scope.Scope>
    readonly stage: Record<string, unknown>
    readonly says: RegExp
  }
  /** Accepts, and says nothing ever. */
  const silent = Effect.map(
    FaultProxy.make({ to: { host: "127.0.0.1", port: 1 }, plan: { instead: "silence" } }),
    ({ address }) => address
  )
  const throughSilence = (scheme: string, lookup?: () => void) =>
    Effect.map(silent, (address) =>
      [
        "https://api.test/",
        { proxy: `${scheme}://${address}`, ...(lookup === undefined ? {} : { lookup }) }
      ] as const)
  const toSilence = (scheme: "http" | "https", options: HttpClientLayer.Options, socks = false) =>
    Effect.gen(function*() {
      const proxy = yield* TestProxy.make()
      const url = `${scheme}://${yield* silent}/`
      return [url, { ...options, proxy: socks ? proxy.socksUrl : proxy.url }] as const
    })
  const local = String.raw`http:\/\/127\.0\.0\.1:\d+`
  const legs: Record<string, Leg> = {
    "the look-up of the proxy": {
      arrange: Effect.succeed(["http://a.test/", { proxy: "http://proxy.test:3128", lookup: () => {} }]),
      stage: { _tag: "LookingUp", host: "proxy.test", proxy: "http://proxy.test:3128" },
      says: /looking up the proxy http:\/\/proxy\.test:3128: proxy\.test, and the resolver did not respond/
    },
    "the proxy's TCP handshake": {
      arrange: Effect.gen(function*() {
        const port = yield* TestServer.unusedPort
        yield* blackHoles(port, ["127.0.0.2"])
        return ["https://api.test/", { proxy: `http://127.0.0.2:${port}` }] as const
      }),
      stage: { _tag: "Connecting" },
      says: /connecting to the proxy http:\/\/127\.0\.0\.2:\d+: 127\.0\.0\.2 \(no response\)/
    },
    "the proxy's TLS handshake": {
      arrange: throughSilence("https"),
      stage: { _tag: "Handshaking" },
      says: /the proxy https:\S+: 127\.0\.0\.1:\d+ accepted the connection after 0ms; the TLS handshake got no response/
    },
    "CONNECT": {
      arrange: throughSilence("http"),
      stage: { _tag: "Tunnelling" },
      says: /the proxy http:\S+: 127\.0\.0\.1:\d+ accepted the connection after 0ms, but opened no tunnel to the origin/
    },
    "the greeting of SOCKS": {
      arrange: throughSilence("socks5h"),
      stage: { _tag: "Tunnelling" },
      says: /the proxy socks5h:\S+: 127\.0\.0\.1:\d+ accepted the connection after 0ms, but opened no tunnel/
    },
    "the look-up that SOCKS 5 does here": {
      arrange: throughSilence("socks5", () => {}),
      stage: { _tag: "LookingUp", host: "api.test" },
      says: /looking up api\.test, and the resolver did not respond/
    },
    "the origin's TLS handshake": {
      arrange: toSilence("https", {}),
      stage: { _tag: "Handshaking" },
      says: new RegExp(`the proxy ${local} had opened the tunnel after 0ms; the TLS handshake got no response`)
    },
    "the origin's TLS handshake, with SOCKS": {
      arrange: toSilence("https", {}, true),
      stage: { _tag: "Handshaking" },
      says: /the proxy socks5:\S+ had opened the tunnel after 0ms; the TLS handshake got no response/
    },
    "the origin's SETTINGS": {
      arrange: toSilence("http", { http2: "prior-knowledge" }),
      stage: { _tag: "Preface" },
      says: new RegExp(`the proxy ${local} had opened the tunnel after 0ms, but the origin sent no HTTP/2 SETTINGS`)
    }
  }
  for (const [name, { arrange, says, stage }] of Object.entries(legs)) {
    it.scoped(`says that it was ${name}`, () =>
      Effect.gen(function*() {
        const [url, options] = yield* arrange
        const { client, pool } = yield* makeClient(options)
        const fiber = yield* Effect.fork(failure(client.get(url)))
        yield* until(() => pool.unsafeStats().dialing === 1)
        yield* turns(40)
        yield* TestClock.adjust("5 seconds")
        const error = yield* Fiber.join(fiber)
        if (error._tag !== "ConnectTimeout") return assert.fail(error.message)
        assert.match(error.message, says)
        assert.deepInclude({ ...error.stage }, stage)
      }))
  }
})

describe("A forward proxy", () => {
  it.scoped("shares its connections between the origins behind it, and counts for itself", () =>
    Effect.gen(function*() {
      const { plain, proxy } = yield* setUp()
      const { client, pool } = yield* makeClient({ proxy: proxy.url })
      for (const host of ["plain.test", "other.test", "plain.test"]) {
        assert.strictEqual(yield* (yield* client.get(`http://${host}/`)).text, "from afar")
      }
      assert.strictEqual(pool.unsafeStats().open, 1)
      assert.deepStrictEqual((yield* proxy.stats).requestsPerConnection, [3])
      assert.deepStrictEqual((yield* plain.requests).map((request) => request.header("host")), [
        "plain.test",
        "other.test",
        "plain.test"
      ])
    }))

  it.scoped("is asked for the server as a whole without a path", () =>
    Effect.gen(function*() {
      const { proxy } = yield* setUp({ forward: Reply.empty() })
      const { client } = yield* makeClient({ proxy: proxy.url })
      assert.strictEqual((yield* client.options("http://plain.test")).status, 200)
      assert.deepInclude((yield* proxy.requests)[0], { kind: "forward", host: "plain.test" })
    }))

  it.scoped("opens a tunnel for what becomes one itself", () =>
    Effect.gen(function*() {
      const { plain, proxy } = yield* setUp()
      yield* plain.reply("/ws", Reply.tunnel({ status: 101 }))
      const { pool } = yield* makeClient({ proxy: proxy.url })
      const request = HttpClientRequest.get("http://plain.test/ws", { headers: { upgrade: "echo" } })
      yield* Effect.provideService(Tunnel.upgrade(request), ConnectionPool.ConnectionPool, pool)
      assert.deepStrictEqual((yield* proxy.requests).map(({ kind }) => kind), ["connect"])
    }))

  it.scoped("may get something else with each request, or credentials in another way", () =>
    Effect.gen(function*() {
      const { proxy, tls } = yield* setUp()
      const asked: Array<string> = []
      const headers = (url: URL) => {
        asked.push(url.href)
        return { "Proxy-Authorization": `Bearer ${asked.length}` }
      }
      const { client } = yield* makeClient({ tls, proxy: { url: proxy.url, username: "ann", headers } })
      yield* client.get("http://plain.test/?a=b")
      yield* client.get("https://api.test/?a=b")
      assert.deepStrictEqual(asked, ["http://plain.test/?a=b", "https://api.test/"])
      const received = (yield* proxy.requests).map(({ headers }) => new Map(headers).get("proxy-authorization"))
      assert.deepStrictEqual(received, ["Bearer 1", "Bearer 2"])
    }))

  it.scoped("whose function throws is a ProxyError, and the connection serves on", () =>
    Effect.gen(function*() {
      const { proxy, tls } = yield* setUp()
      let isBad = true
      const headers = () => {
        if (isBad) throw new Error("no token")
        return {}
      }
      const { client } = yield* makeClient({ tls, proxy: { url: proxy.url, headers } })
      for (const url of urls) {
        assert.deepInclude({ ...(yield* failure(client.get(url))) }, { _tag: "ProxyError", reason: "Configuration" })
      }
      isBad = false
      for (const url of urls) assert.strictEqual((yield* client.get(url)).status, 200)
    }))
})

describe("A tunnel that goes wrong", () => {
  const wrong: ReadonlyArray<readonly [string, TestProxy.Options, object]> = [
    ["is refused", { connect: Reply.text("not here", { status: 403 }) }, {
      reason: "Refused",
      status: 403,
      body: "not here"
    }],
    ["is refused with a long page", { connect: Reply.size(5000, { status: 502 }) }, { reason: "Refused", status: 502 }],
    ["ends as soon as it is there", { connect: Reply.tunnel({ then: "end" }) }, { reason: "Ended" }],
    ["is reset as soon as it is there", { connect: Reply.tunnel({ then: "reset" }) }, { reason: "Ended" }],
    ["has bytes in front of the consent", { connect: Reply.tunnel({ before: "\0\0" }) }, { reason: "Protocol" }],
    ["leads to nowhere", { connect: Reply.tunnel({ to: { host: "127.0.0.1", port: 1 } }) }, { status: 502 }],
    ["has giant headers", { connect: Reply.text("", { headers: { "x-a": "b".repeat(300_000) } }) }, {
      reason: "Protocol"
    }],
    ["is closed without a word", { connect: Reply.disconnect() }, { reason: "Ended" }]
  ]
  for (const [name, options, expected] of wrong) {
    it.scoped(`${name} is a ProxyError`, () =>
      Effect.gen(function*() {
        const { proxy, tls } = yield* setUp(options)
        const { client, pool } = yield* makeClient({ tls, proxy: proxy.url })
        const error = yield* failure(client.get("https://api.test/"))
        assert.deepInclude({ ...error }, { _tag: "ProxyError", proxy: proxy.url, ...expected })
        yield* until(() => pool.unsafeStats().open === 0)
      }))
  }

  it.scoped("is opened byte by byte, and serves", () =>
    Effect.gen(function*() {
      const { proxy, tls } = yield* setUp({
        connect: Reply.tunnel({ drip: "1 millis" }),
        socks: { method: { drip: "1 millis" }, reply: { drip: "1 millis" } }
      })
      for (const url of [proxy.url, proxy.socksUrl.replace("socks5", "socks5h")]) {
        const { client } = yield* makeClient({ tls, proxy: url })
        assert.strictEqual(yield* (yield* client.get("https://api.test/")).text, "from afar")
      }
    }))

  for (const code of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    it.scoped(`is refused by SOCKS with code ${code}`, () =>
      Effect.gen(function*() {
        const { proxy } = yield* setUp({ socks: { reply: { instead: TestProxy.socksReply({ code }), then: "end" } } })
        const { client } = yield* makeClient({ proxy: proxy.socksUrl.replace("socks5", "socks5h") })
        const error = yield* failure(client.get("http://plain.test/"))
        assert.deepInclude({ ...error }, { _tag: "ProxyError", reason: "Refused", code })
      }))
  }

  it.scoped("never ends in a certificate that nobody has verified", () =>
    Effect.gen(function*() {
      const { proxy } = yield* setUp()
      const { client } = yield* makeClient({ proxy: proxy.url })
      assert.deepInclude({ ...(yield* failure(client.get("https://api.test/"))) }, {
        _tag: "TlsError",
        origin: "https://api.test"
      })
    }))
})

describe("socks5 and socks5h", () => {
  it.scoped("resolve names here, or have the proxy resolve them", () =>
    Effect.gen(function*() {
      const { plain, proxy } = yield* setUp()
      const { client } = yield* makeClient({ proxy: proxy.socksUrl })
      assert.strictEqual((yield* client.get(`http://localhost:${plain.port}/`)).status, 200)
      assert.notStrictEqual((yield* proxy.requests)[0].addressType, "name")
      const error = yield* failure(client.get("http://plain.test/"))
      assert.deepInclude({ ...error }, { _tag: "ConnectError", reason: "UnknownHost" })
    }))
})

describe("Which proxy", () => {
  it.scoped("a function says for each request; undefined is none", () =>
    Effect.gen(function*() {
      const { plain, proxy } = yield* setUp()
      const choose = (url: URL) => url.pathname === "/" ? proxy.url : undefined
      const { client } = yield* makeClient({ proxy: choose })
      assert.strictEqual((yield* client.get(`http://127.0.0.1:${plain.port}/`)).status, 200)
      assert.strictEqual((yield* client.get(`http://127.0.0.1:${plain.port}/big`)).status, 200)
      assert.strictEqual((yield* proxy.requests).length, 1)
      assert.strictEqual((yield* plain.requests).length, 2)
    }))

  it.scoped("is the same for the same value, whichever object it is in", () =>
    Effect.gen(function*() {
      const { plain, proxy } = yield* setUp()
      const headers = () => ({ "x-tenant": "one" })
      let username = "ann"
      const { client, pool } = yield* makeClient({
        proxy: () => ({ url: proxy.url, username, password: "secret", noProxy: ["none.test"], headers, tls: undefined })
      })
      const get = Effect.flatMap(client.get("http://plain.test/"), ({ text }) => text)
      yield* get
      yield* get
      assert.strictEqual(pool.unsafeStats().open, 1)
      username = "bob"
      yield* get
      assert.strictEqual(pool.unsafeStats().open, 2)
      assert.strictEqual((yield* plain.requests).length, 3)
    }))

  it.scoped("is reached at its address, wherever the hosts of URLs lead", () =>
    Effect.gen(function*() {
      const { proxy } = yield* setUp()
      const { client } = yield* makeClient({ proxy: proxy.url, resolve: () => Effect.succeed(["127.0.0.9:1"]) })
      assert.strictEqual((yield* client.get("http://plain.test/")).status, 200)
    }))

  it.scoped("a function that throws, or names none, is a ProxyError", () =>
    Effect.gen(function*() {
      for (
        const proxy of [() => "gopher://x", () => {
          throw new Error("which?")
        }]
      ) {
        const { client } = yield* makeClient({ proxy })
        const error = yield* failure(client.get("http://plain.test/"))
        assert.deepInclude({ ...error }, { _tag: "ProxyError", reason: "Configuration" })
      }
    }))

  it.scoped("not for what noProxy lists", () =>
    Effect.gen(function*() {
      const { plain, proxy } = yield* setUp()
      const { client } = yield* makeClient({ proxy: { url: proxy.url, noProxy: ["127.0.0.0/8"] } })
      assert.strictEqual((yield* client.get(`http://127.0.0.1:${plain.port}/`)).status, 200)
      assert.strictEqual((yield* client.get("http://plain.test/")).status, 200)
      assert.strictEqual((yield* proxy.requests).length, 1)
    }))

  it.scoped("its credentials are never those of another one", () =>
    Effect.gen(function*() {
      const { proxy } = yield* setUp()
      let user = "ann"
      const { client } = yield* makeClient({ proxy: () => proxy.url.replace("//", `//${user}:x@`) })
      for (user of ["ann", "bob", "ann", "bob"]) yield* client.get("http://plain.test/")
      assert.deepStrictEqual((yield* proxy.requests).map((request) => [request.connection, request.user]), [
        [0, "ann"],
        [1, "bob"],
        [0, "ann"],
        [1, "bob"]
      ])
    }))

  it.scoped("also for a pool that is used by hand", () =>
    Effect.gen(function*() {
      const { proxy, tls } = yield* setUp()
      const { pool } = yield* makeClient({ tls, proxy: proxy.url })
      const origin = Either.getOrThrow(Origin.make("https://api.test/"))
      yield* pool.warm(origin, 1)
      yield* Effect.scoped(pool.acquire(origin))
      assert.strictEqual((yield* proxy.requests).length, 1)
    }))
})

describe("Proxy-Authorization of a request", () => {
  it.scoped("reaches a forward proxy and never an origin", () =>
    Effect.gen(function*() {
      const { plain, proxy, secure, tls } = yield* setUp()
      const { client } = yield* makeClient({ tls, proxy: { url: proxy.url, noProxy: "127.0.0.1" } })
      const headers = { "Proxy-Authorization": "Basic eA==" }
      for (const url of [...urls, `http://127.0.0.1:${plain.port}/`]) yield* client.get(url, { headers })
      const { client: direct } = yield* makeClient({ proxy: "none" })
      yield* direct.get(`http://127.0.0.1:${plain.port}/`, { headers })
      const received = (yield* proxy.requests).map((
        { headers, kind }
      ) => [kind, new Map(headers).get("proxy-authorization")])
      assert.deepStrictEqual(received, [["connect", undefined], ["forward", "Basic eA=="]])
      for (const server of [plain, secure]) {
        for (const request of yield* server.requests) assert.isUndefined(request.header("proxy-authorization"))
      }
    }))
})

describe("The environment", () => {
  const within = (variables: Record<string, string>) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const before = { ...process.env }
        Object.assign(process.env, variables)
        return before
      }),
      (before) =>
        Effect.sync(() => {
          for (const name of Object.keys(variables)) {
            if (before[name] === undefined) delete process.env[name]
            else process.env[name] = before[name]
          }
        })
    )

  it.scoped("is read when the layer is built, but for this machine", () =>
    Effect.gen(function*() {
      const { plain, proxy, tls } = yield* setUp()
      yield* within({ HTTPS_PROXY: proxy.url, http_proxy: proxy.url, NO_PROXY: "none.test" })
      const { client } = yield* makeClient({ tls })
      const direct = yield* makeClient({ proxy: "none" })
      yield* within({ HTTPS_PROXY: "", http_proxy: "" })
      for (const url of urls) assert.strictEqual((yield* client.get(url)).status, 200)
      assert.strictEqual((yield* client.get(`http://localhost:${plain.port}/`)).status, 200)
      assert.strictEqual((yield* proxy.requests).length, 2)
      assert.strictEqual((yield* failure(direct.client.get("http://plain.test/")))._tag, "ConnectError")
    }))

  it.scoped("that cannot be read is an error of the layer without what it says", () =>
    Effect.gen(function*() {
      yield* within({ HTTP_PROXY: "gopher://ann:secret@p" })
      const exit = yield* Effect.exit(Layer.build(HttpClientLayer.layer()))
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(exit), "HTTP_PROXY")
      assert.notInclude(JSON.stringify(exit) + String(exit), "secret")
    }))

  it.scoped("that lists what is no host is an error that says which entry that is", () =>
    Effect.gen(function*() {
      yield* within({ HTTP_PROXY: "http://proxy.test", NO_PROXY: "a.test,10.0.0.*,b.test" })
      const error = yield* Effect.flip(Layer.build(HttpClientLayer.layer()))
      assert.include(
        error.message,
        "NO_PROXY is a text of 22 characters, from the environment, in which \"10.0.0.*\" is none"
      )
      yield* within({ NO_PROXY: "a.test,http://ann:secret@b.test" })
      assert.notInclude((yield* Effect.flip(Layer.build(HttpClientLayer.layer()))).message, "secret")
    }))
})

/** A proxy that opens a tunnel to one address, is silent about others, and sees at once when it is left. */
const quietProxy = (opens: string) =>
  Effect.acquireRelease(
    Effect.async<{
      readonly url: string
      readonly asked: ReadonlyArray<string>
      readonly open: () => number
      readonly close: () => void
    }>(
      (resume) => {
        const asked: Array<string> = []
        const sockets = new Set<net.Socket>()
        const server = net.createServer((socket) => {
          sockets.add(socket)
          socket.on("error", () => {}).on("close", () => sockets.delete(socket))
          socket.once("data", (bytes) => {
            const [, to] = /^CONNECT (\S+)/.exec(bytes.toString()) ?? []
            asked.push(to)
            if (to !== opens) return
            socket.write("HTTP/1.1 200 OK\r\n\r\n")
            socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nfrom ada"))
          })
        }).listen(0, "127.0.0.1", () => {
          const { port } = server.address() as net.AddressInfo
          const close = () => {
            for (const socket of sockets) socket.destroy()
            server.close()
          }
          resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, asked, open: () => sockets.size, close }))
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

describe("A tunnel to a name that is looked up here", () => {
  const ways: ReadonlyArray<readonly [string, (proxy: TestProxy.TestProxy) => HttpClientLayer.Options]> = [
    ["socks5", (proxy) => ({ proxy: proxy.socksUrl })],
    ["resolve-here", (proxy) => ({
      proxy: proxy.url,
      addressPolicy: { allow: ["127.0.0.0/8"], throughProxy: "resolve-here" }
    })]
  ]
  for (const [name, options] of ways) {
    it.scoped(`leads to the first of its addresses that lets it: ${name}`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies })
        const closed = yield* TestServer.unusedPort
        const proxy = yield* TestProxy.make()
        const { client, pool } = yield* makeClient({
          ...options(proxy),
          resolve: {
            "a.test": [`127.0.0.1:${closed}`, `127.0.0.2:${closed}`, `127.0.0.1:${server.port}`],
            "none.test": [`127.0.0.3:${closed}`, `127.0.0.4:${closed}`]
          }
        })
        assert.strictEqual(yield* (yield* client.get("http://a.test/")).text, "from afar")
        assert.strictEqual((yield* server.requests)[0].header("host"), "a.test")
        const error = yield* failure(client.get("http://none.test/"))
        assert.deepInclude({ ...error }, { _tag: "ProxyError", reason: "Refused" })
        assert.match(error.message, /none of the addresses: 127\.0\.0\.3 \(.+\), 127\.0\.0\.4 \(/)
        // What was not used is closed.
        yield* proxy.awaitStats((stats) => stats.openConnections === 1)
        assert.strictEqual(pool.unsafeStats().open, 1)
      }))

    it.scoped(`and a look-up that fails is no fault of the proxy's, and may go better: ${name}`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies })
        const proxy = yield* TestProxy.make()
        let asked = 0
        const { client } = yield* makeClient({
          ...options(proxy),
          retry: { base: 0 },
          resolve: (host) =>
            host === "gone.test" || asked++ === 0
              ? Effect.fail(Object.assign(new Error("nobody knows it"), { code: "EAI_AGAIN" }))
              : Effect.succeed([`127.0.0.1:${server.port}`])
        })
        assert.strictEqual(yield* (yield* client.get("http://a.test/")).text, "from afar")
        const error = yield* failure(client.get("http://gone.test/"))
        assert.deepInclude({ ...error, safeToRetry: error.safeToRetry }, { _tag: "ConnectError", safeToRetry: true })
        assert.include(error.message, "looked up here")
      }))
  }

  const addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
  const throughQuiet = (opens: string) =>
    Effect.gen(function*() {
      const proxy = yield* quietProxy(opens)
      const { client, pool } = yield* makeClient({
        proxy: proxy.url,
        timeouts: { connect: "2 seconds" },
        addressPolicy: { allow: ["127.0.0.0/8"], throughProxy: "resolve-here" },
        resolve: { "a.test": addresses }
      })
      return { client, pool, proxy, asked: (count: number) => until(() => proxy.asked.length >= count) }
    })

  it.scoped("goes on to the next address after a moment of silence, and leaves nothing of the others", () =>
    Effect.gen(function*() {
      const { asked, client, pool, proxy } = yield* throughQuiet("127.0.0.4:80")
      const fiber = yield* Effect.fork(Effect.flatMap(client.get("http://a.test/"), ({ text }) => text))
      for (const count of [1, 2]) {
        yield* asked(count)
        yield* TestClock.adjust(249)
        yield* turns(5)
        assert.strictEqual(proxy.asked.length, count)
        yield* TestClock.adjust(1)
      }
      assert.strictEqual(yield* Fiber.join(fiber), "from ada")
      assert.deepStrictEqual(proxy.asked, addresses.map((address) => `${address}:80`))
      yield* until(() => proxy.open() === 1)
      assert.strictEqual(pool.unsafeStats().open, 1)
    }))

  for (const end of ["timeout", "interrupt"]) {
    it.scoped(`is given up with all that was tried: ${end}`, () =>
      Effect.gen(function*() {
        const { asked, client, pool, proxy } = yield* throughQuiet("none")
        const fiber = yield* Effect.fork(failure(client.get("http://a.test/")))
        yield* asked(1)
        yield* TestClock.adjust(250)
        yield* asked(2)
        if (end === "interrupt") yield* Fiber.interrupt(fiber)
        else {
          yield* TestClock.adjust("2 seconds")
          assert.match((yield* Fiber.join(fiber)).message, /opened no tunnel/)
        }
        yield* until(() => pool.unsafeStats().open === 0 && proxy.open() === 0)
      }))
  }
})
