import * as HttpBody from "@effect/platform/HttpBody"
import { assert, describe, it } from "@effect/vitest"
import * as TransportError from "@sluice/core/TransportError"
import type { HttpClientLayer } from "@sluice/node"
import { Gate, Reply, TestAuthority, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { LookupFunction } from "node:net"
import { recordEvents } from "../client/support.js"
import { makeClient, turns, until } from "./support.js"

/** A name server of one's own: it counts what it is asked, and can be slow. */
class Names {
  readonly asked: Array<string> = []
  private readonly held: Array<() => void> = []
  isSlow = false

  constructor(private readonly addresses: Readonly<Record<string, ReadonlyArray<string>>>) {}

  readonly lookup: LookupFunction = (host, _, callback) => {
    this.asked.push(host)
    const addresses = (this.addresses[host] ?? []).map((address) => ({ address, family: 4 }))
    const respond = () => {
      if (addresses.length > 0) callback(null, addresses)
      else callback(Object.assign(new Error(`no ${host}`), { code: "ENOTFOUND" }), [])
    }
    if (this.isSlow) this.held.push(respond)
    else setImmediate(respond)
  }

  get waiting(): number {
    return this.held.length
  }

  respondToAll(): void {
    this.isSlow = false
    for (const respond of this.held.splice(0)) respond()
  }
}

const loopback = { "a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"], "c.test": ["127.0.0.1"] }

interface Options {
  readonly covers?: ReadonlyArray<string>
  readonly addresses?: Readonly<Record<string, ReadonlyArray<string>>>
  readonly http2?: HttpClientLayer.Options["http2"]
  readonly client?: HttpClientLayer.Options
  readonly server?: TestServer.Options
}

/** One server with a certificate for some names, and a client that resolves them as the test says. */
const start = (
  { addresses = loopback, client: options, covers = ["a.test", "b.test"], http2, server: more }: Options
) =>
  Effect.gen(function*() {
    const authority = yield* TestAuthority.make()
    const certificate = yield* authority.issue({ names: covers })
    const server = yield* TestServer.make({
      tls: { authority, certificate },
      http2: true,
      replies: { "*": (request) => Reply.text(`${request.header(":authority") ?? "?"}`) },
      ...more
    })
    const names = new Names(addresses)
    const { client, pool } = yield* makeClient({
      tls: { ca: authority.certificate },
      lookup: names.lookup,
      http2: http2 ?? { coalescing: true },
      ...options
    })
    const url = (host: string, path = "/") => `https://${host}.test:${server.port}${path}`
    return {
      server,
      names,
      client,
      pool,
      url,
      get: (host: string, path?: string) => Effect.flatMap(client.get(url(host, path)), (response) => response.text),
      connections: Effect.map(server.stats, (stats) => stats.connectionsOpened)
    }
  })

