import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import * as frames from "./support/frames.js"
import { get, Harness, post } from "./support/Harness.js"

// What went wrong in real deployments, of other clients and of ours.

const head = (streamId: number, ...fields: frames.Fields) => frames.headers(streamId, [[":status", "200"], ...fields])
const end = { end: true }
const { NO_ERROR, INTERNAL_ERROR, REFUSED, CANCEL, CALM, HTTP_1_1 } = {
  NO_ERROR: 0,
  INTERNAL_ERROR: 2,
  REFUSED: 7,
  CANCEL: 8,
  CALM: 11,
  HTTP_1_1: 13
}

describe("A whole response", () => {
  for (const after of ["end", "error", "RST", "GOAWAY and end", "GOAWAY with an error"] as const) {
    it(`is delivered, however slow its reader: ${after} (golang/go#47083, hyperium/h2#633)`, () => {
      const harness = new Harness({ initialWindowSize: 2 ** 20 })
      const { got, stream } = harness.send()
      harness.receive(head(1))
      stream.pause()
      for (let n = 0; n < 60; n++) harness.receive(frames.data(1, new Uint8Array(15_000)))
      strictEqual(got.content.length, 0)
      harness.receive(frames.data(1, "!", end))
      if (after === "RST") harness.receive(frames.rst(1, CANCEL))
      if (after.startsWith("GOAWAY")) harness.receive(frames.goAway(1, after === "GOAWAY with an error" ? 2 : 0))
      if (after === "error") harness.session.receiveError(new Error("ECONNRESET"))
      else harness.session.receiveEnd()
      stream.resume()
      strictEqual(got.content.length, 900_001)
      ok(got.isComplete)
      strictEqual(got.error, undefined)
    })
  }

  for (const code of [NO_ERROR, INTERNAL_ERROR, CANCEL]) {
    it(`ends an upload that is not finished, and RST_STREAM(${code}) then changes nothing`, () => {
      const harness = new Harness()
      const { got } = harness.send(post(new Uint8Array(500_000)))
      harness.receive(head(1), frames.data(1, "too much", end), frames.rst(1, code))
      ok(got.isComplete)
      strictEqual(got.text, "too much")
      strictEqual(harness.session.table.size, 0)
    })
  }

  const complete: ReadonlyArray<readonly [string, string, ReadonlyArray<Uint8Array>]> = [
    ["its length is met", "GET", [head(1, ["content-length", "4"]), frames.data(1, "four")]],
    ["it has a length of 0", "GET", [head(1, ["content-length", "0"])]],
    ["it is to HEAD", "HEAD", [head(1, ["content-length", "4"])]],
    ["it is a 204", "GET", [frames.headers(1, [[":status", "204"]])]],
    ["it is a 304", "GET", [frames.headers(1, [[":status", "304"], ["content-length", "4"]])]]
  ]
  for (const [what, method, sent] of complete) {
    it(`may end with RST_STREAM(NO_ERROR) where ${what}`, () => {
      const harness = new Harness()
      const { got } = harness.send({ ...get, method })
      harness.receive(...sent, frames.rst(1, NO_ERROR))
      ok(got.isComplete, got.log.join())
    })
  }

  for (const length of ["without a length", "shorter than its length"]) {
    it(`is none ${length}: what came is delivered, then RST_STREAM(NO_ERROR) is an error`, () => {
      const harness = new Harness()
      const { got, stream } = harness.send()
      harness.receive(length === "without a length" ? head(1) : head(1, ["content-length", "9"]))
      stream.pause()
      harness.receive(frames.data(1, "half"), frames.rst(1, NO_ERROR))
      strictEqual(got.text, "half")
      ok(got.error?.failure._tag === "ProtocolError")
      strictEqual(got.error.failure.code, "IncompleteResponse")
    })
  }
})

describe("RST_STREAM(NO_ERROR) in the middle of an upload", () => {
  it("is noticed at once (dotnet/corefx#40513)", () => {
    const harness = new Harness()
    const { got, stream } = harness.send({ ...post(""), body: { _tag: "Chunks", length: undefined } })
    stream.write(new Uint8Array(1_000_000))
    harness.flush()
    harness.receive(frames.rst(1, NO_ERROR))
    strictEqual(got.error?.failure._tag, "ProtocolError")
    strictEqual(harness.session.table.size, 0)
    strictEqual(stream.write(new Uint8Array(10)), true)
  })
})

