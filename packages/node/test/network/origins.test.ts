import { assert, describe, it } from "@effect/vitest"
import * as Timeouts from "@sluice/core/Timeouts"
import { HttpClientLayer, NodeConnector, type Resolver } from "@sluice/node"
import { Reply, TestAuthority, TestProxy, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as net from "node:net"
import { vi } from "vitest"
import { failure, makeClient, until } from "../client/support.js"
import { blackHoles } from "./support.js"

const serve = (name: string, options: TestServer.Options = {}) =>
  TestServer.make({ ...options, replies: { "*": Reply.text(name) } })

const text = (client: Effect.Effect.Success<ReturnType<typeof makeClient>>["client"], url: string) =>
  Effect.flatMap(client.get(url), (response) => response.text)

describe("resolve", () => {
  it.scoped("by a table: a host, a host with its port, another port, another name", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* serve("one"), yield* serve("two")]
      const { client } = yield* makeClient({
        resolve: {
          "A.test.": `127.0.0.1:${one.port}`,
          "b.test:8080": `localhost:${two.port}`,
          "192.0.2.1": `127.0.0.1:${two.port}`,
          "many.test": [`127.0.0.2:${one.port}`, `127.0.0.1:${two.port}`]
        }
      })
      assert.strictEqual(yield* text(client, "http://a.test/"), "one")
      assert.strictEqual(yield* text(client, "http://b.test:8080/"), "two")
      assert.strictEqual(yield* text(client, "http://192.0.2.1/"), "two")
      assert.strictEqual(yield* text(client, "http://many.test/"), "two")
      assert.strictEqual((yield* one.requests)[0].header("host"), "a.test")
      assert.strictEqual((yield* failure(client.get("http://b.test:8081/")))._tag, "ConnectError")
    }))

  it.scoped("by an Effect, for each connection; what it fails with is a ConnectError", () =>
    Effect.gen(function*() {
      const server = yield* serve("one")
      const asked: Array<string> = []
      const resolve: Resolver.Resolver = (host, port) =>
        Effect.suspend(() => {
          asked.push(`${host}:${port}`)
          if (host === "fails.test") return Effect.fail({ _tag: "NoInstance" })
          if (host === "dies.test") return Effect.die(new Error("broken"))
          return Effect.succeed(host === "wrong.test" ? [5 as never] : [`127.0.0.1:${server.port}`])
        })
      const { client, pool } = yield* makeClient({ resolve })
      for (let n = 0; n < 2; n++) {
        assert.strictEqual(yield* text(client, "http://a.test/"), "one")
        assert.strictEqual(yield* text(client, "http://a.test/"), "one")
        yield* pool.evictIdle
      }
      assert.deepStrictEqual(asked, ["a.test:80", "a.test:80"])
      for (const host of ["fails.test", "dies.test", "wrong.test"]) {
        assert.strictEqual((yield* failure(client.get(`http://${host}/`)))._tag, "ConnectError")
      }
    }))

  it.scoped("goes on to the next address with each connection", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* serve("one"), yield* serve("two")]
      const { client } = yield* makeClient({
        limits: { maxKeepAliveConnections: 0 },
        resolve: { "a.test": [`127.0.0.1:${one.port}`, `127.0.0.1:${two.port}`] }
      })
      const all = yield* Effect.forEach([1, 2, 3, 4], () => text(client, "http://a.test/"))
      assert.deepStrictEqual(all, ["one", "two", "one", "two"])
    }))

  it.scoped("by names as people write them, and by what is no table not at all", () =>
    Effect.gen(function*() {
      const server = yield* serve("one")
      const to = `127.0.0.1:${server.port}`
      const { client } = yield* makeClient({ resolve: { "Bücher.test": to, "a_b.test:80": [to], "[::9]": to } })
      for (const host of ["bücher.test", "a_b.test", "[0::9]"]) {
        assert.strictEqual(yield* text(client, `http://${host}/`), "one", host)
      }
      const resolve = {
        "http://a.test": to,
        "*.a.test": to,
        "a.test:99999": to,
        "b.test": "127.0.0.1:0",
        "c.test": 5 as never,
        "d.test": ["127.0.0.1", "http://e.test"]
      }
      const { problems } = yield* Effect.flip(Layer.build(HttpClientLayer.layer({ resolve, localAddress: "eth0" })))
      assert.deepStrictEqual(problems.map(({ option }) => option), [
        ...Object.keys(resolve).map((key) => `resolve[${JSON.stringify(key)}]`),
        "localAddress"
      ])
      const asked = yield* makeClient({ resolve: () => Effect.succeed(["127.0.0.1:99999"]) })
      assert.deepInclude({ ...(yield* failure(asked.client.get("http://a.test/"))) }, { _tag: "ConnectError" })
    }))

  it.scoped("one family only", () =>
    Effect.gen(function*() {
      const server = yield* serve("one")
      const resolve = { "a.test": ["::1", "127.0.0.1"], "six.test": "::1" }
      const { client } = yield* makeClient({ resolve, family: 4, localAddress: "127.0.0.9" })
      assert.strictEqual(yield* text(client, `http://a.test:${server.port}/`), "one")
      assert.include((yield* failure(client.get("http://six.test/"))).message, "IPv4")
      const [request] = yield* server.requests
      assert.isDefined(request)
    }))
})

