import type { HttpClient } from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Origin from "@sluice/core/Origin"
import type { HttpClientLayer } from "@sluice/node"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { AsyncLocalStorage } from "node:async_hooks"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { makeClient, settled, turns, until } from "./support.js"

// What loggers, tracers and stores of tenants keep in AsyncLocalStorage is that of the request whose code runs, on whichever
// connection it came, whoever dialled it and whatever else came in the same bytes.
const store = new AsyncLocalStorage<string>()

interface Transport {
  readonly tls: boolean
  readonly http2: boolean | "prior-knowledge"
}

const transports: Record<string, Transport> = {
  "HTTP/1.1": { tls: false, http2: false },
  "HTTP/1.1 over TLS": { tls: true, http2: false },
  "HTTP/2": { tls: false, http2: "prior-knowledge" },
  "HTTP/2 over TLS": { tls: true, http2: true }
}

const start = (
  { http2, tls }: Transport,
  replies: Readonly<Record<string, Reply.Reply>>,
  options: HttpClientLayer.Options = {}
) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({ tls, http2: http2 !== false, replies })
    const made = yield* makeClient({
      http2,
      limits: { maxConnections: 1 },
      ...(server.ca === undefined ? {} : { tls: { ca: server.ca } }),
      ...options
    })
    // Alice dials; the connection is used by all.
    const first = yield* Fiber.join(store.run("alice", () => Effect.runFork(made.client.get(`${server.url}/first`))))
    yield* first.text
    return { ...made, server }
  })

/** Who `of` finds in the store wherever it notes it. */
const seenBy = (names: ReadonlyArray<string>, of: (note: Effect.Effect<void>) => Effect.Effect<unknown, unknown>) =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const fibers = names.map((name) =>
      store.run(name, () => Effect.runFork(of(Effect.sync(() => seen.push(`${name} ${store.getStore()}`)))))
    )
    yield* Effect.addFinalizer(() => Fiber.interruptAll(fibers))
    return { fibers, seen, all: Effect.as(Fiber.awaitAll(fibers), seen) }
  })

const assertOwn = (seen: ReadonlyArray<string>, count: number) => {
  assert.lengthOf(seen, count)
  for (const line of seen) assert.match(line, /^(\w+) \1$/)
}

const names = ["bob", "carol", "dave", "erin", "frank"]

