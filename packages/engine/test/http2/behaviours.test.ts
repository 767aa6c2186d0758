import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import { ErrorCode } from "../../src/http2/ErrorCode.js"
import * as frames from "./support/frames.js"
import { get, Harness, post } from "./support/Harness.js"

// What h2spec (github.com/summerwind/h2spec) asks of servers, asked of a client, section by section. A server's frames
// come to stream 1 while stream 3 waits. What is left out is a server's alone: its clients' pseudo fields, their stream
// numbers, and how many streams they open at once.

const {
  COMPRESSION_ERROR,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  STREAM_CLOSED
} = ErrorCode

type Expected =
  /** Both requests get their response. */
  | "Goes on"
  /** GOAWAY with the code: neither request succeeds, and nothing more is read. */
  | { readonly goAway: number }
  /** RST_STREAM of stream 1 with the code; stream 3 goes on. */
  | { readonly reset: number }
  /** Stream 1 has its response already, and that is that; stream 3 goes on. */
  | "Has its response"

type Row = readonly [section: string, what: string, input: Uint8Array, expected: Expected]

const connection = (code: number): Expected => ({ goAway: code })
const stream = (code: number): Expected => ({ reset: code })
const protocolError = connection(PROTOCOL_ERROR)
const sizeError = connection(FRAME_SIZE_ERROR)
const malformed = stream(PROTOCOL_ERROR)

const { block, concat, data, goAway, headers, ping, raw, response, rst, settings, settingsAck, windowUpdate } = frames
const head = (...fields: frames.Fields) => headers(1, [[":status", "200"], ...fields])
const only = (...fields: frames.Fields) => headers(1, fields, { end: true })
const zeros = (length: number) => new Uint8Array(length)
const ofBlock = (...octets: ReadonlyArray<number>) => raw(1, 5, 1, [0x88, ...octets])
const dependency = (on: number, weight = 255) => [on >>> 24, 0, 0, on & 255, weight]
const none = zeros(0)

const generic: ReadonlyArray<Row> = [
  ["§2", "PRIORITY of a stream that is idle", raw(2, 0, 5, dependency(0)), "Goes on"],
  ["§2", "WINDOW_UPDATE of a half-closed stream", windowUpdate(1, 100), "Goes on"],
  ["§2", "PRIORITY of a half-closed stream", raw(2, 0, 1, dependency(0)), "Goes on"],
  ["§2", "RST_STREAM of a half-closed stream", rst(1, 8), { reset: -1 }],
  ["§2", "PRIORITY of a closed stream", concat([response(1), raw(2, 0, 1, dependency(3))]), "Has its response"],
  ["§3.1", "DATA", concat([head(), data(1, "test"), data(1, "", { end: true })]), "Has its response"],
  ["§3.1", "several DATA", concat([head(), data(1, "a"), data(1, "b", { end: true })]), "Has its response"],
  ["§3.1", "DATA with padding", concat([head(), data(1, "a", { padding: 255, end: true })]), "Has its response"],
  ["§3.1", "DATA of padding alone", concat([head(), data(1, "", { padding: 0, end: true })]), "Has its response"],
  ["§3.2", "HEADERS", only([":status", "200"]), "Has its response"],
  ["§3.2", "HEADERS with padding", raw(1, 0xd, 1, [2, 0x88, 0, 0]), "Has its response"],
  ["§3.2", "HEADERS with priority", raw(1, 0x25, 1, [...dependency(0), 0x88]), "Has its response"],
  ["§3.3", "PRIORITY of the least weight", raw(2, 0, 1, dependency(0, 0)), "Goes on"],
  ["§3.3", "PRIORITY that is exclusive", raw(2, 0, 1, dependency(0x80000003)), "Goes on"],
  ["§3.5", "SETTINGS", settings([4, 1000]), "Goes on"],
  ["§3.7", "PING", ping(1, 2), "Goes on"],
  ["§3.8", "GOAWAY that takes all streams", goAway(2 ** 31 - 1, NO_ERROR), "Goes on"],
  ["§3.9", "WINDOW_UPDATE of the connection", windowUpdate(0, 1), "Goes on"],
  ["§3.9", "WINDOW_UPDATE of a stream", windowUpdate(1, 1), "Goes on"],
  ["§3.10", "CONTINUATION", concat([raw(1, 1, 1, [0x88]), raw(9, 4, 1, block([["x", "1"]]))]), "Has its response"],
  [
    "§3.10",
    "several of them",
    frames.fragments(1, [[":status", "200"], ["x", "y"]], 3, { end: true }),
    "Has its response"
  ],
  ["§4", "trailers", concat([head(), data(1, "a"), only(["t", "1"])]), "Has its response"],
  ["§5", "an indexed field", raw(1, 5, 1, [0x88]), "Has its response"],
  ["§5", "a literal with indexing, its name indexed", ofBlock(0x58, 1, 97), "Has its response"],
  ["§5", "the same with a new name", ofBlock(0x40, 1, 120, 1, 97), "Has its response"],
  ["§5", "a literal without indexing, its name indexed", ofBlock(0x0f, 0x09, 1, 97), "Has its response"],
  ["§5", "the same with a new name", ofBlock(0x00, 1, 120, 1, 97), "Has its response"],
  ["§5", "a literal never indexed, its name indexed", ofBlock(0x1f, 0x09, 1, 97), "Has its response"],
  ["§5", "the same with a new name", ofBlock(0x10, 1, 120, 1, 97), "Has its response"],
  ["§5", "an update of the table's size", raw(1, 5, 1, [0x20, 0x3f, 0xe1, 0x1f, 0x88]), "Has its response"],
  ["§5", "Huffman code", ofBlock(0x00, 0x81, 0xf3, 0x81, 0x1f), "Has its response"]
]

