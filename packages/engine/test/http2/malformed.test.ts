import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import type { StreamRequest } from "../../src/http2/index.js"
import * as frames from "./support/frames.js"
import { get, Harness } from "./support/Harness.js"

type Case = readonly [
  what: string,
  code: string,
  section: string,
  sent: ReadonlyArray<Uint8Array>,
  request?: Partial<StreamRequest>
]

const ok200: readonly [string, string] = [":status", "200"]
const end = { end: true }
const head = (...fields: frames.Fields) => frames.headers(1, fields)
const headOnly = (...fields: frames.Fields) => [frames.headers(1, fields, end)]

/** RFC 9113 §8.1.1: malformed. Their stream fails, by the name of the rule, and the connection goes on. */
const ofStream: ReadonlyArray<Case> = [
  ["no :status", "MissingStatus", "8.3.2", headOnly(["a", "b"])],
  ["two", "RepeatedStatus", "8.3", headOnly(ok200, ok200)],
  ["letters", "InvalidStatus", "8.3.2", headOnly([":status", "abc"])],
  ["two digits", "InvalidStatus", "8.3.2", headOnly([":status", "20"])],
  ["four digits", "InvalidStatus", "8.3.2", headOnly([":status", "2000"])],
  ["a status of 0", "InvalidStatus", "8.3.2", headOnly([":status", "000"])],
  ["a signed status", "InvalidStatus", "8.3.2", headOnly([":status", "+20"])],
  ["101", "InvalidStatus", "8.6", headOnly([":status", "101"])],
  [":status after a field", "InvalidPseudoField", "8.3", headOnly(["a", "b"], ok200)],
  ["a pseudo field of requests", "InvalidPseudoField", "8.3", headOnly(ok200, [":path", "/"])],
  ["a pseudo field of nobody", "InvalidPseudoField", "8.3", headOnly(ok200, [":x", "/"])],
  ["an upper case name", "InvalidHeaderName", "8.2.1", headOnly(ok200, ["X-Y", "z"])],
  ["a name with a blank", "InvalidHeaderName", "8.2.1", headOnly(ok200, ["x y", "z"])],
  ["a name with a colon", "InvalidHeaderName", "8.2.1", headOnly(ok200, ["x:", "z"])],
  ["an empty name", "InvalidHeaderName", "8.2.1", headOnly(ok200, ["", "z"])],
  ["a name beyond ASCII", "InvalidHeaderName", "8.2.1", headOnly(ok200, ["x\xe4", "z"])],
  ["CR in a value", "InvalidHeaderValue", "8.2.1", headOnly(ok200, ["x", "a\rb"])],
  ["LF in a value", "InvalidHeaderValue", "8.2.1", headOnly(ok200, ["x", "a\nb"])],
  ["NUL in a value", "InvalidHeaderValue", "8.2.1", headOnly(ok200, ["x", "a\0b"])],
  ["CR around a value", "InvalidHeaderValue", "8.2.1", headOnly(ok200, ["x", "\rb"])],
  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map((name): Case => [
    name,
    "ConnectionSpecificField",
    "8.2.2",
    headOnly(ok200, [name, "x"])
  ]),
  ["a length that is no number", "InvalidContentLength", "8.1.1", headOnly(ok200, ["content-length", "1x"])],
  ["a length that is negative", "InvalidContentLength", "8.1.1", headOnly(ok200, ["content-length", "-1"])],
  ["a length beyond counting", "InvalidContentLength", "8.1.1", headOnly(ok200, ["content-length", "9".repeat(20)])],
  ["two lengths", "RepeatedContentLength", "8.1.1", headOnly(ok200, ["content-length", "0"], ["content-length", "0"])],
  ["less than content-length", "WrongContentLength", "8.1.1", [
    head(ok200, ["content-length", "9"]),
    frames.data(1, "four", end)
  ]],
  ["nothing in place of content-length", "WrongContentLength", "8.1.1", headOnly(ok200, ["content-length", "9"])],
  ["more than content-length", "WrongContentLength", "8.1.1", [
    head(ok200, ["content-length", "3"]),
    frames.data(1, "four", end)
  ]],
  ["less than content-length before trailers", "WrongContentLength", "8.1.1", [
    head(ok200, ["content-length", "9"]),
    frames.data(1, "four"),
    frames.headers(1, [["a", "b"]], end)
  ]],
  ["content after HEAD", "UnexpectedContent", "8.1.1", [head(ok200), frames.data(1, "x", end)], { method: "HEAD" }],
  ["content of a 204", "UnexpectedContent", "8.1.1", [head([":status", "204"]), frames.data(1, "x", end)]],
  ["content of a 304", "UnexpectedContent", "8.1.1", [head([":status", "304"]), frames.data(1, "x", end)]],
  ["trailers that do not end the stream", "UnexpectedHeaders", "8.1", [
    head(ok200),
    frames.data(1, "x"),
    frames.headers(1, [["a", "b"]])
  ]],
  ["a second head", "UnexpectedHeaders", "8.1", [head(ok200), head(ok200)]],
  ["a pseudo field in trailers", "InvalidPseudoField", "8.1", [head(ok200), frames.headers(1, [ok200], end)]],
  ["content-length in trailers", "ForbiddenTrailer", "8.1.1", [
    head(ok200),
    frames.headers(1, [["content-length", "0"]], end)
  ]],
  ["a field of HTTP/1.1 in trailers", "ConnectionSpecificField", "8.2.2", [
    head(ok200),
    frames.headers(1, [["transfer-encoding", "chunked"]], end)
  ]],
  ["an interim response that ends the stream", "UnexpectedEnd", "8.1", headOnly([":status", "103"])],
  ["interim responses of many bytes", "InformationalTooLarge", "8.1", [
    ...Array.from({ length: 18 }, () => head([":status", "103"], ["x", "v".repeat(15_000)]))
  ]],
  ["a window of nothing", "InvalidWindowUpdate", "6.9", [frames.windowUpdate(1, 0)]],
  ["a window that overflows", "WindowOverflow", "6.9.1", [
    frames.windowUpdate(1, 2 ** 31 - 1),
    frames.windowUpdate(1, 2 ** 31 - 1)
  ]],
  ["PRIORITY of four bytes", "InvalidFrameSize", "6.3", [frames.raw(2, 0, 1, [0, 0, 0, 0])]],
  ["a header section above our limit", "HeaderListTooLarge", "6.5.2", [
    frames.fragments(
      1,
      [ok200, ...Array.from({ length: 19 }, (): [string, string] => ["x", "v".repeat(14_000)])],
      16_000
    )
  ]]
]