describe.each(Object.entries(transports))("The context of a request, %s", (_, transport) => {
  const first = { "/first": Reply.text("first") }

  it.scopedLive("is its own after the head, the text, each chunk, and in the stream of its upload", () =>
    Effect.gen(function*() {
      const { client, server } = yield* start(transport, { ...first, "/echo": Reply.echo() })
      const { all } = yield* seenBy(names, (note) => {
        const body = Stream.make("a", "b", "c").pipe(Stream.encodeText, Stream.tap(() => note), Stream.ensuring(note))
        const request = HttpClientRequest.post(`${server.url}/echo`).pipe(HttpClientRequest.bodyStream(body))
        return Effect.gen(function*() {
          const text = yield* client.execute(request)
          yield* note
          yield* text.text
          yield* note
          const streamed = yield* client.execute(request)
          yield* Stream.runForEach(streamed.stream, () => note)
          yield* note
        })
      })
      const seen = yield* all
      for (const line of seen) assert.match(line, /^(\w+) \1$/)
      assert.isAtLeast(seen.length, names.length * 12)
    }))

  it.scopedLive("is its own when the responses of several come together", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { client, server } = yield* start(transport, { ...first, "/held": Reply.text("held", { hold: gate }) }, {
        limits: { maxConnections: names.length }
      })
      const { all } = yield* seenBy(names, (note) =>
        Effect.gen(function*() {
          const response = yield* client.get(`${server.url}/held`)
          yield* note
          // What it forks, and where it yields, is its own as well.
          yield* Effect.all([note, Effect.zipRight(Effect.yieldNow(), note)], { concurrency: "unbounded" })
          yield* response.text
          yield* note
        }))
      yield* gate.awaitHeld(names.length)
      yield* gate.open
      assertOwn(yield* all, names.length * 4)
    }))

  it.scopedLive("is its own when a connection with several requests breaks, and when they are too late together", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const replies = { ...first, "/never": Reply.text("never", { hold: gate }) }
      const limits = { maxConnections: names.length }
      const ask = (url: string, client: HttpClient) => (note: Effect.Effect<void>) =>
        Effect.onExit(client.post(url), (exit) => Exit.isFailure(exit) ? note : Effect.void)
      const hasty = yield* start(transport, replies, { limits, timeouts: { headers: "50 millis" } })
      const late = yield* seenBy(names, ask(`${hasty.server.url}/never`, hasty.client))
      assertOwn(yield* late.all, names.length)
      yield* until(() => hasty.pool.unsafeStats().leases === 0)
      const patient = yield* start(transport, replies, { limits })
      const broken = yield* seenBy(names, ask(`${patient.server.url}/never`, patient.client))
      yield* patient.server.awaitStats((stats) => stats.activeRequests === names.length)
      yield* patient.server.destroyConnections("reset")
      assertOwn(yield* broken.all, names.length)
    }))

  it.scopedLive("is its own when they wait for a connection, and get none", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { client, pool, server } = yield* start(transport, { ...first, "/held": Reply.text("x", { hold: gate }) }, {
        limits: { maxConnections: 1 },
        timeouts: { pool: "50 millis", headers: "50 millis" }
      })
      yield* pool.setLimits({ maxConnections: 1 })
      const { all } = yield* seenBy(names, (note) => Effect.ensuring(client.get(`${server.url}/held`), note))
      assertOwn(yield* all, names.length)
    }))

  it.scopedLive("is its own in onInformational, in Effects after it, and in the finalizer of a refused upload", () =>
    Effect.gen(function*() {
      const received: Array<string | undefined> = []
      const { client, server } = yield* start(transport, {
        ...first,
        "/hints": Reply.text("x", { informational: [{ status: 103, headers: { link: "</a>" } }] })
      }, { onInformational: () => received.push(store.getStore()) })
      yield* server.reply("/refuse", Reply.text("no", { status: 413, connection: "close" }), { early: true })
      const hints = yield* seenBy(["bob"], (note) => Effect.zipRight(client.get(`${server.url}/hints`), note))
      assertOwn(yield* hints.all, 1)
      assert.deepStrictEqual(received, ["bob"])
      const refused = yield* seenBy(["carol"], (note) => {
        const endless = Stream.ensuring(Stream.repeatEffect(Effect.succeed(new Uint8Array(65536))), note)
        const request = HttpClientRequest.post(`${server.url}/refuse`).pipe(HttpClientRequest.bodyStream(endless))
        return Effect.ensuring(client.execute(request), note)
      })
      yield* refused.all
      yield* until(() => refused.seen.length === 2)
      assertOwn(refused.seen, 2)
    }))

  it.scopedLive("those who listen to events have their own, and so have waiters for a connection itself", () =>
    Effect.gen(function*() {
      const { client, pool, server } = yield* start(transport, first)
      const { fibers, seen } = yield* seenBy(["listener"], (note) => Stream.runForEach(pool.events, () => note))
      yield* Effect.yieldNow()
      const asked = yield* seenBy(["bob"], () => client.get(`${server.url}/first`))
      yield* asked.all
      yield* pool.evictIdle
      yield* until(() => seen.length > 1)
      yield* Fiber.interruptAll(fibers)
      assertOwn(seen, seen.length)
    }))

  it.scopedLive("is kept by nothing when its request is over, whatever it has left behind", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        tls: transport.tls,
        http2: transport.http2 !== false,
        replies: { ...first, "/echo": Reply.echo(), "/never": Reply.never, "/endless": Reply.size(1e9) }
      })
      const { client, pool } = yield* makeClient({
        http2: transport.http2,
        limits: { maxConnections: 1, keepAliveExpiry: "1 hour", maxConnectionAge: "2 hours" },
        timeouts: { pool: "50 millis", headers: "50 millis" },
        ...(server.ca === undefined ? {} : { tls: { ca: server.ca } })
      })
      const upload = HttpClientRequest.bodyStream(Stream.make(new Uint8Array(9)))
      const requests: Record<string, Effect.Effect<unknown, unknown>> = {
        "that dials": client.get(`${server.url}/first`),
        "that is the second": client.get(`${server.url}/first`),
        "with a text": Effect.flatMap(client.get(`${server.url}/first`), (response) => response.text),
        "with a stream": Effect.flatMap(
          client.get(`${server.url}/first`),
          (response) => Stream.runDrain(response.stream)
        ),
        "with an upload": client.execute(HttpClientRequest.post(`${server.url}/echo`).pipe(upload)),
        "that waits in the queue": Effect.all(Effect.replicate(client.get(`${server.url}/first`), 3), {
          concurrency: "unbounded"
        }),
        "that is left": Effect.flatMap(
          client.get(`${server.url}/endless`),
          (response) => Stream.runDrain(Stream.take(response.stream, 1))
        ),
        "that is too late": client.get(`${server.url}/never`),
        "that is interrupted": Effect.timeout(client.get(`${server.url}/never`), "10 millis"),
        "that warms": Effect.flatMap(Origin.make(server.url), (origin) => pool.warm(origin, 1)),
        "that dials the last one": client.get(`${server.url}/first`)
      }
      const kept: Record<string, WeakRef<object>> = {}
      for (const [name, request] of Object.entries(requests)) {
        kept[name] = yield* Effect.promise(() => keptStore(() => Effect.runPromiseExit(request)))
        yield* settled(pool)
      }
      const left = () => Object.keys(kept).filter((name) => kept[name].deref() !== undefined)
      // What a single collection leaves is the collector's business.
      for (let round = 0; round < 20 && left().length > 0; round++) {
        yield* turns(5)
        collectGarbage()
      }
      assert.deepStrictEqual(left(), [])
      assert.strictEqual(pool.unsafeStats().open, 1)
    }))
})

const objects = new AsyncLocalStorage<object>()

/** Runs a request with a store of its own, which nobody holds afterwards but who should not. */
const keptStore = async (request: () => Promise<unknown>): Promise<WeakRef<object>> => {
  const store = new WeakRef<object>({ user: "alice" })
  await objects.run(store.deref() as object, request)
  return store
}

const collectGarbage = (() => {
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc") as () => void
})()
