import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import type { ConnectionListener } from "../../src/Connection.js"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import * as PooledHttpClient from "../../src/PooledHttpClient.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { settle } from "../../src/testing/settle.js"
import { get, receiver } from "./support/exchange.js"
import { a, b } from "./support/origins.js"

const connect = (options: MemoryNetwork.Options = {}) =>
  Effect.gen(function*() {
    const network = yield* MemoryNetwork.make(options)
    const notified: Array<string> = []
    const listener: ConnectionListener = {
      onCapacity: (capacity) => notified.push(`capacity ${capacity}`),
      onDraining: () => notified.push("draining"),
      onClosed: (reason) => notified.push(`closed ${reason}`)
    }
    const connection = yield* network.connector.connect(a, listener)
    return { network, connection, notified, server: network.connections[0] }
  })

const bytes = (text: string) => new TextEncoder().encode(text)

describe("MemoryNetwork", () => {
  it.scoped("notifies of nothing before exchange() has returned, then everything in order", () =>
    Effect.gen(function*() {
      const { connection, network } = yield* connect({
        respond: () =>
          Effect.succeed({
            status: 201,
            headers: { x: "1" },
            interim: [{ status: 103 }],
            body: Stream.make("a", "b"),
            trailers: { t: "2" }
          })
      })
      const received = receiver()
      connection.exchange(get(connection), received)
      deepStrictEqual(received.said, [])
      yield* settle
      deepStrictEqual(received.said, [
        "interim 103",
        "head 201 x 1 transfer-encoding chunked",
        "data a",
        "data b",
        "complete t 2"
      ])
      deepStrictEqual(network.faults, [])
    }))

  it.scoped("has the trailers of a request when all of it has come", () =>
    Effect.gen(function*() {
      const { connection, network } = yield* connect()
      const exchange = connection.exchange(
        get(connection, { _tag: "Chunks", length: undefined, trailers: true }),
        receiver()
      )
      exchange.write(bytes("ab"))
      yield* settle
      deepStrictEqual(network.requests[0].trailers, {})
      exchange.end({ t: "1" })
      yield* settle
      deepStrictEqual(network.requests[0].trailers, { t: "1" })
    }))

  it.scoped("is reusable until an HTTP/1.1 exchange begins, and again after its clean end", () =>
    Effect.gen(function*() {
      const { connection, server } = yield* connect()
      const reusableAtTheEnd: Array<boolean> = []
      strictEqual(connection.reusable, true)
      connection.exchange(get(connection), {
        ...receiver(),
        onComplete: () => reusableAtTheEnd.push(connection.reusable)
      })
      strictEqual(connection.reusable, false)
      yield* settle
      deepStrictEqual(reusableAtTheEnd, [true])
      strictEqual(server.active, 0)
    }))

  it.scoped("is not reusable after connection: close, a cancelled or a failed exchange", () =>
    Effect.gen(function*() {
      const closing = yield* connect({ respond: () => Effect.succeed({ headers: { connection: "close" } }) })
      closing.connection.exchange(get(closing.connection), receiver())
      yield* settle
      strictEqual(closing.connection.reusable, false)

      const silent = yield* connect({ respond: () => Effect.never })
      const received = receiver()
      silent.connection.exchange(get(silent.connection), received).cancel("Unwanted")
      yield* settle
      deepStrictEqual([silent.connection.reusable, received.said], [false, []])
      strictEqual(silent.network.requests[0].state, "Cancelled")
    }))

  it.scoped("takes the server's keep-alive hint from its headers", () =>
    Effect.gen(function*() {
      const { connection } = yield* connect({
        respond: () => Effect.succeed({ headers: { "keep-alive": "timeout=7, max=100" } })
      })
      connection.exchange(get(connection), receiver())
      yield* settle
      strictEqual(connection.keepAliveHint, 7000)
    }))

  it.scoped("carries HTTP/2 streams at once, and loses only the one that is cancelled", () =>
    Effect.gen(function*() {
      const { connection, server } = yield* connect({
        dial: () => Effect.succeed({ protocol: "h2", capacity: 3 }),
        respond: MemoryNetwork.hold
      })
      const [one, two] = [receiver(), receiver()]
      const first = connection.exchange(get(connection), one)
      connection.exchange(get(connection), two)
      yield* settle
      deepStrictEqual([connection.capacity, server.active], [3, 2])
      first.cancel("Unwanted")
      server.requests[1].succeed({ body: "two" })
      yield* settle
      deepStrictEqual(one.said, ["sent"])
      deepStrictEqual(two.said, ["sent", "head 200 content-length 3", "data two", "complete"])
      strictEqual(server.requests[0].state, "Cancelled")
      deepStrictEqual([connection.reusable, server.active, server.maxActive], [true, 0, 2])
    }))

  it.scoped("waits on Effect's clock, before the response and between its chunks", () =>
    Effect.gen(function*() {
      const parts = Stream.concat(Stream.make("a"), Stream.fromEffect(Effect.delay(Effect.succeed("b"), "2 seconds")))
      const { connection } = yield* connect({
        respond: () => Effect.delay(Effect.succeed({ body: parts }), "1 second")
      })
      const received = receiver()
      connection.exchange(get(connection), received)
      yield* TestClock.adjust(999)
      deepStrictEqual(received.said, [])
      yield* TestClock.adjust(1)
      deepStrictEqual(received.said, ["head 200 transfer-encoding chunked", "data a"])
      yield* TestClock.adjust("2 seconds")
      deepStrictEqual(received.said.slice(2), ["data b", "complete"])
    }))

  it.scoped("reads nothing between pause and resume", () =>
    Effect.gen(function*() {
      const { connection } = yield* connect({ respond: () => Effect.succeed({ body: Stream.make("a", "b") }) })
      const received = receiver()
      const exchange = connection.exchange(get(connection), received)
      exchange.pause()
      yield* settle
      deepStrictEqual(received.said, [])
      exchange.resume()
      yield* settle
      deepStrictEqual(received.said, ["head 200 transfer-encoding chunked", "data a", "data b", "complete"])
    }))

  it.scoped("takes a window of a body that nobody reads, and more as it is read", () =>
    Effect.gen(function*() {
      const reading = yield* Effect.makeLatch()
      const { connection, network } = yield* connect({
        dial: () => Effect.succeed({ window: 4, buffer: 8 }),
        respond: (request) => Effect.zipRight(reading.await, Effect.map(request.text, (body) => ({ body })))
      })
      const received = receiver()
      const exchange = connection.exchange(get(connection, { _tag: "Chunks", length: undefined }), received)
      // A socket of Node's takes 16 KiB more than the network has room for.
      deepStrictEqual([exchange.write(bytes("1234")), exchange.write(new Uint8Array(20_000))], [true, false])
      yield* settle
      deepStrictEqual([received.said, exchange.sent], [[], false])
      const parts = network.requests[0].parts.length
      yield* reading.open
      yield* settle
      deepStrictEqual(received.said, ["drain"])
      exchange.end()
      yield* settle
      deepStrictEqual(received.said.filter((said) => said !== "progress").slice(0, 2), [
        "drain",
        "head 200 content-length 20004"
      ])
      ok(exchange.sent && network.requests[0].parts.length > parts)
    }))

  it.scoped("notifies the exchanges, then the pool, that the server has closed", () =>
    Effect.gen(function*() {
      const { connection, server, notified } = yield* connect({ respond: () => Effect.never })
      const received: Array<string> = []
      connection.exchange(get(connection), {
        ...receiver(),
        onError: (error) => received.push(`${error._tag}, ${notified.length} notified`)
      })
      yield* settle
      server.close()
      yield* settle
      deepStrictEqual([received, notified], [["ReadError, 0 notified"], ["closed Failed", "closed ClosedByPeer"]])
      deepStrictEqual([server.isOpen, connection.reusable], [false, false])
    }))

  it.scoped("passes on changes of capacity and GOAWAY", () =>
    Effect.gen(function*() {
      const { connection, server, notified } = yield* connect({ dial: () => Effect.succeed({ protocol: "h2" }) })
      server.setCapacity(0)
      server.goAway()
      yield* settle
      deepStrictEqual([connection.capacity, connection.reusable], [0, false])
      deepStrictEqual(notified, ["capacity 0", "draining"])
    }))

  it.effect("leaves no socket and no fiber when its scope ends, however slowly it closes", () =>
    Effect.gen(function*() {
      const network = yield* MemoryNetwork.make({
        dial: () => Effect.succeed({ closing: Effect.sleep("3 seconds") }),
        respond: () => Effect.never
      })
      const scope = yield* Scope.make()
      const listener = { onCapacity: () => {}, onDraining: () => {}, onClosed: () => {} }
      const connection = yield* Scope.extend(network.connector.connect(b, listener), scope)
      const received = receiver()
      connection.exchange(get(connection), received)
      yield* settle
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("2 seconds")
      deepStrictEqual([network.open, received.said], [1, ["error ReadError"]])
      yield* TestClock.adjust("1 second")
      deepStrictEqual([network.open, network.maxOpen], [0, 1])
      yield* Fiber.join(closing)
    }))

  it.effect("counts the socket of a dial, and forgets it when the dial is abandoned", () =>
    Effect.gen(function*() {
      const network = yield* MemoryNetwork.make({ dial: MemoryNetwork.hold })
      const listener = { onCapacity: () => {}, onDraining: () => {}, onClosed: () => {} }
      const dialing = yield* Effect.fork(Effect.scoped(network.connector.connect(a, listener)))
      yield* settle
      deepStrictEqual([network.open, network.dials[0].state], [1, "Dialing"])
      yield* Fiber.interrupt(dialing)
      deepStrictEqual([network.open, network.dials[0].state], [0, "Interrupted"])
    }))

  it.scoped("notes a request on a closed connection, and one that is not for its origin", () =>
    Effect.gen(function*() {
      const { connection, network, server } = yield* connect({ dial: () => Effect.succeed({ protocol: "h2" }) })
      connection.exchange({ ...get(connection), origin: b }, receiver())
      yield* settle
      server.close()
      yield* settle
      const received = receiver()
      connection.exchange(get(connection), received)
      deepStrictEqual(received.said, [])
      yield* settle
      deepStrictEqual(received.said, ["error ReadError"])
      strictEqual(network.faults.length, 2)
      ok(network.faults[0].includes("http://b.test"))
      ok(network.faults[1].includes("is closed"))
    }))

  it.effect("responds by route", () =>
    Effect.gen(function*() {
      const network = yield* MemoryNetwork.make({
        respond: MemoryNetwork.routes({
          "GET /hello": { body: "hello" },
          "POST http://b.test/hello": () => Effect.succeed({ status: 201, body: "of b" })
        })
      })
      const said = yield* Effect.forEach([a, b], (origin) =>
        Effect.scoped(Effect.gen(function*() {
          const listener = { onCapacity: () => {}, onDraining: () => {}, onClosed: () => {} }
          const connection = yield* network.connector.connect(origin, listener)
          const received = receiver()
          connection.exchange({ ...get(connection), target: "/hello" }, received)
          yield* settle
          return received.said[1]
        })))
      deepStrictEqual(said, ["data hello", "data hello"])
    }))
})

