import * as HttpBody from "@effect/platform/HttpBody"
import { assert, describe, it } from "@effect/vitest"
import { Frame, FramePeer, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { stat } from "node:fs"
import { failure, makeClient, passing, responseTo, startPeer, startRequest, turns, until } from "./support.js"

describe("RST_STREAM", () => {
  it.scoped("fails its own stream, by the name of its code; the others and the connection go on", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer()
      const first = yield* get()
      const connection = yield* peer.accept
      const one = yield* connection.take("Headers")
      const second = yield* get()
      const two = yield* connection.take("Headers")
      yield* connection.send(Frame.rstStream(one.streamId, 2))
      const error = yield* failure(first)
      assert.deepInclude(error, { _tag: "StreamReset", code: "INTERNAL_ERROR", written: true })
      yield* connection.send(...responseTo(two.streamId))
      assert.strictEqual(yield* Fiber.join(second), "ok")
      const third = yield* get()
      const three = yield* connection.take("Headers")
      yield* connection.send(Frame.rstStream(three.streamId, 99))
      assert.deepInclude(yield* failure(third), { _tag: "StreamReset", code: "code 99" })
      assert.strictEqual(pool.unsafeStats().open, 1)
      assert.strictEqual((yield* peer.stats).connectionsOpened, 1)
    }))

  it.scoped("fails the body of a response that has begun", () =>
    Effect.gen(function*() {
      const { connection, request, streamId } = yield* startRequest()
      yield* connection.send(Frame.headers(streamId, [[":status", "200"]]), Frame.data(streamId, "half"))
      yield* connection.send(Frame.rstStream(streamId, 8))
      const error = yield* failure(request)
      assert.deepInclude(error, { _tag: "StreamReset", code: "CANCEL", phase: "body", safeToRetry: true })
    }))

  it.scoped("takes NO_ERROR before the end of a response for what it is, a response that is not whole", () =>
    Effect.gen(function*() {
      const { connection, request, streamId } = yield* startRequest()
      yield* connection.send(
        Frame.headers(streamId, [[":status", "200"]]),
        Frame.data(streamId, "half"),
        Frame.rstStream(streamId, 0)
      )
      assert.deepInclude(yield* failure(request), { _tag: "RemoteProtocolError", code: "IncompleteResponse" })
    }))

  it.scoped("takes NO_ERROR after a whole response for a request to stop sending", () =>
    Effect.gen(function*() {
      const { client, get, peer } = yield* startPeer()
      const request = yield* Effect.fork(
        Effect.flatMap(
          client.post(peer.url, { body: HttpBody.uint8Array(new Uint8Array(500_000)) }),
          (response) => Effect.map(response.text, (text) => [response.status, text] as const)
        )
      )
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      yield* connection.send(
        Frame.headers(streamId, [[":status", "413"]]),
        Frame.data(streamId, "too much", { endStream: true }),
        Frame.rstStream(streamId, 0)
      )
      assert.deepStrictEqual(yield* Fiber.join(request), [413, "too much"])
      const next = yield* get()
      const after = yield* connection.take("Headers")
      yield* connection.send(...responseTo(after.streamId))
      assert.strictEqual(yield* Fiber.join(next), "ok")
    }))

  it.scoped("sends again what was refused, whatever its method, and fails in the end", () =>
    Effect.gen(function*() {
      const { peer, post } = yield* startPeer()
      const request = yield* post("once")
      const connection = yield* peer.accept
      const first = yield* connection.take("Headers")
      yield* connection.send(Frame.rstStream(first.streamId, 7))
      // Not at once.
      yield* turns(30)
      assert.lengthOf((yield* connection.frames).filter((frame) => frame._tag === "Headers"), 1)
      const again = yield* passing(connection.take("Headers"))
      assert.deepInclude(again.fields, [":method", "POST"])
      yield* connection.send(...responseTo(again.streamId))
      assert.strictEqual(yield* Fiber.join(request), "ok")
      const refused = yield* post("never")
      for (let n = 0; n < 2; n++) {
        yield* connection.send(Frame.rstStream((yield* passing(connection.take("Headers"))).streamId, 7))
      }
      // The last time on another connection.
      const other = yield* passing(peer.accept)
      yield* other.send(Frame.rstStream((yield* other.take("Headers")).streamId, 7))
      const error = yield* failure(refused)
      assert.deepInclude(error, { _tag: "StreamReset", code: "REFUSED_STREAM", written: false, safeToRetry: true })
    }))

  it.scoped("that refuses is asked again elsewhere while the connection has another stream", () =>
    Effect.gen(function*() {
      const { get, peer } = yield* startPeer()
      const long = yield* get("/long")
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      const request = yield* get("/short")
      yield* connection.send(Frame.rstStream((yield* connection.take("Headers")).streamId, 7))
      const other = yield* passing(peer.accept)
      yield* other.send(...responseTo((yield* passing(other.take("Headers"))).streamId))
      assert.strictEqual(yield* Fiber.join(request), "ok")
      yield* connection.send(...responseTo(streamId))
      assert.strictEqual(yield* Fiber.join(long), "ok")
    }))

  it.scoped("that refuses while the pool is closed leaves no request behind", () =>
    Effect.gen(function*() {
      const peer = yield* FramePeer.make()
      const { request } = yield* Effect.scoped(Effect.gen(function*() {
        const { client } = yield* makeClient({ http2: "prior-knowledge" })
        const request = yield* Effect.forkDaemon(client.get(peer.url))
        const connection = yield* peer.accept
        yield* connection.send(Frame.rstStream((yield* connection.take("Headers")).streamId, 7))
        yield* turns(30)
        return { request }
      }))
      assert.deepInclude(yield* passing(failure(request)), { _tag: "PoolClosed" })
    }))

  it.scoped("does not ask a server that wants calm again", () =>
    Effect.gen(function*() {
      const { get, peer } = yield* startPeer()
      const warm = yield* get()
      const connection = yield* peer.accept
      yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
      yield* Fiber.join(warm)
      const request = yield* get()
      yield* connection.send(Frame.rstStream((yield* connection.take("Headers")).streamId, 11))
      const error = yield* failure(request)
      assert.deepInclude(error, { _tag: "StreamReset", code: "ENHANCE_YOUR_CALM", safeToRetry: false })
    }))

  it.scoped("goes over to HTTP/1.1 for an origin that requires it", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ tls: true, http2: true })
      yield* server.reply("/", (request) => request.protocol === "HTTP/2" ? Reply.disconnect(13) : Reply.text("old"))
      const { client } = yield* makeClient({ tls: { ca: server.ca } })
      for (let n = 0; n < 2; n++) {
        const posted = yield* client.post(`${server.url}/`, { body: HttpBody.text("x") })
        assert.strictEqual(yield* posted.text, "old")
      }
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [1, 2])
      // What was true once is found out again after ten minutes.
      yield* TestClock.adjust("11 minutes")
      yield* server.reply("/", Reply.text("new"))
      const posted = yield* client.post(`${server.url}/`, { body: HttpBody.text("x") })
      assert.strictEqual(yield* posted.text, "new")
      assert.strictEqual((yield* server.requests).at(-1)?.protocol, "HTTP/2")
    }))
})

