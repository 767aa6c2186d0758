import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Origin from "@sluice/core/Origin"
import { describeFailure } from "@sluice/engine"
import { Frame, Reply, TestServer } from "@sluice/test-server"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { failure, makeClient, responseTo, startPeer, turns, until } from "./support.js"

const start = (replies: TestServer.Options["replies"], options: TestServer.Options = {}) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({ http2: true, replies, ...options })
    return { server, ...(yield* makeClient({ http2: "prior-knowledge" })) }
  })

describe("The head of a request", () => {
  it.scoped("has pseudo fields first, cookies in crumbs, and nothing that belongs to HTTP/1.1", () =>
    Effect.gen(function*() {
      const { client, peer } = yield* startPeer()
      yield* Effect.fork(client.execute(
        HttpClientRequest.get(`${peer.url}/path?query=1`, {
          headers: {
            "X-Case": "Kept",
            cookie: "a=b; c=d",
            connection: "x-hop, keep-alive",
            "x-hop": "1",
            "keep-alive": "timeout=5",
            "proxy-connection": "close",
            "transfer-encoding": "chunked",
            upgrade: "h2c",
            te: "gzip, trailers",
            priority: "u=1, i",
            host: peer.url.slice("http://".length)
          }
        })
      ))
      const connection = yield* peer.accept
      const { endStream, fields } = yield* connection.take("Headers")
      assert.isTrue(endStream)
      assert.deepStrictEqual(fields.slice(0, 4).map(([name]) => name).sort(), [
        ":authority",
        ":method",
        ":path",
        ":scheme"
      ])
      assert.sameDeepMembers(
        fields.slice(4).filter(([name]) => !["traceparent", "b3", "accept-encoding"].includes(name)) as never,
        [
          ["x-case", "Kept"],
          ["cookie", "a=b"],
          ["cookie", "c=d"],
          ["te", "trailers"],
          ["priority", "u=1, i"]
        ]
      )
      assert.deepInclude(fields, [":path", "/path?query=1"])
    }))

  it.scoped("that cannot be sent is a local error, and the connection is not touched", () =>
    Effect.gen(function*() {
      const { client, pool, server } = yield* start({ "/": Reply.text("ok") })
      yield* client.get(server.url)
      for (
        const headers of [
          { "x-bad": "a\r\nb" },
          { "bad name": "x" },
          { host: "no host at all" },
          { "x-uni": "\u20ac" },
          { "content-length": "3" }
        ]
      ) {
        const error = yield* Effect.flip(
          client.execute(HttpClientRequest.get(server.url, { headers: headers as never }))
        )
        assert.strictEqual(error._tag, "LocalProtocolError", JSON.stringify(headers))
        assert.isFalse(error.written)
      }
      const large = { "x-large": "v".repeat(2_000_000) }
      const error = yield* Effect.flip(client.execute(HttpClientRequest.get(server.url, { headers: large })))
      assert.strictEqual(error._tag, "LocalProtocolError")
      assert.strictEqual((yield* client.get(server.url)).status, 200)
      assert.isAtMost(pool.unsafeStats().open, 2)
    }))
})

describe("Answers", () => {
  it.scoped("with HEAD, 204, 304 and interim ones", () =>
    Effect.gen(function*() {
      const hints: Array<number> = []
      const server = yield* TestServer.make({
        http2: true,
        replies: {
          "HEAD /": Reply.text("never sent"),
          "/204": Reply.empty({ status: 204 }),
          "/304": Reply.empty({ status: 304 }),
          "/hints": Reply.text("ok", { informational: [{ status: 103, headers: { link: "</a>" } }, { status: 103 }] })
        }
      })
      const { client } = yield* makeClient({
        http2: "prior-knowledge",
        onInformational: (_, head) => void hints.push(head.status)
      })
      const head = yield* client.head(server.url)
      assert.strictEqual(head.headers["content-length"], "10")
      assert.strictEqual(yield* head.text, "")
      for (const status of [204, 304]) {
        const response = yield* client.get(`${server.url}/${status}`)
        assert.strictEqual(response.status, status)
        assert.strictEqual(yield* response.text, "")
      }
      assert.strictEqual(yield* (yield* client.get(`${server.url}/hints`)).text, "ok")
      assert.deepStrictEqual(hints, [103, 103])
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [4])
    }))

  it.scoped("with trailers, and fields given twice", () =>
    Effect.gen(function*() {
      const { client, server } = yield* start({
        "/": Reply.chunks(["ab", "cd"], { trailers: { "x-sum": "4" }, headers: { "set-cookie": ["a=1", "b=2"] } })
      })
      const response = yield* client.get(server.url)
      assert.strictEqual(yield* response.text, "abcd")
      assert.deepStrictEqual({ ...(response as unknown as { readonly trailers: object }).trailers }, { "x-sum": "4" })
      assert.include(JSON.stringify(response.cookies), "\"b\"")
    }))

  it.scoped("whose head is too large fail alone", () =>
    Effect.gen(function*() {
      const { get, peer } = yield* startPeer({ client: { http2: "prior-knowledge", maxHeaderSize: 2000 } })
      const request = yield* get()
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      yield* connection.send(Frame.headers(streamId, [[":status", "200"], ["x-large", "v".repeat(3000)]]))
      const error = yield* failure(request)
      assert.oneOf(error._tag, ["RemoteProtocolError", "StreamReset"])
      const next = yield* get()
      yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
      assert.strictEqual(yield* Fiber.join(next), "ok")
    }))
})