const http2: ReadonlyArray<Row> = [
  ["§4.1", "a type that is unknown", raw(0x16, 0, 0, zeros(8)), "Goes on"],
  ["§4.1", "flags that are not defined", raw(6, 0x16, 0, zeros(8)), "Goes on"],
  ["§4.1", "the reserved bit", raw(6, 0, 0x80000000, zeros(8)), "Goes on"],
  ["§4.2", "DATA of 2^14 octets", concat([head(), data(1, zeros(16_384), { end: true })]), "Has its response"],
  ["§4.2", "DATA above the maximum", concat([head(), data(1, zeros(16_385))]), sizeError],
  ["§4.2", "HEADERS above the maximum", raw(1, 4, 1, zeros(16_385)), sizeError],
  ["§4.3", "a block that is invalid", raw(1, 5, 1, [0x40]), connection(COMPRESSION_ERROR)],
  ["§4.3", "PRIORITY within a block", concat([raw(1, 0, 1, [0x88]), raw(2, 0, 1, dependency(0))]), protocolError],
  [
    "§4.3",
    "HEADERS of another stream within a block",
    concat([raw(1, 0, 1, [0x88]), raw(1, 5, 3, [0x88])]),
    protocolError
  ],
  ["§5.1", "DATA of an idle stream", data(5, "a", { end: true }), protocolError],
  ["§5.1", "HEADERS of an idle stream", headers(5, [[":status", "200"]]), protocolError],
  ["§5.1", "RST_STREAM of an idle stream", rst(5, 8), protocolError],
  ["§5.1", "WINDOW_UPDATE of an idle stream", windowUpdate(5, 100), protocolError],
  ["§5.1", "CONTINUATION of an idle stream", raw(9, 4, 5, [0x88]), protocolError],
  ["§5.1", "DATA of a closed stream", concat([response(1), data(1, "a")]), connection(STREAM_CLOSED)],
  ["§5.1", "HEADERS of a closed stream", concat([response(1), only(["t", "1"])]), connection(STREAM_CLOSED)],
  ["§5.1", "CONTINUATION of a closed stream", concat([response(1), raw(9, 4, 1, [0x88])]), protocolError],
  ["§5.1", "WINDOW_UPDATE of a closed stream", concat([response(1), windowUpdate(1, 1)]), "Has its response"],
  ["§5.1", "RST_STREAM of a closed stream", concat([response(1), rst(1, 0)]), "Has its response"],
  ["§5.1.1", "HEADERS of a server's stream", headers(2, [[":status", "200"]]), protocolError],
  ["§5.3.1", "HEADERS that depend on themselves", raw(1, 0x25, 1, [...dependency(1), 0x88]), "Has its response"],
  ["§5.3.1", "PRIORITY that depends on itself", raw(2, 0, 1, dependency(1)), "Goes on"],
  ["§5.4.1", "a PING that is invalid", raw(6, 0, 0, zeros(6)), sizeError],
  ["§5.5", "an extension within a block", concat([raw(1, 1, 1, [0x88]), raw(0x16, 0, 1, [])]), protocolError],
  ["§6.1", "DATA of stream 0", raw(0, 1, 0, [1]), protocolError],
  ["§6.1", "DATA before HEADERS", data(1, "a", { end: true }), protocolError],
  ["§6.1", "DATA with an invalid pad length", concat([head(), raw(0, 9, 1, [6, 1, 2, 3, 4, 5])]), protocolError],
  ["§6.2", "HEADERS of stream 0", raw(1, 5, 0, [0x88]), protocolError],
  ["§6.2", "HEADERS with an invalid pad length", raw(1, 0xd, 1, [3, 0x88]), protocolError],
  ["§6.3", "PRIORITY of stream 0", raw(2, 0, 0, dependency(1)), protocolError],
  ["§6.3", "PRIORITY of 4 octets", raw(2, 0, 1, zeros(4)), stream(FRAME_SIZE_ERROR)],
  ["§6.4", "RST_STREAM of stream 0", rst(0, 8), protocolError],
  ["§6.4", "RST_STREAM of 3 octets", raw(3, 0, 1, zeros(3)), sizeError],
  ["§6.5", "SETTINGS with ACK and a payload", raw(4, 1, 0, zeros(6)), sizeError],
  ["§6.5", "SETTINGS of a stream", raw(4, 0, 1, []), protocolError],
  ["§6.5", "SETTINGS of 3 octets", raw(4, 0, 0, zeros(3)), sizeError],
  ["§6.5", "an ACK that nobody waits for", settingsAck, "Goes on"],
  ["§6.5.2", "SETTINGS_ENABLE_PUSH of 1", settings([2, 1]), protocolError],
  ["§6.5.2", "SETTINGS_ENABLE_PUSH of 2", settings([2, 2]), protocolError],
  ["§6.5.2", "SETTINGS_INITIAL_WINDOW_SIZE of 2^31", settings([4, 2 ** 31]), connection(FLOW_CONTROL_ERROR)],
  ["§6.5.2", "SETTINGS_MAX_FRAME_SIZE of 2^14-1", settings([5, 16_383]), protocolError],
  ["§6.5.2", "SETTINGS_MAX_FRAME_SIZE of 2^24", settings([5, 2 ** 24]), protocolError],
  ["§6.5.2", "a setting that is unknown", settings([0xff, 1]), "Goes on"],
  ["§6.5.2", "SETTINGS_ENABLE_CONNECT_PROTOCOL of 2 (RFC 8441 §3)", settings([8, 2]), protocolError],
  ["§6.7", "PING with ACK that nobody waits for", ping(1, 2, true), "Goes on"],
  ["§6.7", "PING of a stream", raw(6, 0, 1, zeros(8)), protocolError],
  ["§6.7", "PING of 6 octets", raw(6, 0, 0, zeros(6)), sizeError],
  ["§6.8", "GOAWAY of a stream", raw(7, 0, 1, zeros(8)), protocolError],
  ["§6.8", "GOAWAY with an error code that is unknown", goAway(3, 0xff), "Goes on"],
  ["§6.9", "WINDOW_UPDATE of 0 for the connection", windowUpdate(0, 0), protocolError],
  ["§6.9", "WINDOW_UPDATE of 0 for a stream", windowUpdate(1, 0), malformed],
  ["§6.9", "WINDOW_UPDATE of 3 octets", raw(8, 0, 0, zeros(3)), sizeError],
  [
    "§6.9.1",
    "WINDOW_UPDATEs above 2^31-1 for the connection",
    concat([windowUpdate(0, 2 ** 31 - 1), windowUpdate(0, 2 ** 31 - 1)]),
    connection(FLOW_CONTROL_ERROR)
  ],
  [
    "§6.9.1",
    "WINDOW_UPDATEs above 2^31-1 for a stream",
    concat([windowUpdate(1, 2 ** 31 - 1), windowUpdate(1, 2 ** 31 - 1)]),
    stream(FLOW_CONTROL_ERROR)
  ],
  ["§6.10", "CONTINUATION of stream 0", concat([raw(1, 1, 1, [0x88]), raw(9, 4, 0, [])]), protocolError],
  ["§6.10", "DATA within a block", concat([raw(1, 0, 1, [0x88]), data(1, "a")]), protocolError],
  ["§6.10", "CONTINUATION after a whole block", concat([head(), raw(9, 4, 1, [])]), protocolError],
  [
    "§6.10",
    "CONTINUATION after one that ends the block",
    concat([raw(1, 0, 1, [0x88]), raw(9, 4, 1, []), raw(9, 4, 1, [])]),
    protocolError
  ],
  ["§6.10", "CONTINUATION after DATA", concat([head(), data(1, "a"), raw(9, 4, 1, [])]), protocolError],
  ["§7", "RST_STREAM with an error code that is unknown", rst(1, 0xff), { reset: -1 }],
  ["§8.1", "a second HEADERS that does not end the stream", concat([head(), data(1, "a"), head()]), malformed],
  ["§8.1", "an interim response that ends the stream", only([":status", "103"]), malformed],
  ["§8.2.1", "a name in upper case", only([":status", "200"], ["X-A", "1"]), malformed],
  ["§8.2.1", "a name that is no token", only([":status", "200"], ["x a", "1"]), malformed],
  ["§8.2.1", "NUL in a value", only([":status", "200"], ["x", "a\0"]), malformed],
  ["§8.2.1", "CR in a value", only([":status", "200"], ["x", "a\r"]), malformed],
  ["§8.2.1", "LF in a value", only([":status", "200"], ["x", "a\nb"]), malformed],
  ["§8.2.2", "connection", only([":status", "200"], ["connection", "keep-alive"]), malformed],
  ["§8.2.2", "transfer-encoding", only([":status", "200"], ["transfer-encoding", "chunked"]), malformed],
  ["§8.3", "a pseudo field that is unknown", only([":status", "200"], [":test", "ok"]), malformed],
  ["§8.3", "one of requests", only([":status", "200"], [":method", "GET"]), malformed],
  ["§8.3", "one in the trailers", concat([head(), data(1, "a"), only([":status", "200"])]), malformed],
  ["§8.3", "one behind other fields", only(["x", "1"], [":status", "200"]), malformed],
  ["§8.3.2", "no :status", only(["x", "1"]), malformed],
  ["§8.3.2", "an empty one", only([":status", ""]), malformed],
  ["§8.3.2", "two of them", only([":status", "200"], [":status", "200"]), malformed],
  [
    "§8.1.1",
    "content-length that is not the length of DATA",
    concat([head(["content-length", "1"]), data(1, "test", { end: true })]),
    malformed
  ],
  [
    "§8.1.1",
    "content-length that is not the sum of several DATA",
    concat([head(["content-length", "1"]), data(1, "a"), data(1, "b", { end: true })]),
    malformed
  ],
  ["§8.4", "PUSH_PROMISE", raw(5, 4, 1, [0, 0, 0, 2, 0x88]), protocolError]
]