it.effect("a client or pool over it that was built with another Clock is a defect that says what to do", () =>
  Effect.gen(function*() {
    const live = PooledHttpClient.layer().pipe(Layer.provide(MemoryNetwork.layer()))
    const runtime = ManagedRuntime.make(live)
    const context = yield* Effect.promise(() => runtime.runPromise(Effect.context<Layer.Layer.Success<typeof live>>()))
    for (
      const use of [
        HttpClient.get("http://a.test/"),
        Effect.flatMap(PooledHttpClient.PooledHttpClient, (client) => client.get("http://a.test/")),
        Effect.flatMap(ConnectionPool.ConnectionPool, (pool) => pool.acquire(a))
      ]
    ) {
      const cause = yield* Effect.flip(
        Effect.sandbox(Effect.scoped(Effect.provide(use as Effect.Effect<unknown, unknown>, context)))
      )
      ok(Cause.pretty(cause).includes("was built outside of the test, with another Clock"), Cause.pretty(cause))
    }
    // Where no test moves a Clock it is as good as any other.
    yield* Effect.promise(() => runtime.runPromise(HttpClient.get("http://a.test/")))
    yield* Effect.promise(() => runtime.dispose())
  }))

describe("A response that comes before the end of its request, in memory as over sockets,", () => {
  const total = 300_000
  const chunks = Array.from({ length: 10 }, () => new Uint8Array(total / 10))

  /** The server responds as soon as the head is there, and reads nothing of the body. */
  const upload = (protocol: "http/1.1" | "h2", status: number, body: Stream.Stream<Uint8Array>) =>
    Effect.gen(function*() {
      const request = HttpClientRequest.bodyStream(HttpClientRequest.post("http://a.test/"), body)
      const response = yield* HttpClient.execute(request)
      const text = yield* response.text
      yield* settle
      const { upload, uploaded } = Option.getOrThrow(PooledHttpClient.connectionInfo(response))
      return { text, upload, uploaded }
    }).pipe(Effect.provide(
      PooledHttpClient.layer().pipe(Layer.provide(MemoryNetwork.layer({
        protocol: () => protocol,
        dial: () => Effect.succeed({ protocol, window: 1e6 }),
        respond: () => Effect.succeed({ status, body: "early" })
      })))
    ))

  it.effect("lets the upload go on when it is a success", () =>
    Effect.gen(function*() {
      const sent = Stream.fromIterable(chunks)
      deepStrictEqual(yield* upload("http/1.1", 201, sent), { text: "early", upload: "complete", uploaded: total })
      // By RST_STREAM with NO_ERROR the server says that it wants no more of it, as that of Node does (RFC 9113 §8.1).
      deepStrictEqual(yield* upload("h2", 201, sent), { text: "early", upload: "stopped", uploaded: 65_535 })
    }))

  for (const protocol of ["http/1.1", "h2"] as const) {
    it.effect(`ends it when it is none (${protocol})`, () =>
      Effect.gen(function*() {
        let hasEnded = false
        const endless = Stream.ensuring(
          Stream.concat(Stream.fromIterable(chunks), Stream.never),
          Effect.sync(() => hasEnded = true)
        )
        const { text, upload: state } = yield* upload(protocol, 413, endless)
        deepStrictEqual([text, state, hasEnded], ["early", "stopped", true])
      }))
  }
})