describe("GOAWAY", () => {
  for (const code of [0, 11]) {
    it.scoped(`with code ${code}: what is above its number is sent again, what is below finishes`, () =>
      Effect.gen(function*() {
        const { get, peer, pool, post } = yield* startPeer()
        const first = yield* get("/one")
        const connection = yield* peer.accept
        const one = yield* connection.take("Headers")
        const second = yield* post("two")
        const two = yield* connection.take("Headers")
        yield* connection.send(
          Frame.headers(one.streamId, [[":status", "200"]]),
          Frame.data(one.streamId, "be"),
          Frame.goAway({ lastStreamId: one.streamId, code })
        )
        const other = yield* peer.accept
        const again = yield* other.take("Headers")
        assert.deepInclude(again.fields, [":method", "POST"])
        yield* other.send(...responseTo(again.streamId, "two"))
        assert.strictEqual(yield* Fiber.join(second), "two")
        yield* connection.send(Frame.data(one.streamId, "low", { endStream: true }))
        assert.strictEqual(yield* Fiber.join(first), "below")
        yield* connection.awaitClosed
        yield* until(() => pool.unsafeStats().open === 1)
        assert.notInclude((yield* connection.frames).map((frame) => frame._tag === "RstStream"), two.streamId as never)
      }))
  }

  it.scoped("announced with 2^31-1 is followed: nothing new, and nothing lost", () =>
    Effect.gen(function*() {
      const { get, peer } = yield* startPeer()
      const first = yield* get("/one")
      const connection = yield* peer.accept
      const one = yield* connection.take("Headers")
      const second = yield* get("/two")
      const two = yield* connection.take("Headers")
      yield* connection.send(Frame.goAway())
      yield* turns(20)
      const third = yield* get("/three")
      const other = yield* peer.accept
      yield* other.send(...responseTo((yield* other.take("Headers")).streamId, "three"))
      assert.strictEqual(yield* Fiber.join(third), "three")
      yield* connection.send(Frame.goAway({ lastStreamId: one.streamId }))
      yield* other.send(...responseTo((yield* other.take("Headers")).streamId, "two"))
      assert.strictEqual(yield* Fiber.join(second), "two")
      assert.isAbove(two.streamId, one.streamId)
      yield* connection.send(...responseTo(one.streamId, "one"))
      assert.strictEqual(yield* Fiber.join(first), "one")
      yield* connection.awaitClosed
    }))

  it.scoped("on an idle connection closes it, and the next request dials", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer()
      const first = yield* get()
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      yield* connection.send(...responseTo(streamId))
      yield* Fiber.join(first)
      yield* connection.send(Frame.goAway({ lastStreamId: streamId }))
      yield* connection.awaitClosed
      yield* until(() => pool.unsafeStats().open === 0)
      const second = yield* get()
      const other = yield* peer.accept
      yield* other.send(...responseTo((yield* other.take("Headers")).streamId))
      assert.strictEqual(yield* Fiber.join(second), "ok")
    }))

  it.scoped("right behind a whole response does not take it away", () =>
    Effect.gen(function*() {
      const { connection, request, streamId } = yield* startRequest()
      yield* connection.send(...responseTo(streamId), Frame.goAway({ lastStreamId: streamId, code: 2 }))
      yield* connection.close("end")
      assert.strictEqual(yield* Fiber.join(request), "ok")
    }))

  it.scoped("followed by the end of the connection fails what was below, typed", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer()
      const request = yield* get()
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      yield* connection.send(Frame.headers(streamId, [[":status", "200"]]), Frame.goAway({ lastStreamId: streamId }))
      yield* connection.close("end")
      assert.deepInclude(yield* failure(request), { _tag: "ReadError", reason: "Ended", safeToRetry: true })
      yield* until(() => pool.unsafeStats().open === 0)
    }))
})

