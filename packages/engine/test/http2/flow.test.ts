import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import { BufferedBytes } from "../../src/http2/index.js"
import * as frames from "./support/frames.js"
import { get, Harness, post } from "./support/Harness.js"

const head = (streamId: number) => frames.headers(streamId, [[":status", "200"]])
const chunked = { ...post(""), body: { _tag: "Chunks", length: undefined } } as const
const MiB = 1024 * 1024

describe("What is written", () => {
  it("begins with the preface, SETTINGS and the connection's window; requests of one turn go out together", () => {
    const harness = new Harness({ serverSettings: "none" })
    for (let n = 0; n < 3; n++) harness.request()
    harness.flush()
    deepStrictEqual(harness.written(), [
      "SETTINGS 0",
      `WINDOW_UPDATE 0 ${16 * MiB - 65_535}`,
      "HEADERS 1 END",
      "HEADERS 3 END",
      "HEADERS 5 END"
    ])
  })

  it("an upload does not delay a small request by more than a frame or two", () => {
    const harness = new Harness({ serverSettings: [[4, 2 ** 30]] })
    harness.receive(frames.windowUpdate(0, 2 ** 30))
    harness.send(post(new Uint8Array(10 * MiB)))
    harness.takeFrames()
    harness.request(get)
    harness.request(post("small"))
    harness.flush()
    const written = harness.written()
    deepStrictEqual(written.slice(0, 3), ["HEADERS 3 END", "HEADERS 5", "DATA 1 16384"])
    strictEqual(written[3], "DATA 5 5 END")
  })

  it("DATA in round robin, and only while the transport has room", () => {
    const harness = new Harness({ serverSettings: [[4, 2 ** 30]] })
    harness.receive(frames.windowUpdate(0, 2 ** 30))
    for (let n = 0; n < 3; n++) harness.request(post(new Uint8Array(100_000)))
    ok(harness.flush(40_000))
    const ids = () => harness.takeFrames().filter((frame) => frame.type === 0).map((frame) => frame.streamId)
    deepStrictEqual(ids(), [1, 3, 5])
    strictEqual(harness.flush(0), true)
    deepStrictEqual(harness.wire.frames, [])
    harness.flush(40_000)
    deepStrictEqual(ids(), [1, 3, 5])
  })

  it("is pulled no faster than it is taken; onDrain comes when there is room, and trailers at the end", () => {
    const harness = new Harness()
    const { got, stream } = harness.send(chunked)
    let written = 0
    while (stream.write(new Uint8Array(10_000))) written += 10_000
    ok(written < 70_000)
    harness.flush()
    ok(got.log.includes("drain"), got.log.join())
    harness.receive(frames.windowUpdate(1, MiB), frames.windowUpdate(0, MiB))
    stream.end({ "x-sum": "1" })
    harness.flush()
    const all = harness.takeFrames()
    strictEqual(all.filter((frame) => frame.type === 0).reduce((sum, frame) => sum + frame.payload.length, 0), 70_000)
    deepStrictEqual(all.at(-1)?.fields, [["x-sum", "1"]])
    strictEqual(got.log.at(-1), "sent")
  })

  it("a request that was abandoned before the end of its turn leaves nothing; one that was written is reset", () => {
    const harness = new Harness()
    harness.request().stream.cancel("Unwanted")
    const { stream } = harness.request()
    harness.flush()
    stream.cancel("Unwanted")
    deepStrictEqual(harness.written(), ["HEADERS 1 END", "PING 0", "RST_STREAM 1 8"])
  })

  it("what cannot be sent is refused with nothing written, and nothing that was asked for vanishes", () => {
    const wrong: ReadonlyArray<Record<string, string>> = [
      { "x-bad": "a\r\nb" },
      { "bad name": "x" },
      { "X-Upper": "x" },
      { host: "one.invalid, two.invalid" },
      { "x-uni": "\u20ac" },
      { "content-length": "3" },
      { connection: "authorization", authorization: "Bearer t" },
      { "x-large": "v".repeat(2_000_000) }
    ]
    for (const headers of wrong) {
      const harness = new Harness()
      const { got } = harness.send({ ...get, headers })
      ok(got.error?.failure._tag === "LocalError", JSON.stringify(Object.keys(headers)))
      strictEqual(got.error.written, false)
      deepStrictEqual(harness.written(), [])
    }
    const harness = new Harness()
    const headers = Object.defineProperty({ authorization: "Bearer t ", cookie: "a=1;  b=2" }, "__proto__", {
      value: "kept",
      enumerable: true
    })
    harness.send({ ...get, headers })
    deepStrictEqual(harness.takeFrames()[0].fields.slice(4), [
      ["authorization", "Bearer t"],
      ["cookie", "a=1"],
      ["cookie", "b=2"],
      ["__proto__", "kept"]
    ])
  })

  it("extended CONNECT, where the server takes it (RFC 8441), is a tunnel", () => {
    const request = { ...get, method: "CONNECT", protocol: "websocket", target: "/chat" }
    strictEqual(new Harness().send(request).got.error?.failure._tag, "LocalError")
    const harness = new Harness({ serverSettings: [[8, 1]] })
    const { got, stream } = harness.send(request)
    deepStrictEqual(harness.takeFrames()[0].fields.slice(0, 2), [[":method", "CONNECT"], [":protocol", "websocket"]])
    harness.receive(head(1), frames.data(1, "hello"))
    stream.write(Buffer.from("ping"))
    deepStrictEqual(harness.written(), ["DATA 1 4"])
    harness.receive(frames.data(1, "", { end: true }))
    ok(got.isComplete)
    stream.end()
    harness.flush()
    deepStrictEqual(harness.written(), ["DATA 1 0 END"])
    strictEqual(got.log.at(-1), "sent")
    strictEqual(harness.session.table.size, 0)
  })
})

