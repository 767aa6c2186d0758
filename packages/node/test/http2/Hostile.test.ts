import { assert, describe, it } from "@effect/vitest"
import { Frame } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { failure, passing, responseTo, startPeer, turns, until } from "./support.js"

// Servers that send what costs them little and us work, over real sockets. What exactly ends each of them, and how much was
// written meanwhile, is in engine/test/http2/hostile, without sockets.

const NO_ERROR = 0
const REFUSED_STREAM = 7
const CANCEL = 8

const raw = (type: number, flags: number, streamId: number, payload: Uint8Array | ReadonlyArray<number>): Uint8Array =>
  Frame.encode(Frame.make({ type, flags, streamId, payload: Uint8Array.from(payload) }))

const head = (streamId: number) => Frame.headers(streamId, [[":status", "200"]])

/** The same bytes many times, so that they go out in one write. */
const times = (count: number, frame: Uint8Array): Uint8Array => {
  const all = new Uint8Array(count * frame.length)
  for (let n = 0; n < count; n++) all.set(frame, n * frame.length)
  return all
}

/** More than any server has reason to send. */
const many = 20_000

/** Puts a field of 4,000 octets into the table of header compression. */
const largeField = [0x40, 1, 0x61, 0x7f, 0xa1, 0x1e, ...new Array<number>(4000).fill(0x62)]

/** Content in frames of one octet. */
const drops = 30_000

/** What is sent for one request, of this stream. Each ends the connection, but for what ends the stream alone. */
const attacks: Record<string, (streamId: number) => ReadonlyArray<Uint8Array>> = {
  "SETTINGS": () => [times(many, raw(4, 0, 0, [0, 4, 0, 1, 0, 0]))],
  "acknowledgements of SETTINGS": () => [times(many, raw(4, 1, 0, []))],
  "PING": () => [times(many, raw(6, 0, 0, new Uint8Array(8)))],
  "acknowledgements of PING": () => [times(many, raw(6, 1, 0, new Uint8Array(8)))],
  "PRIORITY": (id) => [times(many, raw(2, 0, id, new Uint8Array(5)))],
  "frames of unknown types": () => [times(many, raw(0x42, 0, 0, []))],
  "WINDOW_UPDATE of the connection": () => [times(many, raw(8, 0, 0, [0, 0, 0, 1]))],
  "WINDOW_UPDATE of the stream": (id) => [times(many, raw(8, 0, id, [0, 0, 0, 1]))],
  "GOAWAY": (id) => [times(many, Frame.encode(Frame.goAway({ lastStreamId: id, code: NO_ERROR })))],
  "empty DATA": (id) => [Frame.encode(head(id)), times(many, raw(0, 0, id, []))],
  "interim responses": (id) => [
    times(1000, Frame.encode(Frame.headers(id, [[":status", "103"], ["x", "v".repeat(300)]])))
  ],
  "CONTINUATION without content": (id) => [raw(1, 0, id, [0x88]), times(many, raw(9, 0, id, []))],
  "CONTINUATION with content": (id) => [raw(1, 0, id, [0x88]), times(400, raw(9, 0, id, new Uint8Array(16_384)))],
  "a bomb of header compression": (id) => [
    raw(1, 4, id, [0x88, ...largeField]),
    raw(1, 5, id, new Uint8Array(16_000).fill(0xbe))
  ],
  "content beyond the window": (id) => [Frame.encode(head(id)), times(2000, raw(0, 0, id, new Uint8Array(16_384)))],
  "a window that overflows": (id) => [times(2, raw(8, 0, id, [0x7f, 0xff, 0xff, 0xff]))]
}

/** Their stream fails alone. */
const ofStream = ["interim responses", "a window that overflows"]