/** Goes on in the phase of the event loop in which sockets are polled: what comes next is that of `setImmediate`. */
const polling = Effect.async<void>((resume) => {
  stat("/", () => resume(Effect.void))
})

describe("The end of the connection", () => {
  for (const tls of [false, true]) {
    it.scoped(`is noticed at once while it is idle (${tls ? "TLS" : "TCP"})`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ http2: true, tls, replies: { "/": Reply.text("hello") } })
        const { client, pool } = yield* makeClient(tls ? { tls: { ca: server.ca } } : { http2: "prior-knowledge" })
        for (const end of [server.closeIdleConnections, server.destroyConnections("end")]) {
          assert.strictEqual(yield* (yield* client.get(server.url)).text, "hello")
          assert.strictEqual(pool.unsafeStats().idle, 1)
          yield* end
          yield* until(() => pool.unsafeStats().open === 0)
        }
      }))
  }

  for (const how of ["end", "reset"] as const) {
    it.scoped(`that waits in the kernel while a request begins: a POST goes over another connection (${how})`, () =>
      Effect.gen(function*() {
        const { get, peer, post } = yield* startPeer()
        const first = yield* get()
        const connection = yield* peer.accept
        yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
        yield* Fiber.join(first)
        yield* polling
        yield* Effect.fork(connection.close(how))
        const request = yield* post("once")
        const other = yield* peer.accept
        yield* other.send(...responseTo((yield* other.take("Headers")).streamId, "two"))
        assert.strictEqual(yield* Fiber.join(request), "two")
        assert.lengthOf((yield* connection.frames).filter(({ _tag }) => _tag === "Headers"), 1)
      }))

    it.scoped(`under a response fails it, typed (${how})`, () =>
      Effect.gen(function*() {
        const { get, peer, pool, post } = yield* startPeer()
        const [one, two] = [yield* get(), yield* post("not to be sent twice")]
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        yield* connection.take("Headers")
        yield* connection.send(Frame.headers(streamId, [[":status", "200"]]), Frame.data(streamId, "half"))
        yield* turns(5)
        yield* connection.close(how)
        const errors = [yield* failure(one), yield* failure(two)]
        for (const error of errors) assert.strictEqual(error._tag, "ReadError")
        yield* until(() => pool.unsafeStats().open === 0)
      }))
  }

  it.scoped("does not take away a response that has arrived and waits for its reader", () =>
    Effect.gen(function*() {
      const { client, peer } = yield* startPeer({
        client: { maxBufferedBody: 1000, http2: { priorKnowledge: true, initialWindowSize: 200_000 } }
      })
      const request = yield* Effect.fork(client.get(peer.url))
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      yield* connection.send(Frame.headers(streamId, [[":status", "200"]]))
      const response = yield* Fiber.join(request)
      for (let n = 0; n < 10; n++) {
        yield* connection.send(Frame.data(streamId, new Uint8Array(16_000), { endStream: n === 9 }))
        yield* turns(3)
      }
      yield* connection.close("end")
      yield* turns(20)
      assert.strictEqual((yield* response.arrayBuffer).byteLength, 160_000)
    }))

  it.scoped("by closing the pool fails what is under way, and leaves nothing", () =>
    Effect.gen(function*() {
      const peer = yield* Effect.map(startPeer(), ({ peer }) => peer)
      const { connection, request } = yield* Effect.scoped(Effect.gen(function*() {
        const { client } = yield* makeClient({ http2: "prior-knowledge" })
        const request = yield* Effect.forkDaemon(client.get(peer.url))
        const connection = yield* peer.accept
        yield* connection.take("Headers")
        return { connection, request }
      }))
      assert.deepInclude(yield* failure(request), { _tag: "ReadError", reason: "PoolClosed" })
      yield* connection.awaitClosed
      assert.isTrue((yield* connection.frames).some((frame) => frame._tag === "GoAway"))
    }))
})