describe("Two origins", () => {
  it.scoped("use one connection, whose server can see which of them is meant; there is an event", () =>
    Effect.gen(function*() {
      const { connections, get, pool, server, url } = yield* start({})
      const events = yield* recordEvents(pool)
      assert.strictEqual(yield* get("a"), `a.test:${server.port}`)
      const texts = yield* Effect.all(Effect.replicate(get("b"), 20), { concurrency: 10 })
      assert.deepStrictEqual([...new Set(texts)], [`b.test:${server.port}`])
      assert.strictEqual(yield* get("a"), `a.test:${server.port}`)
      assert.strictEqual(yield* connections, 1)
      assert.deepInclude(pool.unsafeStats(), { open: 1, idle: 1, waiting: 0, leases: 0 })
      assert.deepStrictEqual([...pool.unsafeStats().origins.keys()], [new URL(url("a")).origin])
      const coalesced = yield* events("Coalesced")
      assert.lengthOf(coalesced, 1)
      assert.deepInclude(coalesced[0], { origin: new URL(url("b")).origin, with: new URL(url("a")).origin })
      assert.lengthOf(yield* events("DialStarted"), 1)
    }))

  it.scoped("use two when nobody has asked for it", () =>
    Effect.gen(function*() {
      const { connections, get } = yield* start({ http2: true })
      yield* get("a")
      yield* get("b")
      assert.strictEqual(yield* connections, 2)
    }))

  it.scoped("use two when the certificate does not cover the second, and its name is not even looked up for it", () =>
    Effect.gen(function*() {
      const { connections, get, names } = yield* start({})
      yield* get("a")
      const error = yield* Effect.flip(get("c"))
      assert.strictEqual(Option.getOrThrow(TransportError.fromHttpClientError(error))._tag, "TlsError")
      assert.strictEqual(yield* connections, 2)
      assert.deepStrictEqual(names.asked, ["a.test", "c.test"])
    }))

  it.scoped("use two when the second is at another address, or at another port", () =>
    Effect.gen(function*() {
      const elsewhere = yield* start({ addresses: { ...loopback, "b.test": ["127.0.0.2"] } })
      yield* elsewhere.get("a")
      // Nobody listens there, and the connection to 127.0.0.1 is not taken for it.
      const error = yield* Effect.flip(elsewhere.get("b"))
      assert.strictEqual(Option.getOrThrow(TransportError.fromHttpClientError(error))._tag, "ConnectError")
      const { client, get, server, url } = yield* start({})
      const other = yield* TestServer.make({ tls: true, http2: true })
      yield* get("a")
      yield* Effect.flip(client.get(url("b").replace(String(server.port), String(other.port))))
      assert.strictEqual((yield* other.stats).connectionsOpened, 1)
    }))

  it.scoped("use one when one of several addresses is the same", () =>
    Effect.gen(function*() {
      const addresses = { ...loopback, "b.test": ["127.0.0.9", "127.0.0.1"] }
      const { connections, get } = yield* start({ addresses })
      yield* get("a")
      yield* get("b")
      assert.strictEqual(yield* connections, 1)
    }))

  for (
    const [what, client] of [
      ["tls.servername", { tls: { servername: "a.test" } }],
      ["tls.rejectUnauthorized", { tls: { rejectUnauthorized: false } }]
    ] as const
  ) {
    it.scoped(`use two with ${what}, which makes any certificate cover any host`, () =>
      Effect.gen(function*() {
        const authority = yield* TestAuthority.make()
        const certificate = yield* authority.issue({ names: ["a.test", "b.test"] })
        const { connections, get } = yield* start({
          server: { tls: { authority, certificate } },
          client: { tls: { ca: authority.certificate, ...client.tls } }
        })
        yield* get("a")
        yield* get("b")
        assert.strictEqual(yield* connections, 2)
      }))
  }

  it.scoped("use one with a limit of one connection, while it is idle and while it is busy", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { connections, get, pool } = yield* start({
        client: { limits: { maxConnections: 1 } },
        server: {
          replies: { "*": Reply.text("ok"), "/slow": () => Effect.as(gate.await, Reply.text("slow")) }
        }
      })
      yield* get("a")
      assert.strictEqual(pool.unsafeStats().idle, 1)
      assert.strictEqual(yield* get("b"), "ok")
      const slow = yield* Effect.fork(get("a", "/slow"))
      yield* until(() => pool.unsafeStats().active === 1)
      assert.strictEqual(yield* get("b"), "ok")
      yield* gate.open
      assert.strictEqual(yield* Fiber.join(slow), "slow")
      assert.strictEqual(yield* connections, 1)
    }))

  it.scoped("use a new one together when the first is gone", () =>
    Effect.gen(function*() {
      const { connections, get, pool, server } = yield* start({})
      yield* get("a")
      yield* get("b")
      yield* server.closeIdleConnections
      yield* until(() => pool.unsafeStats().open === 0)
      yield* get("b")
      assert.strictEqual(yield* get("a"), `a.test:${server.port}`)
      assert.strictEqual(yield* connections, 2)
    }))
})