describe("A server that is not there any more", () => {
  it("is asked once, when a request was abandoned without a response and nothing was read since (golang/go#36026)", () => {
    const harness = new Harness()
    for (let n = 0; n < 5; n++) {
      const { stream } = harness.send()
      harness.advance(300)
      stream.cancel("Unwanted")
    }
    strictEqual(harness.written().filter((frame) => frame === "PING 0").length, 1)
    // Nobody has waited for too long: it takes requests meanwhile.
    strictEqual(harness.session.capacity, 100)
    harness.advance(5000)
    deepStrictEqual(harness.closed, { _tag: "Unresponsive", what: "PING" })
  })

  it("is not asked when something was read since, or when the request has a response", () => {
    const harness = new Harness()
    const one = harness.send()
    harness.send()
    harness.receive(frames.response(3))
    one.stream.cancel("Unwanted")
    const two = harness.send()
    harness.receive(head(5))
    two.stream.cancel("Unwanted")
    strictEqual(harness.written().filter((frame) => frame === "PING 0").length, 0)
  })

  it("is found by pingInterval though each request is abandoned before", () => {
    const harness = new Harness({ pingInterval: 1000 })
    harness.receive(frames.ping(0, 1))
    // Something was read in between; only the interval asks.
    for (let n = 0; n < 4; n++) {
      const { stream } = harness.send()
      harness.session.liveness.mark++
      harness.advance(300)
      stream.cancel("Unwanted")
    }
    strictEqual(harness.written().filter((frame) => frame === "PING 0").length, 1)
    strictEqual(harness.session.capacity, 0)
  })

  it("and one that only is slow is not asked for the third time in five minutes (gRPC A8)", () => {
    const harness = new Harness()
    let pings = 0
    for (let n = 0; n < 20; n++) {
      const { stream } = harness.send()
      harness.advance(10_000)
      stream.cancel("Silent")
      for (const frame of harness.takeFrames()) {
        if (frame.type !== 6) continue
        pings++
        harness.receive(frames.ping(0, pings, true))
      }
    }
    strictEqual(pings, 2)
    strictEqual(harness.closed, undefined)
    strictEqual(harness.session.capacity, 100)
    // HEADERS or DATA between them: the server begins anew.
    harness.send()
    harness.receive(frames.response(41))
    const { stream } = harness.send()
    harness.advance(10_000)
    stream.cancel("Silent")
    strictEqual(harness.written().filter((frame) => frame === "PING 0").length, 1)
  })

  it("is never asked with pingTimeout Infinity", () => {
    const harness = new Harness({ pingTimeout: Infinity })
    const { stream } = harness.send()
    harness.advance(10_000)
    stream.cancel("Silent")
    strictEqual(harness.written().filter((frame) => frame === "PING 0").length, 0)
  })

  it("takes nothing new while it is asked after a timeout; what arrives is a sign of life", () => {
    const harness = new Harness()
    const other = harness.send()
    const { stream } = harness.send()
    harness.advance(10_000)
    stream.cancel("Silent")
    strictEqual(harness.session.capacity, 0)
    harness.advance(4000)
    harness.receive(head(1))
    harness.advance(4000)
    strictEqual(harness.closed, undefined)
    harness.receive(frames.ping(0, 1, true))
    strictEqual(harness.session.capacity, 100)
    deepStrictEqual(harness.events, ["ready", "capacity 0", "capacity 100"])
    harness.receive(frames.data(1, "late", end))
    ok(other.got.isComplete)
    strictEqual(harness.deadline, Infinity)
  })
})

