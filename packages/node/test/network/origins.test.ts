import { assert, describe, it } from "@effect/vitest"
import { HttpClientLayer, type Resolver } from "@sluice/node"
import { Reply, TestAuthority, TestProxy, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { failure, makeClient } from "../client/support.js"

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

  it.scoped("are checked by the same table", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [HttpClientLayer.Options["origins"], string]> = [
        [{ "a.test": { tsl: {} } as never }, "tls"],
        [{ "a.test": { proxy: "gopher://x" } }, "proxy"],
        [{ "a.test": { tls: { ca: "no certificate" } } }, "tls.ca"],
        [{ "a.test": { addressPolicy: { deny: ["10.0.0.0/99"] } } }, "deny"],
        [{ "http://a.test/path": {} }, "origins"],
        [{ "a b": {} }, "origins"]
      ]
      for (const [origins, expected] of wrong) {
        const exit = yield* Effect.exit(Layer.build(HttpClientLayer.layer({ origins })))
        assert.isTrue(Exit.isFailure(exit), expected)
        assert.include(String(exit), expected)
      }
    }))
})