for (const tls of [false, true]) {
  const start = (options: Parameters<typeof startPeer>[0] = {}) => startPeer({ tls, ...options })

  describe(`Over ${tls ? "TLS" : "TCP"}`, () => {
    for (const [what, attack] of Object.entries(attacks)) {
      it.scoped(`a flood ends its request, once and typed, and the next one has another connection or goes on: ${what}`, () =>
        Effect.gen(function*() {
          const { client, get, peer, pool } = yield* start()
          // Nobody reads the content of it.
          const request = yield* Effect.fork(Effect.flatMap(client.get(peer.url), (response) => response.text))
          const connection = yield* peer.accept
          const { streamId } = yield* connection.take("Headers")
          yield* connection.sendBytes(Buffer.concat(attack(streamId)))
          const error = yield* failure(request)
          assert.deepInclude(error, { _tag: "RemoteProtocolError", safeToRetry: false }, error.message)
          assert.match(error.message, /RFC (9113|7541) §\d/)
          const goesOn = ofStream.includes(what)
          yield* until(() => pool.unsafeStats().open === (goesOn ? 1 : 0))
          const next = yield* get()
          const other = goesOn ? connection : yield* peer.accept
          const { streamId: nextId } = yield* other.take("Headers")
          yield* other.send(...responseTo(nextId))
          assert.strictEqual(yield* Fiber.join(next), "ok")
        }))
    }

    it.scoped("frames for streams that are gone end the connection after as many as any server has reason to send", () =>
      Effect.gen(function*() {
        const { get, peer, pool } = yield* start()
        const request = yield* get()
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        yield* connection.send(...responseTo(streamId))
        assert.strictEqual(yield* Fiber.join(request), "ok")
        yield* connection.sendBytes(times(many, Frame.encode(Frame.rstStream(streamId, CANCEL))))
        yield* until(() => pool.unsafeStats().open === 0)
      }))

    it.scoped("one octet of content at a time is all there, in few chunks, read late", () =>
      Effect.gen(function*() {
        const { client, peer } = yield* start()
        const request = yield* Effect.fork(client.get(peer.url))
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        yield* connection.send(head(streamId))
        const response = yield* Fiber.join(request)
        yield* connection.sendBytes(times(drops, raw(0, 0, streamId, [0x61])))
        yield* connection.send(Frame.data(streamId, "", { endStream: true }))
        yield* turns(50)
        const sizes = yield* Stream.runCollect(Stream.map(response.stream, (chunk) => chunk.length))
        assert.strictEqual([...sizes].reduce((sum, size) => sum + size, 0), drops)
        assert.isBelow(sizes.length, 200)
      }))

    it.scoped("a head that drips ends at timeouts.headers, whatever comes meanwhile", () =>
      Effect.gen(function*() {
        const { get, peer } = yield* start({ client: { timeouts: { headers: "60 seconds", read: "30 seconds" } } })
        const request = yield* get()
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        const bytes = Frame.encode(Frame.headers(streamId, [[":status", "200"], ["x-drip", "drip"]]))
        yield* connection.sendBytes(bytes.subarray(0, 9))
        for (let n = 9; n < 13; n++) {
          yield* connection.sendBytes(bytes.subarray(n, n + 1))
          yield* turns(20)
          yield* TestClock.adjust("15 seconds")
        }
        assert.strictEqual((yield* failure(request))._tag, "HeadersTimeout")
      }))

    it.scoped("one octet in each segment changes nothing", () =>
      Effect.gen(function*() {
        const { client, peer } = yield* start()
        const request = yield* Effect.fork(Effect.flatMap(client.get(peer.url), (response) =>
          Effect.map(response.text, (text) => [response.status, response.headers["x-a"], text])))
        const connection = yield* peer.accept
        const { streamId } = yield* connection.take("Headers")
        const frames = [
          Frame.headers(streamId, [[":status", "103"], ["link", "</a>"]]),
          Frame.headers(streamId, [[":status", "404"], ["x-a", "b"]]),
          Frame.data(streamId, "not found"),
          Frame.ping(new Uint8Array(8)),
          Frame.headers(streamId, [["x-trailer", "t"]], { endStream: true })
        ]
        for (const frame of frames) {
          for (const octet of Frame.encode(frame)) {
            yield* connection.sendBytes(Uint8Array.of(octet))
          }
        }
        assert.deepStrictEqual(yield* Fiber.join(request), [404, "b", "not found"])
      }))

    it.scoped("a server that refuses each stream is asked a few times, with pauses", () =>
      Effect.gen(function*() {
        const { get, peer } = yield* start()
        const request = yield* get()
        let asked = 0
        // The last time it is asked over another connection.
        yield* Effect.forkScoped(Effect.forever(Effect.gen(function*() {
          const connection = yield* peer.accept
          yield* Effect.forkScoped(Effect.forever(Effect.gen(function*() {
            const { streamId } = yield* connection.take("Headers")
            asked++
            yield* connection.send(Frame.rstStream(streamId, REFUSED_STREAM))
          })))
        })))
        yield* until(() => asked === 1)
        yield* turns(20)
        // Nothing is asked before time passes.
        assert.strictEqual(asked, 1)
        const error = yield* passing(failure(request))
        assert.deepInclude(error, { _tag: "StreamReset", code: "REFUSED_STREAM" })
        assert.isBelow(asked, 6)
      }))
  })
}