describe("GOAWAY", () => {
  it("in two steps: nothing new, then what is above its number goes elsewhere, and the rest finishes", () => {
    const harness = new Harness()
    const [one, two] = [harness.send(), harness.send(post("x"))]
    harness.receive(frames.goAway(2 ** 31 - 1, 0))
    deepStrictEqual(harness.events, ["ready", "draining"])
    harness.receive(frames.goAway(1, 0))
    deepStrictEqual([two.got.error?.retry, two.got.error?.written], ["Always", false])
    harness.receive(frames.response(1))
    ok(one.got.isComplete)
    strictEqual(harness.session.isUsable, false)
  })

  it("says why: code, text and number are kept", () => {
    const harness = new Harness()
    const [one, two] = [harness.send(), harness.send()]
    harness.receive(frames.goAway(1, INTERNAL_ERROR, "too_many_pings\n"))
    const goAway = { lastStreamId: 1, errorCode: INTERNAL_ERROR, debug: "too_many_pings?" }
    deepStrictEqual(two.got.error?.failure, { _tag: "Unprocessed", goAway })
    harness.session.receiveEnd()
    deepStrictEqual(one.got.error?.failure, { _tag: "Ended", goAway })
  })

  it("without an error, behind one that says why, does not take the reason back", () => {
    const harness = new Harness()
    const [one, two] = [harness.send(), harness.send()]
    harness.receive(frames.goAway(2 ** 31 - 1, CALM, "too_many_pings"), frames.goAway(1, 0))
    const goAway = { lastStreamId: 1, errorCode: CALM, debug: "too_many_pings" }
    deepStrictEqual(two.got.error?.failure, { _tag: "Unprocessed", goAway })
    // A last one with another error says more.
    harness.receive(frames.goAway(1, INTERNAL_ERROR, "and now this"), frames.goAway(1, 0))
    harness.session.receiveEnd()
    deepStrictEqual(one.got.error?.failure, {
      _tag: "Ended",
      goAway: { lastStreamId: 1, errorCode: INTERNAL_ERROR, debug: "and now this" }
    })
  })

  it("with a number below a response that has begun does not make it safe to retry", () => {
    const harness = new Harness()
    const { got } = harness.send(post("x"))
    harness.receive(head(1), frames.goAway(0, 0))
    ok(!got.log.some((event) => event.startsWith("error")))
    harness.session.receiveEnd()
    deepStrictEqual([got.error?.retry, got.error?.written], ["IfRetryable", true])
  })

  it("with ENHANCE_YOUR_CALM and nothing taken is no reason to try again at once", () => {
    const harness = new Harness()
    const { got } = harness.send()
    harness.receive(frames.goAway(0, CALM))
    deepStrictEqual([got.error?.retry, got.error?.failure._tag], ["Never", "Unprocessed"])
  })

  it("with HTTP_1_1_REQUIRED is reported, and requests may go over HTTP/1.1 (dotnet/runtime#133317)", () => {
    const harness = new Harness()
    const { got } = harness.send(post("x"))
    harness.receive(frames.goAway(0, HTTP_1_1))
    ok(harness.events.includes("HTTP/1.1 for all"))
    strictEqual(got.error?.retry, "Always")
  })

  it("that waits in the kernel while a request is made costs it nothing: it was never written", () => {
    for (const sent of [frames.goAway(0, 0), frames.settings([3, 0]), frames.raw(6, 0, 0, new Uint8Array(7))]) {
      const harness = new Harness()
      const { got, stream } = harness.request(post("x"))
      harness.receive(sent)
      harness.flush()
      deepStrictEqual([got.error?.retry, got.error?.written, stream.written], ["Always", false, false])
      strictEqual(harness.written().some((frame) => frame.startsWith("HEADERS")), false)
    }
  })

  it("with an error code is no end: late responses come", () => {
    const harness = new Harness()
    const { got } = harness.send()
    harness.receive(frames.goAway(1, INTERNAL_ERROR))
    harness.receive(frames.response(1))
    ok(got.isComplete)
  })
})

describe("A stream that is refused", () => {
  it("can be sent again, whatever its method, unless its response has begun", () => {
    const harness = new Harness()
    const [one, two] = [harness.send(post("x")), harness.send(post("x"))]
    harness.receive(frames.rst(1, REFUSED), head(3), frames.rst(3, REFUSED))
    deepStrictEqual([one.got.error?.retry, one.got.error?.written], ["Always", false])
    deepStrictEqual([two.got.error?.retry, two.got.error?.written], ["IfRetryable", true])
  })

  it("beside others says how many the server takes: the next goes elsewhere until one has ended", () => {
    const harness = new Harness()
    harness.send()
    harness.send()
    harness.receive(frames.rst(3, REFUSED))
    strictEqual(harness.session.capacity, 1)
    harness.receive(frames.response(1))
    strictEqual(harness.session.capacity, 100)
    deepStrictEqual(harness.events, ["ready", "capacity 1", "capacity 100"])
  })

  it("alone says nothing", () => {
    const harness = new Harness()
    harness.send()
    harness.receive(frames.rst(1, REFUSED))
    strictEqual(harness.session.capacity, 100)
  })

  it("and other codes: calm is not asked for again, HTTP/1.1 is reported", () => {
    const harness = new Harness()
    const [one, two, three] = [harness.send(), harness.send({ ...get, target: "/old" }), harness.send()]
    harness.receive(frames.rst(1, CALM), frames.rst(3, HTTP_1_1), frames.rst(5, INTERNAL_ERROR))
    deepStrictEqual([one, two, three].map(({ got }) => got.error?.retry), ["Never", "Always", "IfRetryable"])
    ok(harness.events.includes("HTTP/1.1 for /old"))
  })
})