const hpack: ReadonlyArray<Row> = [
  ["§2.3.3", "an index that is not in the tables", ofBlock(0xff, 0x00), connection(COMPRESSION_ERROR)],
  ["§2.3.3", "a name at an index that is not in the tables", ofBlock(0x7f, 0x40, 0), connection(COMPRESSION_ERROR)],
  ["§4.2", "an update of the table's size at the end of a block", ofBlock(0x20), connection(COMPRESSION_ERROR)],
  [
    "§5.2",
    "Huffman code with padding of more than 7 bits",
    ofBlock(0, 1, 120, 0x82, 0x1f, 0xff),
    connection(COMPRESSION_ERROR)
  ],
  ["§5.2", "Huffman code with padding of zeros", ofBlock(0, 1, 120, 0x81, 0x18), connection(COMPRESSION_ERROR)],
  [
    "§5.2",
    "Huffman code with EOS",
    ofBlock(0, 1, 120, 0x84, 0xff, 0xff, 0xff, 0xff),
    connection(COMPRESSION_ERROR)
  ],
  ["§6.1", "an index of 0", ofBlock(0x80), connection(COMPRESSION_ERROR)],
  ["§6.3", "a table's size above ours", raw(1, 5, 1, [0x3f, 0xe2, 0x1f, 0x88]), connection(COMPRESSION_ERROR)]
]