describe("origins", () => {
  it.scoped("have options of their own; the one that says most counts", () =>
    Effect.gen(function*() {
      const [one, two, three, four] = [yield* serve("1"), yield* serve("2"), yield* serve("3"), yield* serve("4")]
      const to = ({ port }: TestServer.TestServer) => ({ resolve: () => Effect.succeed([`127.0.0.1:${port}`]) })
      const { client } = yield* makeClient({
        origins: {
          "*": to(four),
          "*.a.test": to(three),
          "b.a.test": to(two),
          "http://b.a.test:8080": to(one)
        }
      })
      const urls = ["http://b.a.test:8080/", "http://b.a.test/", "http://c.a.test/", "http://a.test/"]
      assert.deepStrictEqual(yield* Effect.forEach(urls, (url) => text(client, url)), ["1", "2", "3", "4"])
    }))

  it.scoped("are found by all spellings of a host", () =>
    Effect.gen(function*() {
      const [own, other] = [yield* serve("own"), yield* serve("other")]
      const to = ({ port }: TestServer.TestServer) => ({ resolve: () => Effect.succeed([`127.0.0.1:${port}`]) })
      const { client } = yield* makeClient({
        ...to(other),
        origins: { "A.test": to(own), "*.Bücher.test": to(own), "0:0::7": to(own), "[::8]:80": to(own) }
      })
      for (
        const host of ["a.test", "A.TEST.", "x.bücher.test", "x.xn--bcher-kva.test.", "[::7]", "[0:0:0:0:0:0:0:8]"]
      ) {
        assert.strictEqual(yield* text(client, `http://${host}/`), "own", host)
      }
      assert.strictEqual(yield* text(client, "http://xa.test/"), "other")
      assert.strictEqual(yield* text(client, "http://[::8]:81/"), "other")
    }))

  it.scoped("get the client certificate that is theirs, and nobody else does", () =>
    Effect.gen(function*() {
      const authority = yield* TestAuthority.make()
      const known = yield* serve("known", { tls: { authority, clientCertificate: "required" } })
      const other = yield* serve("other", { tls: { authority, clientCertificate: "required" } })
      const { certificate, key } = yield* authority.issue({ use: "client", commonName: "Ann" })
      const { client } = yield* makeClient({
        tls: { ca: authority.certificate },
        origins: { [known.url]: { tls: { cert: certificate, key } } }
      })
      assert.strictEqual(yield* text(client, `${known.url}/`), "known")
      // It would have responded to somebody with a certificate.
      assert.deepInclude({ ...(yield* failure(client.get(`${other.url}/`))) }, {
        _tag: "TlsError",
        reason: "ClientCertificate"
      })
    }))

  it.scoped("get a proxy of their own, or none", () =>
    Effect.gen(function*() {
      const server = yield* serve("one")
      const proxy = yield* TestProxy.make({ routes: { "a.test": server } })
      const { client } = yield* makeClient({
        proxy: "http://127.0.0.1:1",
        origins: { "a.test": { proxy: proxy.url }, [server.url]: { proxy: "none" } }
      })
      assert.strictEqual(yield* text(client, "http://a.test/"), "one")
      assert.strictEqual(yield* text(client, `${server.url}/`), "one")
      assert.strictEqual((yield* failure(client.get("http://b.test/")))._tag, "ProxyError")
    }))

  it.scoped("are asked of a function once for each", () =>
    Effect.gen(function*() {
      const server = yield* serve("one")
      const asked: Array<string> = []
      const { client, pool } = yield* makeClient({
        origins: ({ href, hostname }) => {
          asked.push(href)
          return hostname === "a.test" ? { resolve: { "a.test": `127.0.0.1:${server.port}` } } : undefined
        }
      })
      for (let n = 0; n < 3; n++) assert.strictEqual(yield* text(client, `http://a.test/?${n}`), "one")
      assert.deepStrictEqual(asked, ["http://a.test/"])
      assert.strictEqual(pool.unsafeStats().open, 1)
    }))

  it.scoped("have limits of their own, whatever others are allowed", () =>
    Effect.gen(function*() {
      const [few, many] = [yield* serve("few"), yield* serve("many")]
      const { client, pool } = yield* makeClient({
        limits: { maxConnectionsPerOrigin: 3, keepAliveExpiry: "1 minute" },
        origins: { [few.url]: { limits: { maxConnectionsPerOrigin: 1, keepAliveExpiry: "1 second" } } }
      })
      const open = (server: TestServer.TestServer) =>
        [...pool.unsafeStats().origins]
          .flatMap(([key, counts]) => key.startsWith(server.url) ? [counts.open] : [])
      const asked = (server: TestServer.TestServer) => Array.from({ length: 4 }, () => text(client, `${server.url}/`))
      yield* Effect.all([...asked(few), ...asked(many)], { concurrency: "unbounded" })
      assert.deepStrictEqual([open(few), open(many)], [[1], [3]])
      yield* TestClock.adjust("2 seconds")
      yield* until(() => pool.unsafeStats().closing === 0)
      assert.deepStrictEqual([open(few), open(many)], [[], [3]])
      // Its own ones stay when those of the pool change.
      yield* pool.setLimits({ maxConnectionsPerOrigin: 2 })
      yield* Effect.all([...asked(few), ...asked(many)], { concurrency: "unbounded" })
      assert.deepStrictEqual([open(few), open(many)], [[1], [2]])
    }))

  it.scoped("have limits on requests and on age", () =>
    Effect.gen(function*() {
      const [once, young] = [yield* serve("once"), yield* serve("young")]
      const { client } = yield* makeClient({
        limits: { keepAliveExpiry: "Infinity" },
        origins: {
          [once.url]: { limits: { maxRequestsPerConnection: 1 } },
          [young.url]: { limits: { maxConnectionAge: "1 minute" } }
        }
      })
      for (let n = 0; n < 3; n++) {
        yield* text(client, `${once.url}/`)
        yield* text(client, `${young.url}/`)
        if (n === 1) yield* TestClock.adjust("1 minute")
      }
      assert.deepStrictEqual((yield* once.stats).requestsPerConnection, [1, 1, 1])
      assert.deepStrictEqual((yield* young.stats).requestsPerConnection, [2, 1])
    }))

  it.scoped("are counted together whichever proxy their requests go through, and make room for each other", () =>
    Effect.gen(function*() {
      const [server, other] = [yield* serve("one"), yield* serve("other")]
      const routes = { "a.test": server, "b.test": other }
      const proxies = [yield* TestProxy.make({ routes }), yield* TestProxy.make({ routes })]
      const { client, pool } = yield* makeClient({
        limits: { maxConnectionsPerOrigin: 1 },
        timeouts: { pool: "Infinity", connect: "Infinity" },
        proxy: ({ searchParams }) => proxies[Number(searchParams.get("by"))].socksUrl.replace("socks5:", "socks5h:")
      })
      const open = () =>
        [...pool.unsafeStats().origins]
          .reduce((sum, [key, counts]) => key.startsWith("http://a.test") ? sum + counts.open : sum, 0)
      const all = Effect.forEach(
        Array.from({ length: 12 }, (_, n) => n % 2),
        (by) => Effect.map(text(client, `http://a.test/?by=${by}`), (text) => `${text}, ${open()} open`),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(new Set(yield* all), new Set(["one, 1 open"]))
      // One by one each has to make room for the next.
      for (const by of [0, 1, 0]) assert.strictEqual(yield* text(client, `http://a.test/?by=${by}`), "one")
      assert.strictEqual(yield* text(client, "http://b.test/?by=1"), "other")
      assert.deepStrictEqual([open(), pool.unsafeStats().open], [1, 2])
    }))

  it.scoped("have timeouts of their own, under those of a region", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "*": Reply.never } })
      const port = yield* TestServer.unusedPort
      yield* blackHoles(port, ["127.0.0.3"])
      const { client, pool } = yield* makeClient({
        timeouts: { headers: "1 minute", connect: "1 minute" },
        origins: {
          [server.url]: { timeouts: { headers: "2 seconds" }, limits: { maxConnectionsPerOrigin: 1 } },
          "127.0.0.3": { timeouts: { connect: "3 seconds" } }
        }
      })
      const timedOut = (url: string, region: Timeouts.Timeouts = {}) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.fork(failure(Timeouts.locally(client.get(url), region)))
          yield* until(() => pool.unsafeStats().dialing + pool.unsafeStats().active > 0)
          yield* TestClock.adjust("1 minute")
          const error = yield* Fiber.join(fiber)
          return [error._tag, "timeout" in error ? error.timeout : undefined]
        })
      assert.deepStrictEqual(yield* timedOut(`${server.url}/`), ["HeadersTimeout", 2000])
      assert.deepStrictEqual(yield* timedOut(`${server.url}/`, { headers: "9 seconds" }), ["HeadersTimeout", 9000])
      assert.deepStrictEqual(yield* timedOut(`http://127.0.0.3:${port}/`), ["ConnectTimeout", 3000])
    }))

  it.scoped.each<readonly [string, (url: URL) => unknown, RegExp]>([
    ["throws", () => {
      throw new Error("no such tenant")
    }, /function origins threw: no such tenant/],
    ["throws what is no error", () => {
      throw undefined
    }, /function origins threw/],
    ["has a fault", () => ({ timeouts: { total: -1 }, tsl: {} }), /timeouts\.total.*\n.*tsl|tsl.*\n.*timeouts\.total/s],
    ["gives a promise", async () => ({}), /origins/],
    ["gives null", () => null, /origins/]
  ])(
    "whose function %s fails the request, for which nobody else is to blame",
    ([, origins, message]) =>
      Effect.gen(function*() {
        for (const wrappers of [{}, { retry: true, timeouts: { total: "5 seconds" } }] as const) {
          const { client } = yield* makeClient({ ...wrappers, origins: origins as never })
          const error = yield* failure(client.get("http://a.test/"))
          assert.deepInclude({ ...error }, {
            _tag: "LocalProtocolError",
            reason: "Configuration",
            origin: "http://a.test"
          })
          assert.match(error.message, message)
          assert.isFalse(error.safeToRetry)
        }
      })
  )

  it.scoped("have their own delay of keep-alive, and of small writes", () =>
    Effect.gen(function*() {
      const noDelay = vi.spyOn(net.Socket.prototype, "setNoDelay")
      const keepAlive = vi.spyOn(net.Socket.prototype, "setKeepAlive")
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.restoreAllMocks()))
      const [one, two, three] = [yield* serve("1"), yield* serve("2"), yield* serve("3")]
      const { client } = yield* makeClient({
        keepAliveDelay: "10 seconds",
        origins: {
          [two.url]: { keepAliveDelay: "2 minutes", keepAliveInterval: "3 seconds", noDelay: false },
          [three.url]: { keepAliveDelay: "Infinity" }
        }
      })
      for (const server of [one, two, three]) yield* text(client, `${server.url}/`)
      const of = (spy: typeof keepAlive | typeof noDelay, { port }: TestServer.TestServer) =>
        (spy.mock.calls as ReadonlyArray<ReadonlyArray<unknown>>).filter((_, n) =>
          (spy.mock.contexts[n] as net.Socket).remotePort === port
        )
      assert.deepStrictEqual([one, two, three].map((server) => of(keepAlive, server)), [
        [[true, 10_000]],
        [[true, 120_000, 3000]],
        []
      ])
      assert.deepStrictEqual([one, two, three].map((server) => of(noDelay, server)), [[[true]], [], [[true]]])
    }))

  it.effect("are reported with all else that is wrong, in one error", () =>
    Effect.gen(function*() {
      const problems = (options: HttpClientLayer.Options) =>
        Effect.map(
          Effect.flip(Effect.scoped(Layer.build(HttpClientLayer.layer(options)))),
          ({ problems }) => problems.map(({ option }) => option)
        )
      assert.deepStrictEqual(
        yield* problems({
          limits: { maxConnections: 0 },
          timeouts: { raed: 1 } as never,
          proxy: "gopher://proxy",
          addressPolicy: { publicOnly: true, throughProxy: "resolve-here", deny: ["10.0.0.0/99"] },
          tls: { ca: "none", pins: ["no pin"] },
          keepAliveDelay: 1,
          origins: {
            "a.test": { proxy: "ftp://proxy", limits: { maxConnections: 3 } as never, timeouts: { pool: -1 } },
            "b.test": { tls: { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" } },
            "a b": {},
            "*.c.test": 5 as never
          }
        }),
        [
          "limits.maxConnections",
          "timeouts.raed",
          "keepAliveDelay",
          "tls.pins",
          "tls.ca",
          "addressPolicy.deny",
          "proxy",
          "origins[\"a.test\"].limits.maxConnections",
          "origins[\"a.test\"].timeouts.pool",
          "origins[\"a.test\"].proxy",
          "origins[\"b.test\"].tls.minVersion",
          "origins",
          "origins[\"*.c.test\"]"
        ]
      )
      // What is laid over has to fit what is there.
      assert.deepStrictEqual(
        yield* problems({ tls: { minVersion: "TLSv1.3" }, origins: { "*": { tls: { maxVersion: "TLSv1.2" } } } }),
        ["origins[\"*\"].tls.minVersion"]
      )
      // The connector alone says the same.
      const alone = yield* Effect.flip(Effect.provide(
        Effect.scoped(Layer.build(NodeConnector.layer({ proxy: "gopher://x", family: 5 as never }))),
        Layer.empty
      ))
      assert.deepStrictEqual(alone.problems.map(({ option }) => option), ["family", "proxy"])
    }))

  it.scoped("are checked by the same table", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [HttpClientLayer.Options["origins"], string]> = [
        [{ "a.test": { tsl: {} } as never }, "tls"],
        [{ "a.test": { proxy: "gopher://x" } }, "proxy"],
        [{ "a.test": { tls: { ca: "no certificate" } } }, "tls.ca"],
        [{ "a.test": { addressPolicy: { deny: ["10.0.0.0/99"] } } }, "deny"],
        [{ "http://a.test/path": {} }, "origins"],
        [{ "a b": {} }, "origins"],
        [{ "a.test:99999": {} }, "origins"]
      ]
      for (const [origins, expected] of wrong) {
        const exit = yield* Effect.exit(Layer.build(HttpClientLayer.layer({ origins })))
        assert.isTrue(Exit.isFailure(exit), expected)
        assert.include(String(exit), expected)
      }
    }))
})
