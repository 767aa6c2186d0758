import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, match, ok, strictEqual } from "node:assert"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import { Connector } from "../../src/Connector.js"
import * as PooledHttpClient from "../../src/PooledHttpClient.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import * as Timeouts from "../../src/Timeouts.js"
import * as Tunnel from "../../src/Tunnel.js"

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (stream: Tunnel.Tunnel["stream"]) => Stream.mkString(Stream.decodeText(stream))
const asks = HttpClientRequest.get("http://a.test/chat").pipe(HttpClientRequest.setHeader("upgrade", "chat/1"))

const h2: MemoryNetwork.Options = { protocol: () => "h2", dial: () => Effect.succeed({ protocol: "h2" }) }

/** Both what opens a tunnel and what does not. */
const echo: NonNullable<MemoryNetwork.Options["respond"]> = (request) =>
  Effect.succeed(
    request.method === "CONNECT"
      ? { status: 200, body: request.body }
      : request.headers["upgrade"] === undefined
      ? {}
      : { status: 101, headers: { upgrade: "chat/1", connection: "upgrade" }, body: request.body }
  )

const world = (network: MemoryNetwork.Options = {}, options: ConnectionPool.Options = {}) =>
  Effect.gen(function*() {
    const memory = yield* MemoryNetwork.make({ respond: echo, ...network })
    const pool = yield* ConnectionPool.make(options).pipe(Effect.provideService(Connector, memory.connector))
    const client = yield* PooledHttpClient.make({ timeouts: options.timeouts }).pipe(
      Effect.provideService(ConnectionPool.ConnectionPool, pool)
    )
    const here = Effect.provideService(ConnectionPool.ConnectionPool, pool)
    return {
      network: memory,
      pool,
      client,
      upgrade: (request = asks) => here(Tunnel.upgrade(request)),
      connect: (authority: string, proxy = HttpClientRequest.get("http://proxy.test:3128/")) =>
        here(Tunnel.connect(proxy, authority))
    }
  })

const counts = ({ network, pool }: {
  readonly network: MemoryNetwork.MemoryNetwork
  readonly pool: ConnectionPool.ConnectionPool
}) => {
  const { leases, open, permitsFree, waiting } = pool.unsafeStats()
  return { sockets: network.open, leases, open, permitsFree, waiting, faults: network.faults }
}
const nothing = { sockets: 0, leases: 0, open: 0, permitsFree: 100, waiting: 0, faults: [] }