describe("A peer that does not speak HTTP/2", () => {
  it("is distinguished from one that breaks it", () => {
    const harness = new Harness({ serverSettings: "none" })
    const { got } = harness.send()
    harness.receive(Buffer.from("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"))
    ok(harness.closed?._tag === "ProtocolError")
    strictEqual(harness.closed.code, "InvalidPreface")
    ok(harness.closed.detail.includes("HTTP/1.1"), harness.closed.detail)
    strictEqual(got.error?.failure, harness.closed)
  })

  it("that does not acknowledge our SETTINGS loses the connection", () => {
    const harness = new Harness({ serverSettings: "none" })
    harness.flush()
    harness.receive(frames.settings())
    harness.advance(9999)
    strictEqual(harness.closed, undefined)
    harness.advance(1)
    deepStrictEqual(harness.closed, { _tag: "Unresponsive", what: "SETTINGS" })
    ok(harness.written().includes("GOAWAY 0 code 4"))
  })
})

describe("What must stay", () => {
  it("MAX_CONCURRENT_STREAMS to 0 and back", () => {
    const harness = new Harness({ serverSettings: [[3, 4]] })
    strictEqual(harness.session.capacity, 4)
    harness.send()
    harness.receive(frames.settings([3, 0]))
    harness.receive(frames.settings([3, 100]))
    deepStrictEqual(harness.events, ["ready", "capacity 0", "capacity 100"])
    deepStrictEqual(harness.written().filter((frame) => frame.startsWith("SETTINGS")), [
      "SETTINGS 0 ACK",
      "SETTINGS 0 ACK"
    ])
  })

  it("windows after 60 cancelled downloads", () => {
    const harness = new Harness()
    for (let n = 0; n < 60; n++) {
      const id = 2 * n + 1
      const { stream } = harness.send()
      harness.receive(head(id))
      stream.cancel("Unwanted")
      for (let k = 0; k < 60; k++) harness.receive(frames.data(id, new Uint8Array(16_000)))
      harness.flush()
    }
    const credit = harness.takeFrames().filter((frame) => frame.type === 8 && frame.streamId === 0)
      .reduce((sum, frame) => sum + Buffer.from(frame.payload).readUInt32BE(), 0)
    ok(60 * 60 * 16_000 - credit < 1024 * 1024)
    const { got } = harness.send()
    harness.receive(frames.response(121))
    ok(got.isComplete)
  })

  it("255 bytes of padding for each byte", () => {
    const harness = new Harness({ initialWindowSize: 65_535 })
    const { got } = harness.send()
    harness.receive(head(1))
    for (let n = 0; n < 2000; n++) {
      harness.receive(frames.data(1, "x", { padding: 255 }))
      harness.flush()
    }
    harness.receive(frames.data(1, "", end))
    strictEqual(got.content.length, 2000)
  })

  it("windows below zero", () => {
    const harness = new Harness()
    const { got } = harness.send(post(new Uint8Array(100_000)))
    const sent = () =>
      harness.takeFrames().filter((frame) => frame.type === 0).reduce((sum, f) => sum + f.payload.length, 0)
    strictEqual(sent(), 65_535)
    harness.receive(frames.settings([4, 10_000]), frames.windowUpdate(0, 1_000_000))
    strictEqual(sent(), 0)
    harness.receive(frames.windowUpdate(1, 55_535))
    strictEqual(sent(), 0)
    harness.receive(frames.windowUpdate(1, 1000))
    strictEqual(sent(), 1000)
    harness.receive(frames.settings([4, 1_000_000]))
    harness.flush()
    strictEqual(sent(), 100_000 - 66_535)
    ok(got.log.includes("sent"))
  })

  it("ALTSVC and ORIGIN that are malformed", () => {
    const harness = new Harness()
    const { got } = harness.send()
    harness.receive(frames.raw(0xa, 0, 0, [0]), frames.raw(0xa, 0, 1, []), frames.raw(0xc, 0, 0, [0xff, 0xff]))
    harness.receive(frames.response(1))
    ok(got.isComplete)
  })
})
