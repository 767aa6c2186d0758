import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Redirects from "@sluice/core/Redirects"
import { AddressPolicy, HttpClientLayer } from "@sluice/node"
import { Reply, TestProxy, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { failure, makeClient } from "../client/support.js"
import { lookupOf } from "./support.js"

const notAllowed = { _tag: "AddressNotAllowed", phase: "connect", written: false, safeToRetry: false } as const
const serve = TestServer.make({ replies: { "/": Reply.text("inside") } })

describe("AddressPolicy.publicOnly", () => {
  it.scoped("holds for every spelling of this machine, and nothing is connected to", () =>
    Effect.gen(function*() {
      const server = yield* serve
      const { client } = yield* makeClient({ addressPolicy: AddressPolicy.publicOnly })
      const hosts = [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "0x7f.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::127.0.0.1]",
        "[fe80::1]",
        "localhost",
        "LOCALHOST",
        "①②⑦.⓪.⓪.①",
        "169.254.169.254",
        "10.0.0.1"
      ]
      for (const host of hosts) {
        const error = yield* failure(client.get(`http://${host}:${server.port}/`))
        assert.deepInclude({ ...error }, notAllowed, host)
      }
      assert.strictEqual((yield* server.stats).connectionsOpened, 0)
    }))

  for (const scheme of ["http", "https"]) {
    it.scoped(`holds for a name that resolves to both kinds, whichever comes first (${scheme})`, () =>
      Effect.gen(function*() {
        for (
          const addresses of [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["::1", "8.8.8.8"]]
        ) {
          const { client } = yield* makeClient({ addressPolicy: "public-only", lookup: lookupOf(addresses) })
          const error = yield* failure(client.get(`${scheme}://a.test/`))
          assert.deepInclude({ ...error }, notAllowed)
          assert.include(error.message, "a.test")
        }
      }))
  }

  it.scoped("is not fooled by a name that resolves to something else the second time", () =>
    Effect.gen(function*() {
      const server = yield* serve
      let lookups = 0
      const { client, pool } = yield* makeClient({
        addressPolicy: { deny: ["127.0.0.2"] },
        lookup: (_host, _options, callback) =>
          callback(null, [{ address: lookups++ === 0 ? "127.0.0.1" : "127.0.0.2", family: 4 }])
      })
      const get = client.get(`http://a.test:${server.port}/`)
      assert.strictEqual(yield* (yield* get).text, "inside")
      assert.strictEqual(lookups, 1)
      yield* pool.evictIdle
      assert.deepInclude({ ...(yield* failure(get)) }, notAllowed)
      assert.strictEqual((yield* server.stats).connectionsOpened, 1)
    }))

  it.scoped("holds on every hop of a redirect, and for connections that are open", () =>
    Effect.gen(function*() {
      const inside = yield* serve
      const outside = yield* TestServer.make({
        replies: { "/": Reply.empty({ status: 302, headers: { location: `http://127.0.0.1:${inside.port}/` } }) }
      })
      const { client } = yield* makeClient({
        addressPolicy: { allow: [`a.test:${outside.port}`] },
        lookup: lookupOf(["127.0.0.1"])
      })
      const following = Redirects.follow(client)
      for (let n = 0; n < 2; n++) {
        assert.deepInclude({ ...(yield* failure(following.get(`http://a.test:${outside.port}/`))) }, notAllowed)
      }
      assert.strictEqual((yield* inside.stats).connectionsOpened, 0)
    }))

  it.scoped("holds for Unix sockets", () =>
    Effect.gen(function*() {
      const { client } = yield* makeClient({ addressPolicy: "public-only", socketPath: "/run/docker.sock" })
      assert.deepInclude({ ...(yield* failure(client.get("http://a.test/"))) }, {
        ...notAllowed,
        address: "/run/docker.sock"
      })
    }))

  it.scoped("is never tried again", () =>
    Effect.gen(function*() {
      let asked = 0
      const { client } = yield* makeClient({
        addressPolicy: {
          check: () => {
            asked++
            return false
          }
        }
      })
      const transient = HttpClient.retryTransient(client, { times: 3 })
      assert.deepInclude({ ...(yield* failure(transient.get("http://127.0.0.1:1/"))) }, notAllowed)
      assert.strictEqual(asked, 1)
    }))
})

describe("A list with loopback in it", () => {
  it.scoped("has what is no address as well, which leads there, with a proxy and without", () =>
    Effect.gen(function*() {
      const server = yield* serve
      const deny = ["127.0.0.0/8", "::1"]
      const direct = yield* makeClient({ addressPolicy: { deny } })
      const proxy = yield* TestProxy.make()
      const through = yield* makeClient({
        proxy: proxy.url,
        addressPolicy: { deny, throughProxy: "literals-only" }
      })
      for (const host of ["0.0.0.0", "0", "[::]", "[::ffff:0.0.0.0]", "[64:ff9b::7f00:1]", "127.9", "[::1]"]) {
        for (const { client } of [direct, through]) {
          assert.deepInclude({ ...(yield* failure(client.get(`http://${host}:${server.port}/`))) }, notAllowed, host)
        }
      }
      assert.deepStrictEqual([(yield* server.stats).connectionsOpened, (yield* proxy.requests).length], [0, 0])
    }))
})

describe("A policy and a proxy", () => {
  it.scoped("need to be told how they go together", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Layer.build(HttpClientLayer.layer({ addressPolicy: "public-only", proxy: "http://p.test:1" }))
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(exit), "throughProxy")
    }))

  it.scoped("leave the names to the proxy: literals-only", () =>
    Effect.gen(function*() {
      const server = yield* serve
      const proxy = yield* TestProxy.make({ routes: { "a.test": server } })
      const { client } = yield* makeClient({
        addressPolicy: { publicOnly: true, deny: ["b.test"], throughProxy: "literals-only" },
        proxy: proxy.url
      })
      assert.strictEqual(yield* (yield* client.get("http://a.test/")).text, "inside")
      for (const host of ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "x.b.test"]) {
        for (const scheme of ["http", "https"]) {
          assert.deepInclude({ ...(yield* failure(client.get(`${scheme}://${host}/`))) }, notAllowed, host)
        }
      }
      assert.strictEqual((yield* proxy.requests).length, 1)
    }))

  it.scoped("are told addresses instead of names: resolve-here", () =>
    Effect.gen(function*() {
      const server = yield* serve
      const addresses = new Map([["a.test", "8.8.8.8"], ["b.test", "10.0.0.1"]])
      for (const kind of ["http", "socks5h"] as const) {
        const proxy = yield* TestProxy.make({ routes: { "8.8.8.8": server } })
        const { client } = yield* makeClient({
          addressPolicy: { publicOnly: true, throughProxy: "resolve-here" },
          proxy: kind === "http" ? proxy.url : proxy.socksUrl.replace("socks5", "socks5h"),
          lookup: (host, _options, callback) => callback(null, [{ address: addresses.get(host)!, family: 4 }])
        })
        assert.strictEqual(yield* (yield* client.get("http://a.test/")).text, "inside")
        assert.deepInclude({ ...(yield* failure(client.get("http://b.test/"))) }, notAllowed)
        assert.deepStrictEqual((yield* proxy.requests).map(({ host }) => host), ["8.8.8.8"])
      }
    }))
})