for (const [name, network] of [["HTTP/1.1", {}], ["HTTP/2", h2]] as const) {
  const isHttp2 = name === "HTTP/2"
  /** The way to a tunnel that the protocol has. */
  const open = (_: Effect.Effect.Success<ReturnType<typeof world>>) => isHttp2 ? _.connect("b.test:1") : _.upgrade()

  describe(`A tunnel over ${name}`, () => {
    it.scoped("carries bytes both ways, and each side ends by itself", () =>
      Effect.gen(function*() {
        const made = yield* world(network)
        yield* Effect.scoped(Effect.gen(function*() {
          const tunnel = yield* open(made)
          strictEqual(tunnel.response.status, isHttp2 ? 200 : 101)
          strictEqual(yield* tunnel.response.text, "")
          ok(Option.isSome(PooledHttpClient.connectionInfo(tunnel.response)))
          yield* tunnel.write(bytes("one "))
          // It can be read in pieces.
          strictEqual(yield* text(Stream.take(tunnel.stream, 1)), "one ")
          yield* tunnel.write(bytes("two "))
          yield* tunnel.write(bytes("three"))
          yield* tunnel.end
          strictEqual(yield* text(tunnel.stream), "two three")
          const late = yield* Effect.flip(tunnel.write(bytes("late")))
          strictEqual(late._tag, "WriteError")
          yield* settle
          // Until the Scope ends it is nobody else's. A socket whose both sides have ended is gone.
          const stream = { sockets: 1, leases: 1, open: 1, permitsFree: 99 }
          deepStrictEqual(counts(made), { ...nothing, ...(isHttp2 ? stream : { leases: 1 }) })
        }))
        yield* settle
        const rest = isHttp2 ? { sockets: 1, open: 1, permitsFree: 99 } : {}
        deepStrictEqual(counts(made), { ...nothing, ...rest })
        strictEqual(made.network.requests[0].state, "Responded")
      }))

    it.scoped("may be silent for as long as it likes", () =>
      Effect.gen(function*() {
        const made = yield* world(network, { timeouts: { total: "1 minute", headers: "1 second" } })
        const tunnel = yield* open(made)
        yield* TestClock.adjust("1 day")
        yield* tunnel.write(bytes("awake"))
        strictEqual(yield* text(Stream.take(tunnel.stream, 1)), "awake")
        deepStrictEqual(counts(made).leases, 1)
      }))

    it.scoped("exerts backpressure both ways, and has a timeout for writing", () =>
      Effect.gen(function*() {
        // It sends more than is kept, and reads nothing.
        const part = new Uint8Array(100_000)
        let sent = 0
        // A stream of HTTP/2 has a window of 1 MiB.
        const parts = isHttp2 ? 20 : 9
        const body = Stream.range(1, parts).pipe(Stream.as(part), Stream.tap(() => Effect.sync(() => sent++)))
        const status = isHttp2 ? 200 : 101
        const made = yield* world({ ...network, respond: () => Effect.succeed({ status, body }) })
        const tunnel = yield* open(made)
        yield* settle
        // Those that are kept, the one that is too many, and one in the hand of the server.
        strictEqual(sent, isHttp2 ? 11 : 4)
        const all = yield* Effect.fork(Stream.runFold(tunnel.stream, 0, (sum, part) => sum + part.length))
        yield* settle
        strictEqual(sent, parts)
        const writing = yield* Effect.fork(Effect.flip(tunnel.write(new Uint8Array(1_000_000))))
        yield* settle
        ok(made.network.requests[0].parts.reduce((sum, { length }) => sum + length, 0) < 200_000)
        yield* TestClock.adjust("29900 millis")
        strictEqual(writing.unsafePoll(), null)
        yield* TestClock.adjust("100 millis")
        strictEqual((yield* Fiber.join(writing))._tag, "WriteTimeout")
        strictEqual(all.unsafePoll()?._tag, "Success")
        strictEqual((yield* Effect.flip(tunnel.write(part)))._tag, "WriteTimeout")
        deepStrictEqual(counts(made).leases, 0)
      }))

    it.scoped("that is ended from outside fails those who read and write", () =>
      Effect.gen(function*() {
        for (const ending of ["server", "scope", "pool"] as const) {
          const scope = yield* Scope.make()
          const poolScope = yield* Scope.make()
          const inner = yield* Scope.extend(
            world({ ...network, respond: () => Effect.succeed({ status: isHttp2 ? 200 : 101, body: Stream.never }) }),
            poolScope
          )
          const tunnel = yield* Scope.extend(open(inner), scope)
          const reading = yield* Effect.fork(Effect.flip(Stream.runDrain(tunnel.stream)))
          const writing = yield* Effect.fork(Effect.flip(tunnel.write(new Uint8Array(1_000_000))))
          yield* settle
          if (ending === "server") inner.network.connections[0].close()
          if (ending === "scope") yield* Scope.close(scope, Exit.void)
          if (ending === "pool") yield* Scope.close(poolScope, Exit.void)
          yield* settle
          const tag = ending === "scope" ? "BodyAbandoned" : "ReadError"
          strictEqual((yield* Fiber.join(reading))._tag, tag)
          strictEqual((yield* Fiber.join(writing))._tag, tag)
          yield* Scope.close(scope, Exit.void)
          strictEqual(counts(inner).leases, 0)
          yield* Scope.close(poolScope, Exit.void)
          deepStrictEqual(counts(inner), nothing)
        }
      }))

    it.scoped("that is refused gives the response, and its connection goes on", () =>
      Effect.gen(function*() {
        const respond = () => Effect.succeed({ status: 407, headers: { "proxy-authenticate": "Basic" }, body: "no" })
        const made = yield* world({ ...network, respond })
        for (const _ of [1, 2]) {
          const refused = yield* Effect.flip(Effect.scoped(open(made)))
          ok(refused._tag === "TunnelRefused")
          match(
            refused.message,
            isHttp2 ? /^http:\/\/proxy\.test:3128 .*CONNECT.* 407$/ : /^http:\/\/a\.test .*GET.* 407$/
          )
          strictEqual(refused.response.headers["proxy-authenticate"], "Basic")
          strictEqual(yield* refused.response.text, "no")
        }
        deepStrictEqual(counts(made), { ...nothing, sockets: 1, open: 1, permitsFree: 99 })
      }))
  })
}

