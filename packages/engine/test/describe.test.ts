import { assert, describe, it } from "vitest"
import { describeSnapshot } from "../src/describeSnapshot.js"
import * as Failure from "../src/Failure.js"
import { failureCode } from "../src/failureCode.js"
import { continued, formatMillis, ordinal } from "../src/format.js"
import type { Counts, PoolSnapshot } from "../src/PoolSnapshot.js"

const full: Counts = { open: 10, active: 10, idle: 0, dialing: 0, closing: 0, waiting: 0 }

const snapshot: PoolSnapshot = {
  ...full,
  maxConnections: 10,
  maxConnectionsPerOrigin: Infinity,
  origin: full,
  longestHeld: [],
  heldByThisFiber: 0,
  heldByKin: 0
}

describe("the words of errors", () => {
  it.each([
    [0, "0ms"],
    [999, "999ms"],
    [1000, "1s"],
    [1549, "1.5s"],
    [300_000, "300s"],
    [Infinity, "for ever"]
  ])("%d milliseconds are %s", (millis, text) => {
    assert.strictEqual(formatMillis(millis), text)
  })

  it.each([[1, "1st"], [2, "2nd"], [3, "3rd"], [4, "4th"], [11, "11th"], [12, "12th"], [13, "13th"], [21, "21st"]])(
    "position %d is the %s",
    (n, text) => {
      assert.strictEqual(ordinal(n), text)
    }
  )

  it.each([
    ["The response has no end", "the response has no end"],
    ["A field has an empty name", "a field has an empty name"],
    ["CR without LF", "CR without LF"],
    ["HTTP/1.0 has no chunks", "HTTP/1.0 has no chunks"],
    ["Content-Length is \"x\"", "Content-Length is \"x\""],
    ["Expect: 100-continue without content", "Expect: 100-continue without content"],
    ["\"Bad Name\" is not a token", "\"Bad Name\" is not a token"],
    ["nothing listens there", "nothing listens there"]
  ])("after a colon %j is %j", (sentence, text) => {
    assert.strictEqual(continued(sentence), text)
  })
})

describe("the pool in an error", () => {
  it("is its limit and its counts", () => {
    assert.strictEqual(
      describeSnapshot(snapshot),
      "10 of 10 connections open (limits.maxConnections): 10 active, 0 idle; no other request waits."
    )
  })

  it("says what is made and closed only when there is something", () => {
    assert.strictEqual(
      describeSnapshot({ ...snapshot, maxConnections: 1, open: 1, active: 0, dialing: 1, waiting: 1 }),
      "1 of 1 connection open (limits.maxConnections): 0 active, 0 idle, 1 being made; 1 other request waits."
    )
    assert.include(describeSnapshot({ ...snapshot, closing: 2, waiting: 7 }), "2 being closed; 7 other requests wait.")
  })

  it("names the limit of an origin, where there is one", () => {
    const origin = { ...full, open: 5, active: 4, dialing: 1, waiting: 2 }
    const text = describeSnapshot({
      ...snapshot,
      idle: 3,
      active: 6,
      maxConnections: 20,
      maxConnectionsPerOrigin: 5,
      origin
    })
    assert.deepStrictEqual(text.split("\n"), [
      "5 of 5 connections open to this origin (limits.maxConnectionsPerOrigin): 4 active, 0 idle, 1 being made; " +
      "2 other requests wait.",
      "10 of 20 connections open in all (limits.maxConnections): 6 active, 3 idle; no other request waits."
    ])
    assert.include(
      describeSnapshot({ ...snapshot, maxConnections: Infinity, maxConnectionsPerOrigin: 5, origin }),
      "\n10 connections are open in all: 10 active, 0 idle; no other request waits."
    )
  })

  it("names who holds connections, and the fiber that waits among them", () => {
    const text = describeSnapshot({
      ...snapshot,
      longestHeld: [
        { method: "GET", url: "http://a.test/report", age: 9200, bodyUnread: false },
        { method: "POST", url: "http://a.test/export", age: 800, bodyUnread: true }
      ],
      heldByThisFiber: 1
    })
    assert.deepStrictEqual(text.split("\n").slice(1), [
      "Held longest by:",
      "  GET http://a.test/report for 9.2s",
      "  POST http://a.test/export for 800ms, its body unread",
      "1 request of the fiber that waits holds a connection: read or discard the first response before the next request, " +
      "or raise limits.maxConnections."
    ])
  })

  it("says to raise the limit that was reached", () => {
    const longestHeld = [{ method: "GET", url: "http://a.test/report", age: 9200, bodyUnread: false }]
    const last = (some: Partial<PoolSnapshot>) =>
      describeSnapshot({ ...snapshot, longestHeld, ...some }).split("\n").at(-1)
    assert.strictEqual(last({}), "Send less at once, or raise limits.maxConnections.")
    const limited = { maxConnections: 20, maxConnectionsPerOrigin: 10 }
    assert.strictEqual(last(limited), "Send less at once, or raise limits.maxConnectionsPerOrigin.")
    assert.include(last({ ...limited, heldByThisFiber: 2 }), "or raise limits.maxConnectionsPerOrigin.")
    const few = { ...full, open: 1, active: 1 }
    assert.include(last({ ...limited, maxConnections: 10, origin: few }), "or raise limits.maxConnections.")
  })
})

describe("the code of a failure", () => {
  const origin = "http://a.test"
  const sent = { origin, phase: "body", written: true, safeToRetry: false } as const
  const system = (code: string) => Object.assign(new Error("of the system"), { code })
  it.each([
    [Failure.connectError({ origin, reason: "Refused", detail: "", cause: system("ECONNREFUSED") }), "ECONNREFUSED"],
    [Failure.connectError({ origin, reason: "Other", detail: "", cause: new Error("own") }), undefined],
    // Of several addresses.
    [
      Failure.connectError({
        origin,
        reason: "Other",
        detail: "",
        cause: { cause: { cause: system("EHOSTUNREACH") } }
      }),
      "EHOSTUNREACH"
    ],
    [Failure.readError({ ...sent, reason: "Ended", detail: "" }), "ECONNRESET"],
    [Failure.writeError({ ...sent, detail: "", cause: system("EPIPE") }), "EPIPE"],
    [Failure.readTimeout({ ...sent, timeout: 1 }), "ETIMEDOUT"],
    [Failure.poolClosed({ origin }), undefined]
  ])("%#", (failure, code) => {
    assert.strictEqual(failureCode(failure), code)
  })

  it("is none where causes go round", () => {
    const cause: { cause?: unknown } = {}
    cause.cause = cause
    assert.isUndefined(failureCode(Failure.connectError({ origin, reason: "Other", detail: "", cause })))
  })
})