/** RFC 9113 §5.4.1: the connection ends. */
const ofConnection: ReadonlyArray<Case> = [
  ["a PING of seven bytes", "InvalidFrameSize", "6.7", [frames.raw(6, 0, 0, new Uint8Array(7))]],
  ["DATA on an idle stream", "InvalidStreamId", "5.1", [frames.data(7, "x")]],
  ["HEADERS on an idle stream", "InvalidStreamId", "5.1", [frames.headers(7, [ok200])]],
  ["RST_STREAM on an idle stream", "InvalidStreamId", "5.1", [frames.rst(7, 8)]],
  ["WINDOW_UPDATE on an idle stream", "InvalidStreamId", "5.1", [frames.windowUpdate(7, 1)]],
  ["DATA before HEADERS", "UnexpectedData", "8.1", [frames.data(1, "early")]],
  ["DATA after the end", "StreamClosed", "5.1", [frames.response(1), frames.data(1, "more")]],
  ["HEADERS after the end", "StreamClosed", "5.1", [frames.response(1), frames.headers(1, [["a", "b"]], end)]],
  ["an index of nothing", "InvalidHpackIndex", "RFC 7541 §2.3.3", [frames.raw(1, 5, 1, [0xff, 0xff, 0x0f])]],
  ["a push", "UnexpectedPush", "", [frames.raw(5, 4, 1, [0, 0, 0, 2, ...frames.block([[":method", "GET"]])])]],
  ["a window of nothing", "InvalidWindowUpdate", "6.9", [frames.windowUpdate(0, 0)]],
  ["a window that overflows", "WindowOverflow", "6.9.1", [
    frames.windowUpdate(0, 2 ** 31 - 1),
    frames.windowUpdate(0, 2 ** 31 - 1)
  ]],
  ["an initial window that overflows", "WindowOverflow", "6.9.2", [
    frames.windowUpdate(1, 2 ** 31 - 1 - 65_535),
    frames.settings([4, 65_536])
  ]],
  ["a setting of push", "InvalidSetting", "6.5.2", [frames.settings([2, 1])]],
  ["an initial window of too much", "InvalidSetting", "6.5.2", [frames.settings([4, 2 ** 31])]],
  ["frames of too little", "InvalidSetting", "6.5.2", [frames.settings([5, 100])]],
  ["extended CONNECT taken back", "InvalidSetting", "RFC 8441 §3", [frames.settings([8, 1]), frames.settings([8, 0])]],
  ["more DATA than a stream's window", "FlowControl", "6.9.1", [
    head(ok200),
    ...Array.from({ length: 11 }, () => frames.data(1, new Uint8Array(10_000)))
  ]]
]