describe("Bodies of requests", () => {
  it.scoped("larger than all windows, in one piece and in chunks of unknown length", () =>
    Effect.gen(function*() {
      const { client, server } = yield* start({ "*": Reply.text("got it") }, { maxRecordedBody: 1_000_000 })
      const bytes = Uint8Array.from({ length: 700_001 }, (_, n) => n % 251)
      const chunks = Stream.fromIterable(
        Array.from({ length: 70 }, (_, n) => bytes.subarray(n * 10_000, (n + 1) * 10_000))
      )
      yield* client.post(`${server.url}/whole`, { body: HttpBody.uint8Array(bytes) })
      yield* client.post(`${server.url}/chunks`, { body: HttpBody.stream(chunks) })
      const [whole, inParts] = yield* server.requests
      assert.deepStrictEqual(Buffer.from(whole.body), Buffer.from(bytes))
      assert.strictEqual(whole.header("content-length"), "700001")
      assert.deepStrictEqual(Buffer.from(inParts.body), Buffer.from(bytes.subarray(0, 700_000)))
      assert.isUndefined(inParts.header("content-length"))
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
    }))

  it.scoped("are pulled no faster than the server takes them", () =>
    Effect.gen(function*() {
      const { client, peer } = yield* startPeer()
      let pulled = 0
      const chunk = new Uint8Array(10_000)
      const body = Stream.repeatEffect(Effect.sync(() => {
        pulled += chunk.length
        return chunk
      }))
      yield* Effect.fork(client.post(peer.url, { body: HttpBody.stream(body) }))
      const connection = yield* peer.accept
      yield* connection.take("Headers")
      let taken = 0
      while (taken < 65_535) taken += (yield* connection.take("Data")).data.length
      yield* turns(50)
      assert.isBelow(pulled, 200_000)
    }))

  it.scoped("go on while the response is read, both ways at once", () =>
    Effect.gen(function*() {
      const { client, server } = yield* start({ "/echo": Reply.echo() })
      const queue = yield* Queue.unbounded<Uint8Array>()
      const text = new TextEncoder()
      yield* Queue.offer(queue, text.encode("one"))
      const response = yield* client.post(`${server.url}/echo`, { body: HttpBody.stream(Stream.fromQueue(queue)) })
      const received: Array<string> = []
      yield* Stream.runForEachWhile(Stream.decodeText(response.stream), (word) =>
        Effect.gen(function*() {
          received.push(word)
          if (word === "two") return false
          yield* Queue.offer(queue, text.encode("two"))
          return true
        }))
      assert.deepStrictEqual(received, ["one", "two"])
      yield* until(() => server.unsafeStats().activeRequests === 0)
    }))

  it.scoped("wait for 100 Continue where they are to", () =>
    Effect.gen(function*() {
      const { client, server } = yield* start({ "/": Reply.text("thanks") })
      const response = yield* client.post(server.url, {
        headers: { expect: "100-continue" },
        body: HttpBody.text("body")
      })
      assert.strictEqual(yield* response.text, "thanks")
      assert.strictEqual((yield* server.requests)[0].text, "body")
    }))

  it.scoped("that fail reset their stream and nothing else", () =>
    Effect.gen(function*() {
      const { client, pool, server } = yield* start({ "/": Reply.text("ok") })
      const body = Stream.concat(Stream.make(new Uint8Array(10)), Stream.fail("no more"))
      const error = yield* Effect.flip(client.post(server.url, { body: HttpBody.stream(body) }))
      assert.deepInclude(error, { _tag: "RequestBodyError", cause: "no more" })
      assert.strictEqual((yield* client.get(server.url)).status, 200)
      yield* until(() => server.unsafeStats().activeRequests === 0)
      yield* until(() => pool.unsafeStats().active === 0)
      assert.strictEqual(pool.unsafeStats().open, 1)
    }))
})