describe("What is not HTTP/2", () => {
  const pingOfSeven = { type: 6, flags: 0, streamId: 0, payload: new Uint8Array(7) }
  const malformed: ReadonlyArray<readonly [string, (streamId: number) => ReadonlyArray<Frame.Frame>]> = [
    ["a PING of seven bytes", () => [Frame.make(pingOfSeven)]],
    ["DATA on a stream that was never opened", () => [Frame.data(7, "nobody asked")]],
    ["HEADERS that cannot be decoded", (id) => [Frame.headers(id, new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f]))]],
    ["DATA before HEADERS", (id) => [Frame.data(id, "early")]],
    ["a server push", (id) => [
      Frame.pushPromise(id, 2, [[":method", "GET"], [":path", "/"], [":scheme", "http"], [":authority", "x"]])
    ]],
    ["a CONTINUATION out of place", (id) => [Frame.continuation(id, [["a", "b"]])]],
    ["a window of nothing", () => [Frame.windowUpdate(0, 0)]],
    ["a window that overflows", () => [Frame.windowUpdate(0, 2 ** 31 - 1), Frame.windowUpdate(0, 2 ** 31 - 1)]],
    ["SETTINGS that cannot be", () => [Frame.settings([[2, 7]])]],
    ["SETTINGS of five bytes", () => [Frame.make({ type: 4, flags: 0, streamId: 0, payload: new Uint8Array(5) })]],
    ["a frame too large", (id) => [Frame.data(id, new Uint8Array(70_000))]],
    ["no status", (id) => [Frame.headers(id, [["x", "y"]], { endStream: true })]],
    ["a status of letters", (id) => [Frame.headers(id, [[":status", "abc"]], { endStream: true })]],
    ["an upper case name", (id) => [Frame.headers(id, [[":status", "200"], ["X-Y", "z"]], { endStream: true })]],
    ["a header of HTTP/1.1", (id) => [
      Frame.headers(id, [[":status", "200"], ["connection", "close"]], { endStream: true })
    ]],
    ["less than content-length", (id) => [
      Frame.headers(id, [[":status", "200"], ["content-length", "10"]]),
      Frame.data(id, "four", { endStream: true })
    ]],
    ["more than content-length", (id) => [
      Frame.headers(id, [[":status", "200"], ["content-length", "2"]]),
      Frame.data(id, "four", { endStream: true })
    ]],
    ["padding longer than its frame", (id) => [
      Frame.make({ type: 0, flags: 8, streamId: id, payload: new Uint8Array([200, 1, 2]) })
    ]],
    ["RST_STREAM of three bytes", (id) => [
      Frame.make({ type: 3, flags: 0, streamId: id, payload: new Uint8Array(3) })
    ]],
    ["GOAWAY of three bytes", () => [Frame.make({ type: 7, flags: 0, streamId: 0, payload: new Uint8Array(3) })]]
  ]
  /** The stream alone is at fault, or all of the connection. */
  const ofStream = [
    "no status",
    "a status of letters",
    "an upper case name",
    "a header of HTTP/1.1",
    "less than content-length"
  ]
  for (const tls of [false, true]) {
    for (const [what, frames] of malformed) {
      it.scoped(`ends in a typed error, long before a timeout: ${what} (${tls ? "TLS" : "TCP"})`, () =>
        Effect.gen(function*() {
          const { get, peer, pool, post } = yield* startPeer({ tls, client: { timeouts: { read: "Infinity" } } })
          const requests = [yield* get(), yield* post("x")]
          const connection = yield* peer.accept
          const { streamId } = yield* connection.take("Headers")
          yield* connection.take("Headers")
          yield* connection.send(...frames(streamId))
          yield* turns(20)
          // What Node 20 keeps to itself is noticed within a second.
          yield* TestClock.adjust("1 second")
          const first = yield* failure(requests[0])
          assert.oneOf(first._tag, ["RemoteProtocolError", "StreamReset"])
          assert.isTrue(first.written)
          if (ofStream.includes(what)) {
            assert.deepInclude(pool.unsafeStats(), { open: 1, leases: 1 })
            return
          }
          // To Node 20 the stream is at fault, to Node 22 the connection.
          if (what === "more than content-length") return
          assert.deepInclude(yield* failure(requests[1]), {
            _tag: "RemoteProtocolError",
            written: true,
            safeToRetry: false
          })
          yield* until(() => pool.unsafeStats().open === 0)
          yield* connection.awaitClosed
        }))
    }
  }

  it.scoped("ignores frames and settings that it does not know", () =>
    Effect.gen(function*() {
      const { connection, request, streamId } = yield* startRequest()
      yield* connection.send(
        Frame.make({ type: 0xee, flags: 0xff, streamId, payload: new Uint8Array(30) }),
        Frame.settings([[0x9999, 1]]),
        ...responseTo(streamId)
      )
      assert.strictEqual(yield* Fiber.join(request), "ok")
    }))

  it.scoped("is noticed on an idle connection by the next request, and before the server has said hello", () =>
    Effect.gen(function*() {
      const { get, peer, pool } = yield* startPeer({ client: { timeouts: { read: "Infinity", connect: "Infinity" } } })
      const warm = yield* get()
      const connection = yield* peer.accept
      yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
      yield* Fiber.join(warm)
      yield* TestClock.adjust("2 seconds")
      yield* connection.send(Frame.make(pingOfSeven))
      yield* turns(20)
      if (pool.unsafeStats().open === 1) {
        const next = yield* get()
        yield* turns(20)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* failure(next))._tag, "RemoteProtocolError")
      }
      yield* until(() => pool.unsafeStats().open === 0)
      const silent = yield* startPeer({
        automatic: [],
        client: { timeouts: { read: "Infinity", connect: "Infinity" } }
      })
      const never = yield* silent.get()
      const unready = yield* silent.peer.accept
      yield* unready.send(Frame.make(pingOfSeven))
      yield* turns(20)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* failure(never))._tag, "ConnectError")
    }))

  it.scoped("is reported when a connection is made", () =>
    Effect.gen(function*() {
      const { get, peer } = yield* startPeer({ automatic: [] })
      const request = yield* get()
      const connection = yield* peer.accept
      yield* connection.sendBytes("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
      const error = yield* failure(request)
      assert.strictEqual(error._tag, "ConnectError")
      assert.include(error.message, "does not speak HTTP/2")
      assert.deepInclude(error, {
        reason: "WrongProtocol",
        protocol: "HTTP/1.1",
        received: "\"HTTP/1.1 400 Bad Request\""
      })
      const other = yield* get()
      yield* (yield* peer.accept).close("end")
      assert.deepInclude(yield* failure(other), { _tag: "ConnectError", reason: "Reset" })
    }))
})