describe("Malformed responses fail their stream, once and by name", () => {
  for (const [what, code, section, sent, request] of ofStream) {
    it(what, () => {
      for (const split of [Infinity, 7]) {
        const harness = new Harness({ split })
        const { got } = harness.send({ ...get, ...request })
        const other = harness.send()
        harness.takeFrames()
        harness.receive(...sent)
        const { error } = got
        ok(error !== undefined && error.failure._tag === "ProtocolError", got.log.join())
        strictEqual(error.failure.code, code)
        ok(error.failure.section.endsWith(section), error.failure.section)
        strictEqual(error.failure.scope, "stream")
        strictEqual(error.retry, "Never")
        strictEqual(error.written, true)
        ok(harness.written().some((frame) => frame.startsWith("RST_STREAM 1 ")))
        // What comes of it now is absorbed, and others are not touched.
        harness.receive(frames.data(1, "late"), frames.response(3))
        ok(other.got.isComplete)
        strictEqual(got.log.filter((event) => event.startsWith("error")).length, 1)
        strictEqual(harness.closed, undefined)
      }
    })
  }
})

describe("What is not HTTP/2 ends the connection", () => {
  for (const [what, code, section, sent] of ofConnection) {
    it(what, () => {
      for (const split of [Infinity, 7]) {
        const harness = new Harness({ split, initialWindowSize: 100_000 })
        const { stream } = harness.send()
        const other = harness.send()
        const waiting = harness.request()
        stream.pause()
        harness.receive(...sent)
        strictEqual(harness.closed?._tag, "ProtocolError")
        ok(harness.closed._tag === "ProtocolError")
        strictEqual(harness.closed.code, code)
        ok(harness.closed.section.endsWith(section), harness.closed.section)
        strictEqual(other.got.error?.failure, harness.closed)
        strictEqual(other.got.error.retry, "Never")
        // It was never written.
        strictEqual(waiting.got.error?.retry, "Always")
        ok(harness.wire.frames.some((frame) => frame.type === 7), "GOAWAY")
        deepStrictEqual(harness.events.slice(-2), ["draining", "closed ProtocolError"])
      }
    })
  }
})

describe("What is not quite right is taken", () => {
  it("blanks around values do not belong to them", () => {
    const harness = new Harness()
    const { got } = harness.send()
    harness.receive(frames.response(1, "", [["location", "/next "], ["x", "\t y \t"], ["empty", " "]]))
    deepStrictEqual(got.log[1], "head 200 location,/next,x,y,empty,")
  })

  it("unknown frames, settings and flags", () => {
    const harness = new Harness()
    const { got } = harness.send()
    harness.receive(
      frames.raw(0xee, 0xff, 1, new Uint8Array(30)),
      frames.raw(0x0a, 0, 0, new Uint8Array(3)),
      frames.settings([0x9999, 1]),
      frames.raw(2, 0xff, 1, new Uint8Array(5)),
      frames.response(1)
    )
    ok(got.isComplete)
  })

  it("content-length of a response to HEAD, and of a 304", () => {
    for (const [method, status] of [["HEAD", "200"], ["GET", "304"]]) {
      const harness = new Harness()
      const { got } = harness.send({ ...get, method })
      harness.receive(frames.headers(1, [[":status", status], ["content-length", "10"]], { end: true }))
      ok(got.isComplete, got.log.join())
    }
  })
})