describe("A network that was written wrong", () => {
  const outcome = (options: MemoryNetwork.Options) =>
    Effect.flip(Effect.flatMap(HttpClient.get("https://api.test/"), (response) => response.text)).pipe(
      Effect.map(({ message }) => message),
      Effect.provide(PooledHttpClient.layer().pipe(Layer.provide(MemoryNetwork.layer(options)))),
      Effect.catchAllDefect((defect) => Effect.succeed((defect as Error).message))
    )
  const dial = (endpoint: unknown): MemoryNetwork.Options => ({
    dial: () => Effect.succeed(endpoint as MemoryNetwork.Endpoint)
  })
  const respond = (reply: unknown): MemoryNetwork.Options => ({
    respond: () => Effect.succeed(reply as MemoryNetwork.Reply)
  })
  const cases: Record<string, readonly [MemoryNetwork.Options, says: string]> = {
    "an option": [
      { response: () => Effect.succeed({}) } as MemoryNetwork.Options,
      "response is nothing that a network of MemoryNetwork has: there are dial, respond, protocol"
    ],
    "a field of a reply": [
      respond({ status: 200, json: {} }),
      "json is nothing that a reply of MemoryNetwork has: there are status, headers, body, trailers, raw, interim; it is " +
      "one of MockHttp's"
    ],
    "no reply": [respond(undefined), "the server of the test died: undefined is no reply"],
    "no Effect": [{ respond: () => ({}) as never }, "`respond` of MemoryNetwork gave no Effect"],
    "an assertion that throws": [
      {
        respond: () => {
          throw new Error("expected 1 to be 2")
        }
      },
      "the server of the test died: expected 1 to be 2"
    ],
    "a field of an endpoint": [dial({ latecy: "1 second" }), "latecy is nothing that an endpoint of MemoryNetwork has"],
    "a latency": [dial({ latency: "soon" }), "latency of an endpoint of MemoryNetwork is soon: expected a time"],
    "a wire without bandwidth": [dial({ bandwidth: 0 }), "bandwidth of an endpoint of MemoryNetwork is 0"],
    "a wire without room": [dial({ buffer: 0 }), "buffer of an endpoint of MemoryNetwork is 0"],
    "a protocol": [dial({ protocol: "h3" }), "protocol of an endpoint of MemoryNetwork is h3"]
  }
  for (const [name, [options, says]] of Object.entries(cases)) {
    it.effect(`says so: ${name}`, () =>
      Effect.gen(function*() {
        const said = yield* outcome(options)
        ok(said.includes(says), said)
      }))
  }
})