describe("Windows of responses", () => {
  const credit = (harness: Harness, streamId: number) =>
    harness.takeFrames().filter((frame) => frame.type === 8 && frame.streamId === streamId)
      .reduce((sum, frame) => sum + Buffer.from(frame.payload).readUInt32BE(), 0)

  it("100 responses that nobody reads do not hold up the next, and are bounded", () => {
    const harness = new Harness()
    const unread = Array.from({ length: 99 }, () => harness.send())
    for (const { stream } of unread) {
      harness.receive(head(stream.id))
      stream.pause()
    }
    // The server sends what its windows allow, and takes SETTINGS at once.
    let window = MiB
    const sent = new Map<number, number>()
    for (const { stream } of unread) {
      while ((sent.get(stream.id) ?? 0) + 16_000 <= window) {
        harness.receive(frames.data(stream.id, new Uint8Array(16_000)))
        sent.set(stream.id, (sent.get(stream.id) ?? 0) + 16_000)
        for (const frame of harness.takeFrames()) {
          if (frame.type !== 4 || (frame.flags & 1) !== 0) continue
          window = Buffer.from(frame.payload).readUInt32BE(2)
          harness.receive(frames.settingsAck)
        }
      }
    }
    ok(harness.session.buffered.held <= 32 * MiB, String(harness.session.buffered.held))
    strictEqual(harness.closed, undefined)
    const { got, stream } = harness.send()
    harness.receive(frames.response(stream.id))
    ok(got.isComplete)
    for (const { stream } of unread) stream.cancel("Unwanted")
    strictEqual(harness.session.buffered.held, 0)
  })

  it("grow for a reader that keeps up, and not for one that does not", () => {
    for (const slow of [false, true]) {
      const harness = new Harness({ initialWindowSize: 100_000 })
      harness.send()
      harness.now += 10
      harness.receive(head(1))
      if (slow) harness.now += 1000
      for (let n = 0; n < 5; n++) harness.receive(frames.data(1, new Uint8Array(10_000)))
      strictEqual(credit(harness, 1), slow ? 50_000 : 150_000)
    }
  })

  /** The server sends as long as the connection's window, of 1 MiB at first, lets it: how much, and what is left of it. */
  const sendAll = (harness: Harness, streamId: number): { readonly sent: number; readonly left: number } => {
    let sent = 0
    let left = MiB
    while (left >= 16_000) {
      harness.receive(frames.data(streamId, new Uint8Array(16_000)))
      sent += 16_000
      left += credit(harness, 0) - 16_000
    }
    return { sent, left }
  }

  it("used up of a response that nobody reads, nothing of the server is awaited until it is read", () => {
    const harness = new Harness({ initialWindowSize: 100_000 })
    const { stream } = harness.send()
    harness.receive(head(1))
    stream.pause()
    harness.receive(frames.data(1, new Uint8Array(16_000)))
    ok(harness.session.isBusy)
    for (let n = 0; n < 6; n++) harness.receive(frames.data(1, new Uint8Array(14_000)))
    ok(!harness.session.isBusy)
    const other = harness.send()
    ok(harness.session.isBusy)
    harness.receive(frames.headers(other.stream.id, [[":status", "204"]], { end: true }))
    ok(!harness.session.isBusy)
    stream.resume()
    ok(harness.session.isBusy)
    stream.pause()
    harness.takeFrames()
    stream.cancel("Unwanted")
    harness.takeFrames()
    ok(!harness.session.isBusy)
  })

  it("of the connection is given back until its limit waits to be read, and goes on when something was", () => {
    const harness = new Harness({ initialWindowSize: 100 * MiB, connectionWindowSize: MiB, maxBufferedBytes: 4 * MiB })
    const { got, stream } = harness.send()
    harness.receive(head(1))
    stream.pause()
    const { left, sent } = sendAll(harness, 1)
    ok(sent <= 4 * MiB && sent > 3.9 * MiB, String(sent))
    strictEqual(harness.session.buffered.held, sent)
    stream.resume()
    strictEqual(got.content.length, sent)
    ok(left + credit(harness, 0) >= MiB / 2)
  })

  it("of a connection whose pool holds too much for others is given back when those are read", () => {
    const pooledBytes = new BufferedBytes(4 * MiB)
    const options = { initialWindowSize: 100 * MiB, connectionWindowSize: MiB, pooledBytes }
    const [one, two] = [new Harness(options), new Harness(options)]
    const first = one.send()
    one.receive(head(1))
    first.stream.pause()
    const { sent } = sendAll(one, 1)
    ok(sent <= 4 * MiB, String(sent))
    const second = two.send()
    two.receive(head(1))
    const { left } = sendAll(two, 1)
    ok(second.got.content.length > 0.9 * MiB)
    first.stream.cancel("Unwanted")
    ok(left + credit(two, 0) >= MiB / 2)
    strictEqual(pooledBytes.held, 0)
  })

  it("nothing grows while the pool holds too much", () => {
    const pooledBytes = new BufferedBytes(1000)
    pooledBytes.add(900)
    const harness = new Harness({ initialWindowSize: 100_000, pooledBytes })
    harness.send()
    harness.receive(head(1))
    for (let n = 0; n < 5; n++) harness.receive(frames.data(1, new Uint8Array(10_000)))
    strictEqual(credit(harness, 1), 50_000)
  })
})
