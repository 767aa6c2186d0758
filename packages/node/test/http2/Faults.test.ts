import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Retry from "@sluice/core/Retry"
import { Frame } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { failure, passing, responseTo, startPeer, turns, until } from "./support.js"

// What went wrong in real deployments, of other clients and of ours. The same without sockets, with more cases of each, is
// in engine/test/http2/faults.test.ts.

const NO_ERROR = 0
const INTERNAL_ERROR = 2
const REFUSED_STREAM = 7
const CANCEL = 8
const ENHANCE_YOUR_CALM = 11
const HTTP_1_1_REQUIRED = 13

const head = (streamId: number, ...fields: ReadonlyArray<readonly [string, string]>) =>
  Frame.headers(streamId, [[":status", "200"], ...fields])

/** A server that acknowledges no PING by itself. */
const silent = { automatic: ["settings"] } as const

const post = HttpClientRequest.post

for (const tls of [false, true]) {
  const start = (options: Parameters<typeof startPeer>[0] = {}) => startPeer({ tls, ...options })

  describe(`Over ${tls ? "TLS" : "TCP"}`, () => {
    for (const how of ["end", "GOAWAY", "RST", "reset"] as const) {
      it.scoped(`1, 6: a whole response is delivered to a reader who comes after its connection ended (${how})`, () =>
        Effect.gen(function*() {
          const { client, peer, pool } = yield* start({ http2: { initialWindowSize: 2 ** 20 } })
          const upload = Stream.repeatEffect(Effect.succeed(new Uint8Array(10_000)))
          const request = yield* Effect.fork(
            how === "RST" ? client.post(peer.url, { body: HttpBody.stream(upload) }) : client.get(peer.url)
          )
          const connection = yield* peer.accept
          const { streamId } = yield* connection.take("Headers")
          yield* connection.send(head(streamId))
          const response = yield* Fiber.join(request)
          for (let n = 0; n < 60; n++) {
            yield* connection.send(Frame.data(streamId, new Uint8Array(15_000), { endStream: n === 59 }))
          }
          if (how === "GOAWAY") yield* connection.send(Frame.goAway({ lastStreamId: streamId, code: NO_ERROR }))
          if (how === "RST") yield* connection.send(Frame.rstStream(streamId, INTERNAL_ERROR))
          // A reset drops what the other side has not read yet.
          yield* until(() => pool.unsafeStats().active === 0)
          yield* connection.close(how === "reset" ? "reset" : "end")
          yield* turns(30)
          assert.strictEqual((yield* response.arrayBuffer).byteLength, 900_000)
        }))
    }

    it.scoped("2: a connection that went dead without a word is found by requests that were abandoned early", () =>
      Effect.gen(function*() {
        const { client, peer } = yield* start(silent)
        const warm = yield* Effect.fork(client.get(peer.url))
        const dead = yield* peer.accept
        yield* dead.send(...responseTo((yield* dead.take("Headers")).streamId))
        yield* Fiber.join(warm)
        for (let n = 0; n < 3; n++) {
          const request = yield* Effect.fork(Effect.timeout(client.get(peer.url), "300 millis"))
          yield* dead.take("Headers")
          yield* TestClock.adjust("300 millis")
          yield* Effect.flip(Fiber.join(request))
        }
        assert.lengthOf((yield* dead.frames).filter((frame) => frame._tag === "Ping"), 1)
        yield* turns(20)
        yield* TestClock.adjust("5 seconds")
        yield* dead.awaitClosed
        const next = yield* Effect.fork(client.get(peer.url))
        const other = yield* peer.accept
        yield* other.send(...responseTo((yield* other.take("Headers")).streamId))
        assert.strictEqual((yield* Fiber.join(next)).status, 200)
      }))

    it.scoped("3: pingInterval counts from the first request without a response, though each is abandoned after 300 ms", () =>
      Effect.gen(function*() {
        const { client, peer } = yield* start({ ...silent, http2: { pingInterval: "1 second" } })
        const warm = yield* Effect.fork(client.get(peer.url))
        const connection = yield* peer.accept
        yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
        yield* Fiber.join(warm)
        for (let n = 0; n < 5; n++) {
          const request = yield* Effect.fork(Effect.timeout(client.get(peer.url), "300 millis"))
          yield* connection.take("Headers")
          // Something else comes from the server: there is no reason to ask it at once.
          yield* connection.send(Frame.settings([]))
          yield* turns(10)
          yield* TestClock.adjust("300 millis")
          yield* Effect.flip(Fiber.join(request))
          if (n < 3) assert.isFalse((yield* connection.frames).some((frame) => frame._tag === "Ping"))
        }
      }))

    it.scoped("4: a slow server that counts PINGs gets two in five minutes, and stays in use", () =>
      Effect.gen(function*() {
        const { client, peer } = yield* start({ client: { timeouts: { read: "10 seconds" } } })
        const warm = yield* Effect.fork(client.get(peer.url))
        const connection = yield* peer.accept
        yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
        yield* Fiber.join(warm)
        for (let n = 0; n < 12; n++) {
          const request = yield* Effect.fork(client.get(peer.url))
          yield* connection.take("Headers")
          yield* TestClock.adjust("10 seconds")
          assert.strictEqual((yield* failure(request))._tag, "ReadTimeout")
          yield* turns(20)
        }
        assert.lengthOf((yield* connection.frames).filter((frame) => frame._tag === "Ping"), 2)
        const next = yield* Effect.fork(client.get(peer.url))
        yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
        assert.strictEqual((yield* Fiber.join(next)).status, 200)
      }))

    it.scoped("5: RST_STREAM(NO_ERROR) in the middle of an upload is noticed at once, and frees its stream", () =>
      Effect.gen(function*() {
        const { client, peer, pool } = yield* start({ client: { timeouts: { write: "Infinity" } } })
        const body = Stream.repeatEffect(Effect.succeed(new Uint8Array(10_000)))
        const request = yield* Effect.fork(client.post(peer.url, { body: HttpBody.stream(body) }))
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        yield* connection.take("Data")
        yield* connection.send(Frame.rstStream(streamId, NO_ERROR))
        assert.deepInclude(yield* failure(request), { _tag: "RemoteProtocolError", code: "IncompleteResponse" })
        yield* until(() => pool.unsafeStats().leases === 0)
        assert.strictEqual(pool.unsafeStats().open, 1)
      }))

    const complete: ReadonlyArray<readonly [string, "GET" | "HEAD", (id: number) => ReadonlyArray<Frame.Frame>]> = [
      ["its length is met", "GET", (id) => [head(id, ["content-length", "4"]), Frame.data(id, "four")]],
      ["it has a length of 0", "GET", (id) => [head(id, ["content-length", "0"])]],
      ["it is to HEAD", "HEAD", (id) => [head(id, ["content-length", "4"])]],
      ["it is a 204", "GET", (id) => [Frame.headers(id, [[":status", "204"]])]]
    ]
    for (const [what, method, frames] of complete) {
      it.scoped(`7: RST_STREAM(NO_ERROR) in place of the end completes a response where ${what}`, () =>
        Effect.gen(function*() {
          const { client, peer } = yield* start()
          const request = yield* Effect.fork(Effect.flatMap(
            client.execute(HttpClientRequest.make(method)(peer.url)),
            (response) => response.text
          ))
          const connection = yield* peer.accept
          const { streamId } = yield* connection.take("Headers")
          yield* connection.send(...frames(streamId), Frame.rstStream(streamId, NO_ERROR))
          assert.strictEqual(yield* Fiber.join(request), what === "its length is met" ? "four" : "")
        }))
    }

    it.scoped("8: blanks around values are trimmed, both ways, and cookies are split in crumbs without them", () =>
      Effect.gen(function*() {
        const { client, peer } = yield* start()
        const headers = { cookie: "a=1;  b=2", authorization: "Bearer t ", "x-tab": "\tvalue\t" }
        const request = yield* Effect.fork(client.get(peer.url, { headers }))
        const connection = yield* peer.accept
        const { fields, streamId } = yield* connection.take("Headers")
        const sent = fields.filter(([name]) => name in headers)
        assert.sameDeepMembers(sent as Array<readonly [string, string]>, [
          ["cookie", "a=1"],
          ["cookie", "b=2"],
          ["authorization", "Bearer t"],
          ["x-tab", "value"]
        ])
        yield* connection.send(
          Frame.headers(streamId, [[":status", "302"], ["location", "/next "]], { endStream: true })
        )
        assert.strictEqual((yield* Fiber.join(request)).headers["location"], "/next")
      }))

    it.scoped("9: GOAWAY's code, words and last stream are on the error", () =>
      Effect.gen(function*() {
        const { get, peer, post: send } = yield* start()
        const [one, two] = [yield* send("below"), yield* get("/above")]
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        yield* connection.take("Headers")
        yield* connection.send(
          Frame.goAway({ lastStreamId: streamId, code: INTERNAL_ERROR, debugData: "invalid header x" })
        )
        const other = yield* peer.accept
        yield* other.send(...responseTo((yield* other.take("Headers")).streamId))
        assert.strictEqual(yield* Fiber.join(two), "ok")
        // Node's own servers say another one when they close.
        yield* connection.send(Frame.goAway({ lastStreamId: streamId, code: NO_ERROR }))
        yield* connection.close("end")
        const error = yield* failure(one)
        assert.deepInclude(error, { _tag: "ReadError", written: true, safeToRetry: false })
        assert.include(error.message, "INTERNAL_ERROR (\"invalid header x\")")
      }))

    it.scoped("10: GOAWAY(last=0) does not make a POST whose response has begun safe to retry", () =>
      Effect.gen(function*() {
        const { peer, post: send } = yield* start()
        const request = yield* send("x")
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        yield* connection.send(head(streamId), Frame.data(streamId, "half"), Frame.goAway({ lastStreamId: 0 }))
        yield* turns(10)
        yield* connection.close("end")
        assert.deepInclude(yield* failure(request), { written: true, safeToRetry: false, phase: "body" })
        assert.strictEqual((yield* peer.stats).connectionsOpened, 1)
      }))

    it.scoped("11: GOAWAY(ENHANCE_YOUR_CALM) with nothing taken is no reason to try again at once", () =>
      Effect.gen(function*() {
        const { get, peer } = yield* start()
        const request = yield* get()
        const connection = yield* peer.accept
        yield* connection.take("Headers")
        yield* connection.send(Frame.goAway({ lastStreamId: 0, code: ENHANCE_YOUR_CALM, debugData: "too_many_pings" }))
        const error = yield* failure(request)
        assert.deepInclude(error, { _tag: "StreamReset", code: "ENHANCE_YOUR_CALM", safeToRetry: false })
        assert.include(error.message, "too_many_pings")
        assert.strictEqual((yield* peer.stats).connectionsOpened, 1)
      }))

    it.scoped("12: a connection with a long stream that refuses each new one: 20 requests go elsewhere, none fails", () =>
      Effect.gen(function*() {
        const { client, get, peer } = yield* start({ http2: { maxConcurrentStreams: 10 } })
        const long = yield* get("/long")
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        // Refuses whatever comes beside the long one.
        yield* Effect.fork(
          Effect.forever(
            Effect.flatMap(
              connection.take("Headers"),
              (frame) => connection.send(Frame.rstStream(frame.streamId, REFUSED_STREAM))
            )
          )
        )
        // Any other connection is good.
        yield* Effect.fork(
          Effect.forever(
            Effect.flatMap(
              peer.accept,
              (other) =>
                Effect.fork(
                  Effect.forever(
                    Effect.flatMap(other.take("Headers"), (frame) => other.send(...responseTo(frame.streamId)))
                  )
                )
            )
          )
        )
        const all = yield* passing(Effect.forEach(
          Array.from({ length: 20 }, (_, n) => n),
          (n) => Effect.flatMap(client.execute(post(`${peer.url}/?n=${n}`)), (response) => response.text),
          { concurrency: 5 }
        ))
        assert.deepStrictEqual(all, all.map(() => "ok"))
        const streams = (yield* connection.frames).filter((frame) => frame._tag === "Headers").length
        assert.isAtMost(streams, 12)
        yield* connection.send(...responseTo(streamId))
        assert.strictEqual(yield* Fiber.join(long), "ok")
      }))

    it.scoped("13: HTTP_1_1_REQUIRED in GOAWAY: over HTTP/1.1 from then on", () =>
      Effect.gen(function*() {
        const { peer, post: send } = yield* start(tls ? { tls: { alpn: ["h2", "http/1.1"] } as never } : {})
        const request = yield* send("x")
        const connection = yield* peer.accept
        yield* connection.take("Headers")
        yield* connection.send(Frame.goAway({ lastStreamId: 0, code: HTTP_1_1_REQUIRED }))
        yield* connection.close("end")
        // What comes now is HTTP/1.1, which this peer does not speak.
        yield* peer.awaitStats(({ malformed }) => malformed.some((what) => /POST|preface/i.test(JSON.stringify(what))))
        yield* Fiber.interrupt(request)
      }))

    for (const limit of [0, 1]) {
      it.scoped(`14: PoolTimeout names the server's limit of ${limit} streams at once`, () =>
        Effect.gen(function*() {
          const { get, peer } = yield* start({
            client: { limits: { maxConnections: 1 }, timeouts: { pool: "2 seconds" } }
          })
          yield* get("/first")
          const connection = yield* peer.accept
          yield* connection.take("Headers")
          yield* connection.send(Frame.settings([[3, limit]]))
          yield* turns(10)
          const request = yield* get("/second")
          yield* turns(10)
          yield* TestClock.adjust("2 seconds")
          const error = yield* failure(request)
          assert.strictEqual(error._tag, "PoolTimeout")
          assert.include(
            error.message,
            `The server takes ${limit === 0 ? "no request" : "1 request"} at once over a connection ` +
              "(SETTINGS_MAX_CONCURRENT_STREAMS)."
          )
        }))
    }

    it.scoped("15: a header section above maxHeaderSize fails its stream alone, in however many frames it comes", () =>
      Effect.gen(function*() {
        const { get, peer, pool } = yield* start({ client: { maxHeaderSize: 64 * 1024 } })
        const [large, small] = [yield* get("/large"), yield* get("/small")]
        const connection = yield* peer.accept
        const [one, two] = [yield* connection.take("Headers"), yield* connection.take("Headers")]
        const fields = Array.from({ length: 20 }, (_, n) => [`x-${n}`, "v".repeat(8000)] as const)
        const block = Frame.headerBlock([[":status", "200"], ...fields])
        for (let at = 0; at < block.length; at += 8000) {
          const flags = at + 8000 >= block.length ? 4 : 0
          yield* connection.send(
            Frame.make({
              type: at === 0 ? 1 : 9,
              flags,
              streamId: one.streamId,
              payload: block.subarray(at, at + 8000)
            })
          )
        }
        assert.deepInclude(yield* failure(large), { _tag: "RemoteProtocolError", code: "HeaderListTooLarge" })
        // Small, in more than eight CONTINUATIONs.
        const little = Frame.headerBlock([[":status", "200"], ["x-text", "abcdefghij"]])
        for (let at = 0; at < little.length; at++) {
          yield* connection.send(Frame.make({
            type: at === 0 ? 1 : 9,
            flags: at === little.length - 1 ? 4 : 0,
            streamId: two.streamId,
            payload: little.subarray(at, at + 1)
          }))
        }
        yield* connection.send(Frame.data(two.streamId, "ok", { endStream: true }))
        assert.strictEqual(yield* Fiber.join(small), "ok")
        assert.strictEqual(pool.unsafeStats().open, 1)
      }))

    const strangers: ReadonlyArray<readonly [string, string | undefined, RegExp]> = [
      ["speaks HTTP/1.1", "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", /HTTP\/1\.1/],
      ["closes at once", undefined, /closed the connection/]
    ]
    for (const [what, bytes, message] of strangers) {
      it.scoped(`16: a server that was taken for HTTP/2 and ${what}`, () =>
        Effect.gen(function*() {
          const { get, peer } = yield* start({ automatic: [] })
          const request = yield* get()
          const connection = yield* peer.accept
          if (bytes !== undefined) yield* connection.sendBytes(bytes)
          yield* connection.close("end")
          const error = yield* failure(request)
          assert.strictEqual(error._tag, "ConnectError")
          assert.match(error.message, message)
          assert.match(error.message, tls ? /chose h2 .*http2: false/ : /prior-knowledge|a server of HTTP\/2/)
        }))
    }

    it.scoped("16: a server that was taken for HTTP/2 and says nothing", () =>
      Effect.gen(function*() {
        const { get, peer } = yield* start({ automatic: [] })
        const request = yield* get()
        yield* peer.accept
        yield* turns(10)
        yield* TestClock.adjust("5 seconds")
        const error = yield* failure(request)
        assert.strictEqual(error._tag, "ConnectTimeout")
        assert.match(error.message, /HTTP\/2/)
      }))

    it.scoped("17: a malformed response is reported with rule, section and field, and asked for once, retries or not", () =>
      Effect.gen(function*() {
        const { client, peer } = yield* start()
        const safely = Retry.safely(client, { times: 5, base: "10 millis" })
        const request = yield* Effect.fork(safely.get(peer.url))
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        yield* connection.send(Frame.headers(streamId, [[":status", "200"], ["x-bad", "a\r\nb"]], { endStream: true }))
        const error = yield* passing(failure(request))
        assert.deepInclude(error, { _tag: "RemoteProtocolError", safeToRetry: false, section: "RFC 9113 §8.2.1" })
        assert.include(error.message, "x-bad")
        assert.lengthOf((yield* connection.frames).filter((frame) => frame._tag === "Headers"), 1)
      }))

    it.scoped("what is never written goes over another connection: GOAWAY, SETTINGS of 0 or an error in the same turn", () =>
      Effect.gen(function*() {
        for (
          const frame of [
            Frame.goAway({ lastStreamId: 1 }),
            Frame.settings([[3, 0]]),
            Frame.make({ type: 6, flags: 0, streamId: 0, payload: new Uint8Array(7) })
          ]
        ) {
          const { get, peer, post: send } = yield* start()
          const warm = yield* get()
          const connection = yield* peer.accept
          yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
          yield* Fiber.join(warm)
          yield* connection.send(frame)
          // Where sockets are polled before what is asked for now is written.
          yield* turns(1)
          const request = yield* send("once")
          const other = yield* peer.accept
          const { fields, streamId } = yield* other.take("Headers")
          assert.deepInclude(fields, [":method", "POST"])
          yield* other.send(...responseTo(streamId))
          assert.strictEqual(yield* Fiber.join(request), "ok")
        }
      }))

    it.scoped("cancelled streams are absorbed, and their RST_STREAM has CANCEL", () =>
      Effect.gen(function*() {
        const { get, peer, pool } = yield* start()
        const request = yield* get()
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        yield* Fiber.interrupt(request)
        assert.strictEqual((yield* connection.take("RstStream")).code, CANCEL)
        yield* connection.send(...responseTo(streamId, "late"), Frame.windowUpdate(streamId, 10))
        const next = yield* get()
        yield* connection.send(...responseTo((yield* connection.take("Headers")).streamId))
        assert.strictEqual(yield* Fiber.join(next), "ok")
        assert.strictEqual(pool.unsafeStats().open, 1)
      }))
  })
}