const play = (input: Uint8Array, expected: Expected, split: number): void => {
  const harness = new Harness({ split })
  const [one, two] = [harness.send(), harness.send()]
  harness.takeFrames()
  harness.receive(input)
  const written = harness.written()
  const resets = written.filter((frame) => frame.startsWith("RST_STREAM"))
  if (expected === "Goes on" || expected === "Has its response") {
    deepStrictEqual([resets, harness.closed, one.got.isComplete], [[], undefined, expected === "Has its response"])
    if (expected === "Goes on") harness.receive(response(1))
    strictEqual(one.got.isComplete, true)
  } else if ("goAway" in expected) {
    strictEqual(written.at(-1), `GOAWAY 0 code ${expected.goAway}`)
    strictEqual(harness.closed?._tag, "ProtocolError")
    harness.receive(response(3))
    ok(!two.got.isComplete && two.got.error !== undefined)
    return
  } else {
    deepStrictEqual(resets, expected.reset < 0 ? [] : [`RST_STREAM 1 ${expected.reset}`])
    strictEqual(one.got.error?.failure._tag, expected.reset < 0 ? "StreamReset" : "ProtocolError")
    strictEqual(one.got.isComplete, false)
  }
  harness.receive(response(3, "three"))
  deepStrictEqual([two.got.text, two.got.isComplete], ["three", true])
}

