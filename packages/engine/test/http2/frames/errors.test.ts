import { describe, expect, it } from "vitest"
import { ErrorCode } from "../../../src/http2/ErrorCode.js"
import { frame, join, settings, uint32 } from "./build.js"
import { read, record } from "./transcript.js"

const { COMPRESSION_ERROR, ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, PROTOCOL_ERROR } = ErrorCode

/** After the preface: a frame, the rule it breaks, the error code that the connection ends with, and the section. */
const faults: ReadonlyArray<readonly [string, Uint8Array, string, number, string]> = [
  ["DATA larger than allowed", frame(0, 0, 1, new Uint8Array(16_385)), "InvalidFrameSize", FRAME_SIZE_ERROR, "§4.2"],
  ["an unknown type likewise", frame(0x77, 0, 1, new Uint8Array(16_385)), "InvalidFrameSize", FRAME_SIZE_ERROR, "§4.2"],
  ["DATA on stream 0", frame(0, 0, 0, "x"), "InvalidStreamId", PROTOCOL_ERROR, "§6.1"],
  ["DATA on a stream of the server", frame(0, 0, 2, "x"), "InvalidStreamId", PROTOCOL_ERROR, "§6.1"],
  ["padded DATA without a pad length", frame(0, 8, 1), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.1"],
  ["DATA padded beyond its end", frame(0, 8, 1, Uint8Array.of(3, 0, 0)), "InvalidPadding", PROTOCOL_ERROR, "§6.1"],
  ["HEADERS on stream 0", frame(1, 4, 0), "InvalidStreamId", PROTOCOL_ERROR, "§6.2"],
  ["HEADERS on a stream of the server", frame(1, 4, 2), "InvalidStreamId", PROTOCOL_ERROR, "§6.2"],
  ["padded HEADERS without a pad length", frame(1, 0xc, 1), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.2"],
  ["HEADERS without room for priority", frame(1, 0x24, 1, "1234"), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.2"],
  ["HEADERS padded beyond their end", frame(1, 0xc, 1, Uint8Array.of(1)), "InvalidPadding", PROTOCOL_ERROR, "§6.2"],
  [
    "HEADERS padded into their priority",
    frame(1, 0x2c, 1, Uint8Array.of(2, 0, 0, 0, 0, 0, 0)),
    "InvalidPadding",
    PROTOCOL_ERROR,
    "§6.2"
  ],
  ["PRIORITY on stream 0", frame(2, 0, 0, "12345"), "InvalidStreamId", PROTOCOL_ERROR, "§6.3"],
  ["RST_STREAM on stream 0", frame(3, 0, 0, uint32(0)), "InvalidStreamId", PROTOCOL_ERROR, "§6.4"],
  ["RST_STREAM on a stream of the server", frame(3, 0, 2, uint32(0)), "InvalidStreamId", PROTOCOL_ERROR, "§6.4"],
  ["RST_STREAM of 3 octets", frame(3, 0, 1, "123"), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.4"],
  ["RST_STREAM of 5 octets", frame(3, 0, 1, "12345"), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.4"],
  ["SETTINGS on a stream", frame(4, 0, 1), "InvalidStreamId", PROTOCOL_ERROR, "§6.5"],
  ["SETTINGS of 5 octets", frame(4, 0, 0, "12345"), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.5"],
  ["an acknowledgement with settings", frame(4, 1, 0, "123456"), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.5"],
  ["PUSH_PROMISE", frame(5, 4, 1, uint32(2)), "UnexpectedPush", PROTOCOL_ERROR, "§6.6"],
  ["PING on a stream", frame(6, 0, 1, "12345678"), "InvalidStreamId", PROTOCOL_ERROR, "§6.7"],
  ["PING of 7 octets", frame(6, 0, 0, "1234567"), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.7"],
  ["PING of 9 octets", frame(6, 1, 0, "123456789"), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.7"],
  ["GOAWAY on a stream", frame(7, 0, 1, "12345678"), "InvalidStreamId", PROTOCOL_ERROR, "§6.8"],
  ["GOAWAY of 7 octets", frame(7, 0, 0, "1234567"), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.8"],
  ["WINDOW_UPDATE of 3 octets", frame(8, 0, 0, "123"), "InvalidFrameSize", FRAME_SIZE_ERROR, "§6.9"],
  ["WINDOW_UPDATE of a stream of the server", frame(8, 0, 2, uint32(1)), "InvalidStreamId", PROTOCOL_ERROR, "§6.9"],
  ["CONTINUATION alone", frame(9, 4, 1), "InvalidContinuation", PROTOCOL_ERROR, "§6.10"],
  [
    "CONTINUATION after a whole block",
    join(frame(1, 4, 1), frame(9, 4, 1)),
    "InvalidContinuation",
    PROTOCOL_ERROR,
    "§6.10"
  ],
  [
    "CONTINUATION of another stream",
    join(frame(1, 0, 1), frame(9, 4, 3)),
    "InvalidContinuation",
    PROTOCOL_ERROR,
    "§6.10"
  ],
  ["DATA within a block", join(frame(1, 0, 1), frame(0, 0, 1)), "InvalidContinuation", PROTOCOL_ERROR, "§6.10"],
  ["HEADERS within a block", join(frame(1, 0, 1), frame(1, 4, 1)), "InvalidContinuation", PROTOCOL_ERROR, "§6.10"],
  [
    "PING within a block",
    join(frame(1, 0, 1), frame(6, 0, 0, "12345678")),
    "InvalidContinuation",
    PROTOCOL_ERROR,
    "§6.10"
  ],
  [
    "an unknown type within a block",
    join(frame(1, 0, 1), frame(99, 0, 1)),
    "InvalidContinuation",
    PROTOCOL_ERROR,
    "§6.10"
  ]
]

describe("a frame that breaks a rule ends the connection", () => {
  it.each(faults)("%s", (_, input, code, errorCode, section) => {
    const error = { _tag: "ProtocolError", scope: "connection", code, errorCode, section: `RFC 9113 ${section}` }
    const whole = join(settings, input, frame(6, 0, 0, "not seen"))
    const reading = read(whole)
    expect(reading.error).toMatchObject(error)
    expect(reading.events.some(([name]) => name === "ping")).toBe(false)
    expect(read(whole, Array.from(whole.subarray(0, 64), (_, i) => i))).toEqual(reading)
  })

  it("is reported again by each later call", () => {
    const { events, reader } = record()
    const input = join(settings, frame(0, 0, 0))
    const error = reader.execute(input, 0, input.length)
    expect(reader.execute(settings, 0, settings.length)).toBe(error)
    expect(reader.execute(settings, 0, 0)).toBe(error)
    expect(events).toEqual([["settings"]])
  })
})

describe("the preface", () => {
  it.each([
    ["HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "\"HTTP/1.1 400 Bad Request…\""],
    ["220 mail.example.com ESMTP \"x\"", "\"220 mail.example.com ESM…\""],
    ["\x15\x03\x03\x00\x02\x02\x28 and so on", "\"\\x15\\x03\\x03\\x00\\x02\\x02( and so on\""]
  ])("of another protocol is quoted", (text, quoted) => {
    const { reader } = record()
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
    expect(reader.execute(bytes, 0, bytes.length)).toMatchObject({
      code: "InvalidPreface",
      detail: `The first octets are ${quoted}, which is no SETTINGS frame`,
      section: "RFC 9113 §3.4"
    })
  })

  it.each([
    ["PING", frame(6, 0, 0, "12345678")],
    ["an acknowledgement", frame(4, 1, 0)],
    ["an unknown type", frame(99, 0, 0)],
    ["GOAWAY", frame(7, 0, 0, "12345678")]
  ])("is SETTINGS and not %s", (_, first) => {
    expect(read(join(first, settings))).toMatchObject({ events: [], error: { code: "InvalidPreface" } })
  })

  it.each([
    "ERROR\r\n",
    "\x05\xff",
    "\x15\x03\x01\0\x02\x02\x46",
    "\0\0\0\x06",
    "\0\0\0\x04\x01",
    "\0\0\0\x04\0\0\0\x01"
  ])(
    "that cannot be SETTINGS is known before there is a whole frame head: %j",
    (text) => {
      const { reader } = record()
      const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
      expect(reader.execute(bytes, 0, bytes.length)).toMatchObject({ code: "InvalidPreface" })
      // Whatever a reserved bit says (RFC 9113 §4.1).
      for (let end = 1; end < settings.length; end++) {
        const other = record().reader
        expect(other.execute(Uint8Array.of(0, 0, 0, 4, 0, 0x80, 0, 0, 0), 0, Math.min(end, 9))).toBe(undefined)
      }
    }
  )

  it("is quoted as far as it has come", () => {
    const { reader } = record()
    expect([reader.firstBytes, reader.midFrame]).toEqual(["\"\"", false])
    reader.execute(settings, 0, 4)
    expect([reader.firstBytes, reader.midFrame]).toEqual(["\"\\x00\\x00\\x00\\x04\"", true])
    reader.execute(settings, 4, settings.length)
    expect([reader.firstBytes, reader.midFrame]).toEqual([undefined, false])
  })
})

describe("header blocks of many frames", () => {
  const blockOf = (...sizes: ReadonlyArray<number>): Uint8Array =>
    join(
      settings,
      ...sizes.map((size, i) =>
        frame(i === 0 ? 1 : 9, i === sizes.length - 1 ? 4 : 0, 1, new Uint8Array(size).fill(i % 256))
      )
    )

  it("are bounded by their octets, not by the number of frames", () => {
    const { error, events } = read(blockOf(...Array.from({ length: 60_000 }, () => 1)))
    expect(error).toBeUndefined()
    expect(events[1].slice(0, 3)).toEqual(["headers", 1, false])
    expect(events[1][3]).toHaveLength(60_000)
  })

  it("end the connection when they pass the limit, before the frame that passes it is read", () => {
    const { reader } = record({ maxHeaderBlockBytes: 40_000 })
    const input = blockOf(16_384, 16_384, 16_384)
    const beforeLast = input.length - 16_384
    expect(reader.execute(input, 0, beforeLast - 1)).toBeUndefined()
    expect(reader.execute(input, beforeLast - 1, beforeLast)).toMatchObject({
      code: "HeaderBlockTooLarge",
      errorCode: COMPRESSION_ERROR,
      section: "RFC 9113 §10.5.1"
    })
  })

  it("count the head of each frame", () => {
    expect(read(blockOf(1, ...Array.from({ length: 1000 }, () => 1)), [], { maxHeaderBlockBytes: 9000 }).error)
      .toMatchObject({
        code: "HeaderBlockTooLarge"
      })
  })

  it("may have a few frames without content, and not a flood of them", () => {
    const few = blockOf(5, ...Array.from({ length: 16 }, () => 0))
    expect(read(few).error).toBeUndefined()
    const flood = blockOf(5, ...Array.from({ length: 17 }, () => 0))
    expect(read(flood).error).toMatchObject({ code: "TooManyContinuations", errorCode: ENHANCE_YOUR_CALM })
    const next = join(few, frame(1, 0, 3), frame(9, 4, 3))
    expect(read(next).error).toBeUndefined()
  })

  it("report progress once for each input that leaves them incomplete", () => {
    const { progress, reader } = record()
    const input = blockOf(5, 5, 5)
    reader.execute(input, 0, 20)
    expect(progress()).toBe(1)
    reader.execute(input, 20, 45)
    expect(progress()).toBe(2)
    reader.execute(input, 45, input.length)
    expect(progress()).toBe(2)
  })
})

describe("a stopped reader", () => {
  it.each<[string, Uint8Array]>([
    ["onDataHead", frame(0, 1, 1)],
    ["onDataBytes", frame(0, 1, 1, "content")],
    ["onHeaders", frame(1, 4, 1)],
    ["onPing", frame(6, 0, 0, "12345678")],
    ["onIgnored", frame(99, 0, 0, "payload")]
  ])("has no events after %s", (event, input) => {
    const { events, reader } = record({}, { [event]: () => reader.stop() })
    const whole = join(settings, input, frame(6, 1, 0, "12345678"))
    expect(reader.execute(whole, 0, whole.length)).toBeUndefined()
    expect(reader.execute(whole, 0, whole.length)).toBeUndefined()
    expect(events.filter(([name]) => name !== "data")).toEqual([["settings"]])
  })
})
