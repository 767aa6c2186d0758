import { assert, describe, it } from "@effect/vitest"
import { Frame, FramePeer } from "@sluice/test-server"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as http2 from "node:http2"
import { connect } from "./support.js"

const session = (
  peer: FramePeer.FramePeer,
  options: http2.ClientSessionOptions = {}
): Effect.Effect<http2.ClientHttp2Session, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const session = http2.connect(peer.url, { ...options, ...(peer.ca === undefined ? {} : { ca: peer.ca }) })
      session.on("error", () => {})
      return session
    }),
    (session) => Effect.sync(() => session.destroy())
  )

const event = <A = void>(emitter: NodeJS.EventEmitter, name: string): Effect.Effect<A> =>
  Effect.async((resume) => {
    emitter.once(name, (value: A) => resume(Effect.succeed(value)))
  })

const defect = (effect: Effect.Effect<unknown>) =>
  Effect.map(Effect.sandbox(Effect.flip(Effect.sandbox(effect))), (cause) => Cause.pretty(cause)).pipe(Effect.orDie)

const start = (options: FramePeer.Options = {}) =>
  Effect.gen(function*() {
    const peer = yield* FramePeer.make(options)
    const client = yield* session(peer)
    return { peer, client, connection: yield* peer.accept }
  })

describe("FramePeer", () => {
  for (const tls of [false, true]) {
    it.scoped(`responds to a request frame by frame ${tls ? "over TLS" : "over clear text"}`, () =>
      Effect.gen(function*() {
        const { client, connection } = yield* start({ tls })
        const stream = client.request({ ":path": "/p", "x-one": "1" })
        const request = yield* connection.take("Headers")
        assert.isTrue(request.endStream)
        assert.deepInclude(request.fields, [":path", "/p"])
        assert.deepInclude(request.fields, ["x-one", "1"])
        yield* connection.send(
          Frame.headers(request.streamId, [[":status", "200"], ["x-long", "v".repeat(300)]], { endHeaders: false }),
          Frame.continuation(request.streamId, [["x-last", "yes"]])
        )
        const headers = yield* event<http2.IncomingHttpHeaders>(stream, "response")
        assert.strictEqual(headers["x-last"], "yes")
        assert.strictEqual(String(headers["x-long"]).length, 300)
        yield* connection.send(
          Frame.data(request.streamId, "he", { padding: 7 }),
          Frame.data(request.streamId, "llo", { endStream: true })
        )
        let body = ""
        stream.on("data", (bytes: Buffer) => body += bytes.toString())
        yield* event(stream, "end")
        assert.strictEqual(body, "hello")
      }))
  }

  it.scoped("reads header blocks that use the tables and the Huffman code", () =>
    Effect.gen(function*() {
      const { client, connection } = yield* start()
      // All that a field value may hold, so that the whole code is passed through; the second time from the table.
      const every = Array.from({ length: 256 }, (_, n) => n).filter((n) => n === 9 || (n > 32 && n !== 127))
      const values = every.map((n) => `${"0".repeat(40)}${String.fromCharCode(n)}0`)
      for (let round = 0; round < 2; round++) {
        for (const value of values) {
          client.request({ ":path": "/", "x-value": value, "cookie": "a=b" }).on("error", () => {})
          const { fields } = yield* connection.take("Headers")
          assert.deepInclude(fields, ["x-value", value])
          assert.deepInclude(fields, ["cookie", "a=b"])
        }
      }
    }))

  it.scoped("reports what the client sent: settings, windows, pings, resets, goodbyes", () =>
    Effect.gen(function*() {
      const { client, connection } = yield* start({ settings: { maxConcurrentStreams: 5 } })
      const settings = yield* connection.take("Settings")
      assert.isFalse(settings.ack)
      assert.isTrue((yield* connection.take("Settings")).ack)
      assert.strictEqual(client.remoteSettings.maxConcurrentStreams, 5)
      const stream = client.request({ ":method": "POST", ":path": "/" }, { endStream: false })
      stream.on("error", () => {})
      stream.write("abc")
      const { streamId } = yield* connection.take("Headers")
      assert.strictEqual(Buffer.from((yield* connection.take("Data", streamId)).data).toString(), "abc")
      stream.close(8)
      assert.strictEqual((yield* connection.take("RstStream", streamId)).code, 8)
      const pinged = yield* Effect.fork(Effect.async<void>((resume) => {
        client.ping(() => resume(Effect.void))
      }))
      assert.isFalse((yield* connection.take("Ping")).ack)
      yield* pinged
      yield* connection.send(Frame.ping(Buffer.from("12345678")))
      assert.strictEqual(Buffer.from((yield* connection.take("Ping")).data).toString(), "12345678")
      client.goaway(3, 0, Buffer.from("why"))
      const goodbye = yield* connection.take("GoAway")
      assert.strictEqual(goodbye.code, 3)
      assert.strictEqual(Buffer.from(goodbye.debugData).toString(), "why")
      client.destroy()
      yield* connection.awaitClosed
    }))

  it.scoped("gives windows back, or leaves the client to wait", () =>
    Effect.gen(function*() {
      const upload = (client: http2.ClientHttp2Session) => {
        const stream = client.request({ ":method": "POST", ":path": "/" }, { endStream: false })
        stream.on("error", () => {})
        stream.end(Buffer.alloc(200_000))
      }
      const total = (frames: ReadonlyArray<Frame.ReceivedFrame>) =>
        frames.reduce((sum, frame) => frame._tag === "Data" ? sum + frame.data.length : sum, 0)
      const generous = yield* start({ automatic: ["settings", "windows"] })
      upload(generous.client)
      while (!(yield* generous.connection.take("Data")).endStream);
      assert.strictEqual(total(yield* generous.connection.frames), 200_000)
      const strict = yield* start()
      upload(strict.client)
      let seen = 0
      while (seen < 65_535) seen += (yield* strict.connection.take("Data")).data.length
      assert.strictEqual(seen, 65_535)
      yield* strict.connection.send(Frame.windowUpdate(0, 10), Frame.windowUpdate(1, 10))
      assert.strictEqual((yield* strict.connection.take("Data")).data.length, 10)
    }))

  for (
    const [what, frame, code] of [
      ["a PING of seven bytes", Frame.make({ type: 6, flags: 0, streamId: 0, payload: new Uint8Array(7) }), 6],
      ["DATA on a stream that is not open", Frame.data(7, "nobody asked"), 1],
      ["HEADERS that can't be decoded", Frame.headers(1, new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f])), 9]
    ] as const
  ) {
    it.scoped(`sends malformed frames: ${what}`, () =>
      Effect.gen(function*() {
        const { client, connection } = yield* start()
        client.request({ ":path": "/" }).on("error", () => {})
        yield* connection.take("Headers")
        yield* connection.send(frame)
        assert.strictEqual((yield* connection.take("GoAway")).code, code)
      }))
  }

  it.scoped("does nothing by itself when its options say so, and can send anything", () =>
    Effect.gen(function*() {
      const peer = yield* FramePeer.make({ automatic: [] })
      const client = yield* connect({ host: peer.host, port: peer.port })
      const connection = yield* peer.accept
      client.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
      client.write(Frame.encode(Frame.settings([[0x99, 7]])))
      assert.deepStrictEqual((yield* connection.take("Settings")).settings, [[0x99, 7]])
      yield* connection.sendBytes("no frame at all")
      yield* client.until("no frame at all")
      assert.strictEqual(client.received(), "no frame at all")
      yield* connection.close("reset")
      assert.strictEqual(yield* client.closed, "ECONNRESET")
      yield* peer.awaitStats((stats) => stats.openConnections === 0)
    }))

  it.scoped("says what came when the frame that is waited for does not", () =>
    Effect.gen(function*() {
      const { client, connection } = yield* start()
      yield* connection.take("Settings")
      const waiting = yield* Effect.fork(connection.take("GoAway", 3))
      yield* Effect.yieldNow()
      client.destroy()
      assert.include(
        yield* defect(Fiber.join(waiting)),
        "no GoAway on stream 3 came: the connection has ended; what came: Settings on stream 0"
      )
    }))

  it.scoped("says so when the client speaks no HTTP/2", () =>
    Effect.gen(function*() {
      const peer = yield* FramePeer.make()
      const client = yield* connect({ host: peer.host, port: peer.port })
      const connection = yield* peer.accept
      client.write("GET / HTTP/1.1\r\n\r\n")
      assert.include(yield* defect(connection.take("Headers")), "not the preface of HTTP/2")
    }))
})
