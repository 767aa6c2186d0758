import { ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import * as frames from "./support/frames.js"
import { Harness } from "./support/Harness.js"

const head = (streamId: number) => frames.headers(streamId, [[":status", "200"]])

/** Each ends within so many frames, though the server goes on for ever. */
const floods: ReadonlyArray<readonly [string, (n: number) => Uint8Array]> = [
  ["SETTINGS", () => frames.settings([4, 65_535])],
  ["acknowledgements of SETTINGS", () => frames.settingsAck],
  ["PING", (n) => frames.ping(n, n)],
  ["acknowledgements of PING", (n) => frames.ping(0, n, true)],
  ["PRIORITY", () => frames.raw(2, 0, 1, new Uint8Array(5))],
  ["unknown frames", () => frames.raw(99, 0, 1, [])],
  ["empty DATA", () => frames.data(1, "")],
  ["WINDOW_UPDATE", () => frames.windowUpdate(0, 1)],
  ["GOAWAY", () => frames.goAway(1, 0)],
  ["RST_STREAM of a stream that is gone", () => frames.rst(3, 8)],
  ["interim responses", () => frames.headers(1, [[":status", "103"], ["x", "v".repeat(300)]])],
  ["CONTINUATION", (n) => frames.raw(n === 0 ? 1 : 9, 0, 1, n === 0 ? frames.block([[":status", "200"]]) : [])]
]

describe("A flood is ended", () => {
  for (const [what, frame] of floods) {
    it(what, () => {
      const harness = new Harness()
      const { got } = harness.send()
      harness.send().stream.cancel("Unwanted")
      harness.takeFrames()
      if (what === "empty DATA") harness.receive(head(1))
      let n = 0
      while (n < 5000 && harness.closed === undefined && got.error === undefined) harness.receive(frame(n++))
      ok(n <= 1100, `${n} frames`)
      ok(got.error !== undefined)
      strictEqual(got.error.failure._tag, "ProtocolError")
    })
  }

  it("of PINGs whose replies are not read, at the thousandth that waits", () => {
    const harness = new Harness()
    for (let n = 0; n < 2000 && harness.closed === undefined; n++) {
      harness.receive(frames.ping(0, n))
      harness.session.flush(0)
    }
    strictEqual(harness.closed?._tag, "ProtocolError")
  })
})

describe("What is honest is no flood", () => {
  it("credit for each frame of a large upload, and a PING with each frame of a large download", () => {
    const harness = new Harness({ serverSettings: [[4, 2 ** 20]] })
    const { got, stream } = harness.send({
      origin: { scheme: "https", authority: "example.com" },
      method: "POST",
      target: "/",
      headers: {},
      body: { _tag: "Chunks", length: undefined }
    })
    harness.receive(head(1))
    for (let n = 0; n < 5000; n++) {
      stream.write(new Uint8Array(16_384))
      harness.flush()
      harness.receive(frames.windowUpdate(0, 16_384), frames.windowUpdate(1, 16_384))
      harness.receive(frames.data(1, "0123456789"), frames.ping(0, n))
    }
    strictEqual(harness.closed, undefined)
    strictEqual(got.content.length, 50_000)
  })
})

describe("A server that drips", () => {
  it("a byte of content at a time that nobody reads fills blocks, not arrays", () => {
    const harness = new Harness()
    const { got, stream } = harness.send()
    harness.receive(head(1))
    stream.pause()
    for (let n = 0; n < 50_000; n++) harness.receive(frames.data(1, "x"))
    stream.resume()
    ok(got.chunks <= 4, `${got.chunks} chunks`)
    strictEqual(got.content.length, 50_000)
  })

  it("a head a byte at a time is progress, which its own time limits", () => {
    const harness = new Harness({ split: 1 })
    const { got } = harness.send()
    harness.receive(head(1).subarray(0, 12))
    ok(got.log.includes("progress"))
  })
})

describe("Content of streams that were reset", () => {
  const big = new Uint8Array(16_000)
  /** Frames until the connection ends. */
  const dataUntilClosed = (harness: Harness, streamId: number): number => {
    let n = 0
    while (n < 2000 && harness.closed === undefined) {
      harness.receive(frames.data(streamId, big))
      harness.flush()
      n++
    }
    return n
  }
  const assertFlowControl = ({ closed }: Harness) => {
    ok(closed?._tag === "ProtocolError")
    strictEqual(closed.code, "FlowControl")
  }

  it("is taken as far as their windows let it through, and no further: before and after the RST_STREAM is written", () => {
    for (const written of [false, true]) {
      const harness = new Harness({ initialWindowSize: 160_000 })
      const { stream } = harness.send()
      const { id } = stream
      harness.receive(head(1), frames.data(1, big))
      stream.cancel("Unwanted")
      if (written) harness.flush()
      strictEqual(dataUntilClosed(harness, id), 10)
      assertFlowControl(harness)
    }
  })

  it("counts from when each ended, whoever reset it and why", () => {
    for (const end of ["server", "malformed"] as const) {
      const harness = new Harness({ initialWindowSize: 160_000 })
      harness.send()
      harness.receive(head(1), frames.data(1, big))
      harness.receive(end === "server" ? frames.rst(1, 2) : frames.headers(1, [["a", "b"]]))
      if (end === "malformed") harness.flush()
      strictEqual(dataUntilClosed(harness, 1), 10)
      assertFlowControl(harness)
    }
  })

  it("counts for a stream whose window is being raised", () => {
    const harness = new Harness({ initialWindowSize: 160_000 })
    const { stream } = harness.send()
    harness.receive(head(1))
    harness.session.content["announce"](320_000)
    stream.cancel("Unwanted")
    harness.flush()
    strictEqual(dataUntilClosed(harness, 1), 21)
  })

  it("that are long gone is a flood, after as many frames as any", () => {
    const harness = new Harness()
    harness.send().stream.cancel("Unwanted")
    for (let n = 1; n < 1100; n++) {
      harness.send()
      harness.receive(frames.response(2 * n + 1))
    }
    const n = dataUntilClosed(harness, 1)
    ok(n > 500 && n <= 1001, String(n))
  })
})

describe("Callers who abandon requests in masses", () => {
  it("do not send more resets than servers bear, and the capacity shrinks meanwhile", () => {
    const harness = new Harness({ maxConcurrentStreams: 1000, serverSettings: [[3, 1000]] })
    const streams = Array.from({ length: 500 }, () => harness.request().stream)
    harness.flush()
    harness.takeFrames()
    for (const stream of streams) stream.cancel("Unwanted")
    const resets = () => harness.written().filter((frame) => frame.startsWith("RST_STREAM")).length
    strictEqual(resets(), 200)
    strictEqual(harness.session.capacity, 700)
    harness.advance(1000)
    const more = resets()
    ok(more >= 25 && more <= 35, String(more))
    // What the server ends by itself needs no reset.
    for (const { id } of streams.slice(250)) harness.receive(frames.response(id))
    harness.advance(10_000)
    strictEqual(harness.session.table.size, 0)
    strictEqual(harness.session.capacity, 1000)
  })
})