describe("421", () => {
  const apart: TestServer.Options = {
    replies: {
      "*": (request) =>
        request.connection === 0 && request.header(":authority")?.startsWith("b") === true
          ? Reply.text("not here", { status: 421 })
          : Reply.text(`${request.method} ${request.text} on ${request.connection}`)
    }
  }

  it.scoped("sends the request again over a connection of its own, once and for all", () =>
    Effect.gen(function*() {
      const { client, connections, get, pool, server, url } = yield* start({ server: apart })
      const events = yield* recordEvents(pool)
      assert.strictEqual(yield* get("a"), "GET  on 0")
      const posted = yield* client.post(url("b"), { body: HttpBody.text("a body") })
      assert.strictEqual(yield* posted.text, "POST a body on 1")
      assert.strictEqual(yield* get("b"), "GET  on 1")
      assert.strictEqual(yield* get("a"), "GET  on 0")
      // When the connection of its own is gone it makes another one.
      yield* pool.evictIdle
      yield* get("a")
      assert.strictEqual(yield* get("b"), "GET  on 3")
      assert.strictEqual(yield* connections, 4)
      const requests = yield* server.requests
      assert.lengthOf(requests.filter((request) => request.connection === 0 && request.method === "POST"), 1)
      assert.lengthOf(yield* events("Retried"), 1)
      assert.lengthOf(yield* events("Coalesced"), 1)
    }))

  it.scoped("is the response where the body has been read and cannot be read again", () =>
    Effect.gen(function*() {
      const { client, connections, get, url } = yield* start({ server: apart })
      yield* get("a")
      let pulled = 0
      const body = HttpBody.stream(Stream.sync(() => {
        pulled++
        return new Uint8Array(10)
      }))
      const response = yield* client.post(url("b"), { body })
      assert.strictEqual(response.status, 421)
      assert.strictEqual(yield* response.text, "not here")
      assert.deepStrictEqual([pulled, yield* connections], [1, 1])
    }))

  it.scoped("is the response where the connection is the origin's own", () =>
    Effect.gen(function*() {
      const replies = { "*": Reply.text("nowhere", { status: 421 }) }
      const { client, connections, url } = yield* start({ server: { replies } })
      const response = yield* client.get(url("a"))
      assert.deepStrictEqual([response.status, yield* response.text], [421, "nowhere"])
      assert.strictEqual(yield* connections, 1)
    }))
})

describe("HTTP_1_1_REQUIRED for the second origin", () => {
  it.scoped("gives it connections of its own, and leaves the first one's alone", () =>
    Effect.gen(function*() {
      const replies: TestServer.Options["replies"] = {
        "*": (request) =>
          request.protocol === "HTTP/2" && request.header(":authority")?.startsWith("b") === true
            ? Reply.disconnect(13)
            : Reply.text(request.protocol)
      }
      const { connections, get } = yield* start({ server: { replies } })
      assert.strictEqual(yield* get("a"), "HTTP/2")
      assert.strictEqual(yield* get("b"), "HTTP/1.1")
      assert.strictEqual(yield* get("a"), "HTTP/2")
      assert.strictEqual(yield* get("b"), "HTTP/1.1")
      assert.strictEqual(yield* connections, 2)
    }))
})

describe("While the name of the second origin is looked up", () => {
  it.scoped("its requests wait, and an interrupt leaves nothing", () =>
    Effect.gen(function*() {
      const { connections, get, names, pool } = yield* start({ covers: ["a.test", "b.test", "c.test"] })
      yield* get("a")
      names.isSlow = true
      const [one, two] = [yield* Effect.fork(get("b")), yield* Effect.fork(get("b"))]
      yield* until(() => names.waiting > 0)
      yield* turns(5)
      assert.deepInclude(pool.unsafeStats(), { waiting: 2, open: 1, dialing: 0 })
      yield* Fiber.interrupt(one)
      assert.strictEqual(pool.unsafeStats().waiting, 1)
      assert.strictEqual(names.waiting, 1)
      names.respondToAll()
      yield* Fiber.join(two)
      names.isSlow = true
      const three = yield* Effect.fork(get("c"))
      yield* until(() => names.waiting > 0)
      yield* Fiber.interrupt(three)
      names.respondToAll()
      yield* until(() => pool.unsafeStats().open === 1)
      assert.deepInclude(pool.unsafeStats(), { waiting: 0, open: 1, leases: 0 })
      assert.strictEqual(yield* connections, 1)
    }))

  it.scoped("closing the pool waits for nobody", () =>
    Effect.gen(function*() {
      const names = new Names(loopback)
      const authority = yield* TestAuthority.make()
      const certificate = yield* authority.issue({ names: ["a.test", "b.test"] })
      const server = yield* TestServer.make({
        tls: { authority, certificate },
        http2: true,
        replies: { "*": Reply.text("ok") }
      })
      const late = yield* Effect.scoped(Effect.gen(function*() {
        const { client } = yield* makeClient({
          tls: { ca: authority.certificate },
          lookup: names.lookup,
          http2: { coalescing: true }
        })
        yield* Effect.flatMap(client.get(`https://a.test:${server.port}/`), (response) => response.text)
        names.isSlow = true
        const late = yield* Effect.forkDaemon(client.get(`https://b.test:${server.port}/`))
        yield* until(() => names.waiting > 0)
        return late
      }))
      const error = yield* Effect.flip(Fiber.join(late))
      assert.strictEqual(Option.getOrThrow(TransportError.fromHttpClientError(error))._tag, "PoolClosed")
      names.respondToAll()
      yield* server.awaitStats((stats) => stats.openConnections === 0)
    }))
})