for (const [of, rows] of [["", generic], ["RFC 9113", http2], ["RFC 7541", hpack]] as const) {
  describe(of === "" ? "what each implementation takes" : of, () => {
    for (const [section, what, input, expected] of rows) {
      it(`${section}: ${what}`, () => {
        play(input, expected, Infinity)
        if (input.length < 1000) play(input, expected, 1)
      })
    }
  })
}

describe("RFC 9113, what is written", () => {
  it("§3.4: the preface, then SETTINGS, at once", () => {
    const harness = new Harness({ serverSettings: "none" })
    strictEqual(harness.wantsFlush, true)
    strictEqual(harness.written()[0], "SETTINGS 0")
  })

  it("§3.4: a server whose first frame is not SETTINGS", () => {
    for (const first of [raw(4, 1, 0, none), ping(0, 0), concat([raw(0x48, 0x54, 0x5450, none)])]) {
      const harness = new Harness({ serverSettings: "none" })
      harness.receive(first)
      strictEqual(harness.written().at(-1), `GOAWAY 0 code ${PROTOCOL_ERROR}`)
    }
  })

  it("§5.1: DATA, HEADERS and CONTINUATION of a stream that we have reset are absorbed, and count for the window", () => {
    const harness = new Harness()
    const { got, stream } = harness.send()
    stream.cancel("Unwanted")
    deepStrictEqual(harness.written().at(-1), "RST_STREAM 1 8")
    harness.receive(raw(1, 0, 1, [0x88]), raw(9, 4, 1, none), data(1, "late"), data(1, "", { end: true }))
    deepStrictEqual([harness.closed, got.log.includes("head")], [undefined, false])
    // They are seen after the end too.
    harness.receive(raw(9, 4, 1, none))
    strictEqual(harness.closed!._tag, "ProtocolError")
  })

  it("§5.1: DATA and HEADERS of a stream whose response has ended, while the request goes on", () => {
    for (const late of [data(1, "a"), only(["t", "1"])]) {
      const harness = new Harness()
      const { got } = harness.send({ ...get, method: "POST", body: { _tag: "Chunks", length: undefined } })
      harness.receive(response(1), late)
      strictEqual(harness.written().at(-1), `GOAWAY 0 code ${STREAM_CLOSED}`)
      strictEqual(got.isComplete, true)
    }
  })

  it("§5.1.1: numbers are odd and rise by two", () => {
    const harness = new Harness()
    for (let n = 0; n < 3; n++) harness.send()
    deepStrictEqual(harness.takeFrames().map(({ streamId }) => streamId), [1, 3, 5])
  })

  it("§5.1.2: no more streams than the server takes at once", () => {
    const harness = new Harness({ serverSettings: [[3, 1]] })
    const [one, two] = [harness.send(), harness.send()]
    deepStrictEqual([one.got.error, two.got.error?.failure._tag], [undefined, "NotSent"])
    strictEqual(two.got.error?.retry, "Always")
  })

  it("§6.5.3: the last of several values of a setting counts, and SETTINGS are acknowledged", () => {
    const harness = new Harness()
    harness.receive(settings([4, 100], [4, 1]))
    harness.send(post("abc"))
    deepStrictEqual(harness.written(), ["SETTINGS 0 ACK", "HEADERS 1", "DATA 1 1"])
  })

  it("§6.7: PING is acknowledged with its octets, before anything else", () => {
    const harness = new Harness()
    harness.request(post("abc"))
    harness.receive(ping(0x01020304, 0x05060708))
    const [first] = harness.takeFrames()
    deepStrictEqual([first.type, first.flags, [...first.payload]], [6, 1, [1, 2, 3, 4, 5, 6, 7, 8]])
  })

  it("§6.9.1: with a window of 1 one octet is sent, and another one for each credit", () => {
    const harness = new Harness({ serverSettings: [[4, 1]] })
    harness.send(post("abc"))
    deepStrictEqual(harness.written(), ["HEADERS 1", "DATA 1 1"])
    harness.receive(windowUpdate(1, 1))
    deepStrictEqual(harness.written(), ["DATA 1 1"])
    harness.receive(windowUpdate(1, 5))
    deepStrictEqual(harness.written(), ["DATA 1 1 END"])
  })

  it("§6.9.2: SETTINGS_INITIAL_WINDOW_SIZE changes the windows of streams that are open, below zero too", () => {
    const harness = new Harness({ serverSettings: [[4, 3]] })
    harness.send(post("abcdef"))
    harness.receive(settings([4, 2]))
    deepStrictEqual(harness.written(), ["HEADERS 1", "DATA 1 3", "SETTINGS 0 ACK"])
    harness.receive(windowUpdate(1, 1))
    deepStrictEqual(harness.written(), [])
    harness.receive(windowUpdate(1, 1))
    deepStrictEqual(harness.written(), ["DATA 1 1"])
    harness.receive(settings([4, 100]))
    deepStrictEqual(harness.written(), ["SETTINGS 0 ACK", "DATA 1 2 END"])
  })

  it("§6.9.2: SETTINGS_INITIAL_WINDOW_SIZE that makes a window larger than any may be", () => {
    const harness = new Harness()
    harness.send(post("abc"))
    harness.send(post(zeros(70_000)))
    harness.receive(windowUpdate(3, 2 ** 31 - 1 - 65_535), settings([4, 2 ** 31 - 1]))
    strictEqual(harness.written().at(-1), `GOAWAY 0 code ${FLOW_CONTROL_ERROR}`)
  })

  it("RFC 7541 §4.2: a smaller table of the server's is announced at the start of the next block", () => {
    const harness = new Harness()
    harness.receive(settings([1, 0]))
    harness.send()
    const block = harness.takeFrames().find(({ type }) => type === 1)?.payload
    strictEqual(block?.[0], 0x20)
  })
})