describe("A request for a tunnel", () => {
  it.scoped("holds its permit, and the connection is not used again", () =>
    Effect.gen(function*() {
      const made = yield* world({}, { limits: { maxConnections: 1 } })
      const scope = yield* Scope.make()
      yield* Scope.extend(made.upgrade(), scope)
      const waits = yield* Effect.fork(made.client.get("http://a.test/"))
      yield* settle
      strictEqual(made.pool.unsafeStats().waiting, 1)
      yield* Scope.close(scope, Exit.void)
      strictEqual((yield* Fiber.join(waits)).status, 200)
      deepStrictEqual(made.network.connections.map((_) => _.requests.length), [1, 1])
      strictEqual(made.network.maxOpen, 1)
    }))

  it.scoped("has the timeouts of a request until its response", () =>
    Effect.gen(function*() {
      const made = yield* world({ respond: MemoryNetwork.hold })
      const silent = yield* Effect.fork(Effect.flip(Effect.scoped(made.upgrade())))
      yield* settle
      yield* TestClock.adjust("30 seconds")
      strictEqual((yield* Fiber.join(silent))._tag, "ReadTimeout")
      const total = yield* Effect.fork(Effect.flip(Timeouts.locally(Effect.scoped(made.upgrade()), { total: 10 })))
      yield* settle
      yield* TestClock.adjust(10)
      strictEqual((yield* Fiber.join(total))._tag, "TotalTimeout")
      yield* settle
      deepStrictEqual(counts(made), nothing)
    }))

  it.scoped("is sent again when its connection had died while it was idle", () =>
    Effect.gen(function*() {
      let requests = 0
      const made = yield* world({
        respond: (request) => {
          requests++
          if (requests === 2) request.connection.close()
          return echo(request)
        }
      })
      yield* made.client.get("http://a.test/")
      strictEqual((yield* made.upgrade()).response.status, 101)
      strictEqual(requests, 3)
    }))

  it.scoped("says where it wants to go, and keeps the proxy's credentials for the proxy", () =>
    Effect.gen(function*() {
      const made = yield* world()
      yield* made.connect("b.test:443", HttpClientRequest.get("http://me:secret@proxy.test:3128/path?query"))
      const { headers, method, target } = made.network.requests[0]
      deepStrictEqual([method, target], ["CONNECT", "b.test:443"])
      deepStrictEqual({ ...headers }, { host: "b.test:443", "proxy-authorization": `Basic ${btoa("me:secret")}` })
    }))

  it.scoped("that makes no sense is not sent", () =>
    Effect.gen(function*() {
      const http2 = yield* world(h2)
      const made = yield* world()
      const body = HttpClientRequest.setBody(HttpBody.text("body"))
      const wrong: ReadonlyArray<readonly [Effect.Effect<unknown, { readonly _tag: string }, Scope.Scope>, RegExp]> = [
        [made.upgrade(HttpClientRequest.get("http://a.test/")), /upgrade header/],
        [made.upgrade(body(asks)), /no body/],
        [made.connect("b.test:1", body(HttpClientRequest.get("http://proxy.test"))), /no body/],
        [http2.upgrade(), /HTTP\/2, which knows no Upgrade/],
        // By the client there is no way to use it.
        [made.client.execute(HttpClientRequest.setMethod(asks, "CONNECT" as never)), /Tunnel\.connect/]
      ]
      for (const [effect, message] of wrong) {
        const error = yield* Effect.flip(Effect.scoped(effect))
        strictEqual(error._tag, "LocalProtocolError")
        match((error as unknown as Error).message, message)
      }
      deepStrictEqual([made.network.requests.length, http2.network.requests.length], [0, 0])
      strictEqual(http2.pool.unsafeStats().leases, 0)
    }))

  it.scoped("is not what the client makes: a 101 that it gets is an error", () =>
    Effect.gen(function*() {
      const made = yield* world()
      const error = yield* Effect.flip(made.client.execute(asks))
      ok(error._tag === "RemoteProtocolError")
      strictEqual(error.code, "UnexpectedUpgrade")
      match(error.message, /Tunnel\.upgrade/)
      yield* settle
      deepStrictEqual(counts(made), nothing)
    }))
})