describe("Flow control", () => {
  it.scoped("bodies that nobody reads, and cancelled ones, do not hold up the others", () =>
    Effect.gen(function*() {
      const { client, server } = yield* start({ "/big": Reply.size(50_000_000), "/small": Reply.size(200_000) })
      const unread = yield* Effect.all(
        Array.from({ length: 20 }, () => client.get(`${server.url}/big`)),
        { concurrency: "unbounded" }
      )
      for (let n = 0; n < 20; n++) {
        const cut = yield* client.get(`${server.url}/big`)
        yield* Stream.runHead(cut.stream)
        const body = yield* (yield* client.get(`${server.url}/small`)).arrayBuffer
        assert.strictEqual(body.byteLength, 200_000)
      }
      assert.strictEqual(unread.length, 20)
      assert.strictEqual((yield* server.stats).connectionsOpened, 1)
    }))

  it.scoped("says how much it takes, gives the connection's window back at receipt, a stream's as it is read", () =>
    Effect.gen(function*() {
      const { client, peer } = yield* startPeer({
        http2: { initialWindowSize: 100_000, connectionWindowSize: 200_000 },
        client: { maxBufferedBody: 1000 }
      })
      const request = yield* Effect.fork(client.get(peer.url))
      const connection = yield* peer.accept
      const settings = yield* connection.take("Settings")
      assert.deepInclude(settings.settings, [4, 100_000])
      assert.deepInclude(settings.settings, [2, 0])
      const { streamId } = yield* connection.take("Headers")
      assert.strictEqual((yield* connection.take("WindowUpdate", 0)).increment, 200_000 - 65_535)
      yield* connection.send(Frame.headers(streamId, [[":status", "200"]]))
      const response = yield* Fiber.join(request)
      for (let n = 0; n < 10; n++) {
        yield* connection.send(Frame.data(streamId, new Uint8Array(10_000)))
        yield* turns(3)
      }
      const credited = (frames: ReadonlyArray<Frame.ReceivedFrame>, id: number) =>
        frames.reduce(
          (sum, frame) => frame._tag === "WindowUpdate" && frame.streamId === id ? sum + frame.increment : sum,
          0
        )
      yield* turns(20)
      const before = yield* connection.frames
      assert.isAtLeast(credited(before, 0) - (200_000 - 65_535), 99_999)
      assert.isBelow(credited(before, streamId), 60_000)
      const all = yield* Effect.fork(response.arrayBuffer)
      yield* turns(20)
      assert.isAtLeast(credited(yield* connection.frames, streamId), 50_000)
      yield* connection.send(Frame.data(streamId, "", { endStream: true }))
      assert.strictEqual((yield* Fiber.join(all)).byteLength, 100_000)
    }))

  it.scoped("a slow reader gets all of it", () =>
    Effect.gen(function*() {
      const { client, server } = yield* start({ "/": Reply.size(3_000_000) })
      const response = yield* client.get(server.url)
      const sizes = yield* Stream.runCollect(
        Stream.mapEffect(response.stream, (chunk) => Effect.as(turns(1), chunk.length))
      )
      assert.strictEqual(Chunk.reduce(sizes, 0, (sum, size) => sum + size), 3_000_000)
    }))
})

describe("CONNECT", () => {
  it.scoped("names the other side, and no path", () =>
    Effect.gen(function*() {
      const { peer, pool } = yield* startPeer()
      const origin = Either.getOrThrow(Origin.make(peer.url))
      const { connection } = yield* pool.acquire(origin)
      const received: Array<string> = []
      const exchange = connection.exchange({
        origin,
        method: "CONNECT",
        target: "inner.example:443",
        headers: {},
        body: { _tag: "Chunks", length: undefined },
        retryable: false
      }, {
        onWritten: () => {},
        onSent: () => {},
        onDrain: () => {},
        onProgress: () => {},
        onInformational: () => {},
        onHead: (head) => void received.push(String(head.status)),
        onData: (bytes) => void received.push(Buffer.from(bytes).toString()),
        onComplete: () => void received.push("end"),
        onError: (failure) => void received.push(describeFailure(failure))
      })
      const far = yield* peer.accept
      const { fields, streamId } = yield* far.take("Headers")
      assert.deepStrictEqual(fields, [[":method", "CONNECT"], [":authority", "inner.example:443"]])
      yield* far.send(Frame.headers(streamId, [[":status", "200"]]))
      exchange.write(Buffer.from("ping"))
      assert.strictEqual(Buffer.from((yield* far.take("Data")).data).toString(), "ping")
      yield* far.send(Frame.data(streamId, "pong"), Frame.data(streamId, "", { endStream: true }))
      yield* until(() => received.includes("end"))
      assert.deepStrictEqual(received, ["200", "pong", "end"])
    }))
})
