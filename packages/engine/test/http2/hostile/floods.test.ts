import { ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import * as frames from "../support/frames.js"
import { get, Harness } from "../support/Harness.js"

// Servers that send what costs them little and us work. Each is stopped, after few frames, by an error that names it, and
// what we write meanwhile stays small.

const COMPRESSION_ERROR = 9
const ENHANCE_YOUR_CALM = 11

const head = (streamId: number) => frames.headers(streamId, [[":status", "200"]])
const repeated = (frame: Uint8Array, times: number): Uint8Array => {
  const all = new Uint8Array(frame.length * times)
  for (let i = 0; i < times; i++) all.set(frame, i * frame.length)
  return all
}

/** How far a flood comes: more frames than any server has reason to send in one turn. */
const many = 20_000

const assertStopped = (harness: Harness, errorCode: number): void => {
  ok(harness.closed?._tag === "ProtocolError", `still open, or closed by ${harness.closed?._tag}`)
  strictEqual(harness.closed.errorCode, errorCode)
  const written = harness.written()
  ok(written.includes(`GOAWAY 0 code ${errorCode}`), written.slice(-3).join())
  ok(harness.wire.bytes < 64 * 1024, `${harness.wire.bytes} bytes were written`)
}

describe("A flood ends the connection and the request that waits on it", () => {
  const floods: ReadonlyArray<readonly [string, Uint8Array]> = [
    ["SETTINGS", frames.settings()],
    ["SETTINGS with values", frames.settings([4, 1000], [4, 100_000])],
    ["PING", frames.raw(6, 0, 0, new Uint8Array(8))],
    ["PING acknowledgements", frames.raw(6, 1, 0, new Uint8Array(8))],
    ["PRIORITY", frames.raw(2, 0, 1, new Uint8Array(5))],
    ["PRIORITY of a wrong size on a stream that is gone", frames.raw(2, 0, 99, new Uint8Array(4))],
    ["frames of unknown types", frames.raw(0x42, 0, 0, [])],
    ["WINDOW_UPDATE of the connection", frames.raw(8, 0, 0, [0, 0, 0, 1])],
    ["WINDOW_UPDATE of the stream", frames.raw(8, 0, 1, [0, 0, 0, 1])],
    ["GOAWAY", frames.goAway(1, 0)],
    ["empty DATA", frames.raw(0, 0, 1, [])]
  ]
  for (const [what, frame] of floods) {
    it(what, () => {
      const harness = new Harness()
      const { got } = harness.send()
      harness.receive(head(1), repeated(frame, many))
      assertStopped(harness, ENHANCE_YOUR_CALM)
      ok(got.error !== undefined)
    })
  }

  it("RST_STREAM of a stream that is gone", () => {
    const harness = new Harness()
    harness.send()
    harness.receive(head(1), frames.data(1, "", { end: true }), repeated(frames.rst(1, 8), many))
    assertStopped(harness, ENHANCE_YOUR_CALM)
  })

  it("HEADERS of a stream that we have reset", () => {
    const harness = new Harness()
    const { stream } = harness.send()
    stream.cancel("Unwanted")
    harness.flush()
    harness.receive(repeated(head(1), many))
    assertStopped(harness, ENHANCE_YOUR_CALM)
  })

  it("the responses to requests that were cancelled are no flood", () => {
    const harness = new Harness()
    for (let i = 0; i < 3000; i++) {
      const { stream } = harness.send()
      stream.cancel("Unwanted")
      harness.flush()
      harness.receive(head(2 * i + 1), frames.data(2 * i + 1, "late", { end: true }))
      harness.advance(10)
    }
    strictEqual(harness.closed, undefined)
  })

  it("frames without effect between useful ones are no flood", () => {
    const harness = new Harness({ initialWindowSize: 1 << 20 })
    const { got } = harness.send()
    harness.receive(head(1))
    for (let i = 0; i < 5000; i++) {
      harness.receive(frames.raw(6, 0, 0, new Uint8Array(8)), frames.data(1, "some content"))
      harness.flush()
    }
    harness.receive(frames.data(1, "", { end: true }))
    ok(got.isComplete)
    strictEqual(got.content.length, 60_000)
  })
})

describe("A header block without end", () => {
  const open = frames.raw(1, 0, 1, [0x88])

  it("of CONTINUATIONs without content is stopped after a few", () => {
    const harness = new Harness()
    harness.send()
    harness.receive(open, repeated(frames.raw(9, 0, 1, []), 17))
    assertStopped(harness, ENHANCE_YOUR_CALM)
  })

  it.each([1, 100, 16_384])("of CONTINUATIONs of %i octets is stopped by its octets", (size) => {
    const harness = new Harness({ maxHeaderSize: 64 * 1024 })
    harness.send()
    harness.receive(open)
    const frame = frames.raw(9, 0, 1, new Uint8Array(size))
    let sent = 0
    while (harness.closed === undefined && sent < 8 << 20) {
      harness.receive(frame)
      sent += frame.length
    }
    assertStopped(harness, COMPRESSION_ERROR)
    ok(sent <= (4 << 20) + 20_000, `${sent} octets`)
  })
})

describe("Header compression", () => {
  /** Puts a field of 4,000 octets into the table. */
  const large = [0x40, 1, 0x61, 0x7f, 0xa1, 0x1e, ...new Array<number>(4000).fill(0x62)]

  it("as a bomb, one octet for 4,000, ends the connection after bounded work", () => {
    const harness = new Harness()
    const { got } = harness.send()
    harness.receive(frames.raw(1, 4, 1, [0x88, ...large]))
    strictEqual(got.log.filter((event) => event.startsWith("head")).length, 1)
    harness.receive(frames.raw(1, 5, 1, new Uint8Array(16_000).fill(0xbe)))
    assertStopped(harness, COMPRESSION_ERROR)
    ok(got.error !== undefined)
  })

  it("as a smaller bomb, above our limit, costs its stream alone, and the table stays in step", () => {
    const harness = new Harness()
    const first = harness.send()
    const second = harness.send()
    harness.receive(frames.raw(1, 4, 1, [0x88, ...large, ...new Array<number>(100).fill(0xbe)]))
    ok(first.got.error?.failure._tag === "ProtocolError")
    strictEqual(first.got.error.failure.code, "HeaderListTooLarge")
    strictEqual(harness.closed, undefined)
    harness.receive(frames.raw(1, 5, 3, [0x88, 0xbe]))
    ok(second.got.isComplete)
    strictEqual(second.got.log.find((event) => event.startsWith("head")), `head 200 a,${"b".repeat(4000)}`)
  })

  it("that thrashes the table is decoded right", () => {
    const harness = new Harness()
    for (let i = 0; i < 2000; i++) {
      const { got } = harness.send()
      const digits = Array.from(`${i}`.padStart(4, "0"), (digit) => digit.charCodeAt(0))
      const fields = Array.from({ length: 130 }, () => [0x40, 1, 0x61, 4, ...digits]).flat()
      harness.receive(frames.raw(1, 5, 2 * i + 1, [0x88, ...fields, 0xbe]))
      ok(got.isComplete, got.log.join())
      ok(got.log.find((event) => event.startsWith("head"))?.endsWith(`a,${`${i}`.padStart(4, "0")}`))
    }
  })
})

describe("One-byte segments", () => {
  it("change nothing in what each request is notified of", () => {
    const conversation = (split: number): ReadonlyArray<unknown> => {
      const harness = new Harness({ split })
      const sent = Array.from({ length: 4 }, () => harness.send(get))
      harness.receive(
        frames.headers(1, [[":status", "103"], ["link", "</a>"]]),
        head(1),
        frames.fragments(3, [[":status", "404"], ["x-a", "b"]], 3),
        frames.data(3, "not "),
        frames.raw(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]),
        frames.data(1, "content"),
        frames.data(3, "found", { end: true }),
        frames.raw(0x55, 3, 7, [1, 2, 3]),
        frames.headers(1, [["x-trailer", "t"]], { end: true }),
        frames.headers(5, [[":status", "200"], ["BAD", "x"]]),
        frames.goAway(5, 0),
        frames.rst(7, 7)
      )
      return [...sent.map(({ got }) => [...got.outcome, got.error?.failure]), harness.written()]
    }
    strictEqual(JSON.stringify(conversation(1)), JSON.stringify(conversation(Infinity)))
  })
})
