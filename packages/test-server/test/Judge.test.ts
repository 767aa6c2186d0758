import { assert, describe, it } from "@effect/vitest"
import { Frame, FramePeer } from "@sluice/test-server"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { connect } from "./support.js"

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
const settings = Frame.settings()
const request = Frame.headers(1, [[":method", "GET"], [":path", "/"], [":scheme", "http"], [":authority", "a"]])
const raw = (type: number, streamId: number, length: number, flags = 0) =>
  Frame.make({ type, flags, streamId, payload: new Uint8Array(length) })

describe("FramePeer as the judge of a client", () => {
  for (
    const [frames, message] of [
      [[request], "the first frame is Headers (RFC 9113 section 3.4: PROTOCOL_ERROR)"],
      [[settings, Frame.data(0, "x")], "Data on stream 0 (RFC 9113 section 6: PROTOCOL_ERROR)"],
      [[settings, Frame.data(1, "x")], "Data on stream 1, which is idle (RFC 9113 section 5.1: PROTOCOL_ERROR)"],
      [[settings, Frame.rstStream(1)], "RstStream on stream 1, which is idle (RFC 9113 section 5.1: PROTOCOL_ERROR)"],
      [
        [settings, Frame.headers(2, [])],
        "Headers on stream 2, which is not a client's (RFC 9113 section 5.1.1: PROTOCOL_ERROR)"
      ],
      [
        [settings, Frame.headers(1, [], { endStream: true }), Frame.data(1, "x")],
        "Data on stream 1, which its client has ended (RFC 9113 section 5.1: STREAM_CLOSED)"
      ],
      [
        [settings, request, Frame.headers(1, [])],
        "Trailers on stream 1 that do not end it (RFC 9113 section 8.1: PROTOCOL_ERROR)"
      ],
      [
        [settings, Frame.headers(1, [], { endHeaders: false }), Frame.ping()],
        "Ping inside of the header block of stream 1 (RFC 9113 section 4.3: PROTOCOL_ERROR)"
      ],
      [[settings, Frame.continuation(1, [])], "CONTINUATION without HEADERS (RFC 9113 section 6.10: PROTOCOL_ERROR)"],
      [[settings, raw(6, 0, 7)], "Ping of 7 bytes, not 8 (RFC 9113 section 4.2: FRAME_SIZE_ERROR)"],
      [[settings, raw(6, 1, 8)], "Ping on stream 1 (RFC 9113 section 6: PROTOCOL_ERROR)"],
      [[settings, Frame.windowUpdate(0, 0)], "WindowUpdate by 0 (RFC 9113 section 6.9: PROTOCOL_ERROR)"],
      [[Frame.settings([[2, 2]])], "ENABLE_PUSH 2 (RFC 9113 section 6.5.2: PROTOCOL_ERROR)"],
      [[raw(4, 0, 6, 1)], "Settings with ACK of 6 bytes (RFC 9113 section 6.5: FRAME_SIZE_ERROR)"],
      [[settings, Frame.pushPromise(1, 2, [])], "PushPromise by a client (RFC 9113 section 8.4: PROTOCOL_ERROR)"],
      [[settings, raw(7, 0, 4)], "GoAway of 4 bytes (RFC 9113 section 6.8: FRAME_SIZE_ERROR)"],
      [[settings, raw(0, 1, 16_385)], "Data of 16385 bytes, above 16384 (RFC 9113 section 4.2: FRAME_SIZE_ERROR)"],
      [
        [settings, request, Frame.make({ type: 0, flags: 8, streamId: 1, payload: Uint8Array.of(9, 1) })],
        "Data of 2 bytes with 10 bytes of padding (RFC 9113 section 6.1: PROTOCOL_ERROR)"
      ]
    ] as ReadonlyArray<readonly [ReadonlyArray<Frame.Frame>, string]>
  ) {
    it.scoped(`says: ${message}`, () =>
      Effect.gen(function*() {
        const peer = yield* FramePeer.make()
        const client = yield* connect({ port: peer.port })
        const connection = yield* peer.accept
        client.write(Buffer.concat([preface, ...frames.map(Frame.encode)]))
        const stats = yield* peer.awaitStats((stats) => stats.malformed.length > 0)
        assert.deepStrictEqual(stats.malformed, [message])
        const exit = yield* Effect.exit(connection.take("GoAway"))
        assert.isTrue(exit._tag === "Failure" && Cause.pretty(exit.cause).includes(message))
      }))
  }
})
