import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import type { ResponseHead } from "../../src/http2/index.js"
import * as frames from "./support/frames.js"
import { get, Harness, post } from "./support/Harness.js"

const status = (code: number, ...fields: frames.Fields): frames.Fields => [[":status", String(code)], ...fields]

describe("Responses", () => {
  const scenarios: ReadonlyArray<readonly [string, () => ReadonlyArray<Uint8Array>, ReadonlyArray<string>]> = [
    ["with content", () => [frames.response(1, "hello", [["a", "b"]])], ["head 200 a,b", "complete ", "content hello"]],
    ["in several frames, padded, one of them empty", () => [
      frames.headers(1, status(200)),
      frames.data(1, "he", { padding: 3 }),
      frames.data(1, ""),
      frames.data(1, "llo", { padding: 0 }),
      frames.data(1, "", { end: true, padding: 255 })
    ], ["head 200 ", "complete ", "content hello"]],
    ["with interim ones and trailers", () => [
      frames.headers(1, status(103, ["link", "x"])),
      frames.fragments(1, status(200), 3),
      frames.data(1, "hello"),
      frames.headers(1, [["x-sum", "5"]], { end: true })
    ], ["informational 103", "head 200 ", "complete x-sum,5", "content hello"]],
    ["without content", () => [frames.headers(1, status(204), { end: true })], ["head 204 ", "complete ", "content "]]
  ]
  for (const [what, made, outcome] of scenarios) {
    it(`are the same however they are split: ${what}`, () => {
      for (const split of [1, 2, 3, 5, 9, 10, 17, Infinity]) {
        const harness = new Harness({ split })
        const { got } = harness.send()
        harness.receive(...made())
        deepStrictEqual(got.outcome, outcome)
      }
    })
  }

  it("in several reads of a turn: handed over at its end, in few chunks, and what is paused is held", () => {
    for (const pauses of [false, true]) {
      const harness = new Harness({ more: true })
      const { got, stream } = harness.send()
      harness.receive(frames.headers(1, status(200)))
      const sent: Array<number> = []
      for (let n = 0; n < 60; n++) {
        const content = Uint8Array.from({ length: 5000 }, (_, k) => n + k)
        sent.push(...content)
        harness.receive(frames.data(1, content))
      }
      strictEqual(got.content.length, 0)
      ok(got.log.includes("progress"))
      if (pauses) stream.pause()
      harness.flush()
      strictEqual(got.content.length, pauses ? 0 : 300_000)
      if (pauses) stream.resume()
      ok(got.chunks <= 10, `${got.chunks} chunks`)
      ok(got.content.equals(Uint8Array.from(sent)))
      strictEqual(harness.session.buffered.held, 0)
      harness.receive(frames.data(1, "end", { end: true }))
      ok(got.isComplete)
    }
  })

  it("in several reads of a turn: whatever ends a stream, or comes for another one, comes after what it had", () => {
    const ends: ReadonlyArray<readonly [string, (harness: Harness) => void]> = [
      ["error", (harness) => harness.receive(frames.rst(1, 2))],
      ["complete", (harness) => harness.receive(frames.headers(1, [["x-sum", "1"]], { end: true }))],
      ["error", (harness) => harness.session.receiveEnd()],
      ["error", (harness) => harness.receive(frames.raw(6, 0, 0, new Uint8Array(7)))]
    ]
    for (const [event, end] of ends) {
      const harness = new Harness({ more: true })
      const { got } = harness.send()
      const events: Array<string> = []
      got.onEvent = (what) => events.push(what)
      harness.receive(frames.headers(1, status(200)))
      harness.receive(frames.data(1, "one"))
      harness.receive(frames.data(1, "two"))
      end(harness)
      deepStrictEqual([events.filter((what) => what === "data").length > 0, events.at(-1), got.text], [
        true,
        event,
        "onetwo"
      ])
    }
    const harness = new Harness({ more: true })
    const [one, two] = [harness.send(), harness.send()]
    harness.receive(frames.headers(1, status(200)), frames.headers(3, status(200)))
    for (const id of [1, 3, 1, 3]) harness.receive(frames.data(id, `for ${id} `))
    harness.flush()
    deepStrictEqual([one.got.text, two.got.text], ["for 1 for 1 ", "for 3 for 3 "])
  })

  it("that are alike are no less each request's own", () => {
    const harness = new Harness()
    const heads: Array<ResponseHead> = []
    for (let n = 0; n < 4; n++) {
      const { got, stream } = harness.request()
      got.onHead = (head) => heads.push(head)
      harness.flush()
      harness.receive(frames.response(stream.id, "", [["a", "b"]]))
      ;(heads[n].rawHeaders as Array<string>)[1] = "changed"
      ;(heads[n].rawHeaders as Array<string>).push("c", "d")
    }
    deepStrictEqual(
      heads.map(({ rawHeaders }) => rawHeaders),
      Array.from({ length: 4 }, () => ["a", "changed", "c", "d"])
    )
  })

  it("in one read: one chunk of the content of many frames", () => {
    const harness = new Harness()
    const { got } = harness.send()
    harness.receive(frames.headers(1, status(200)), ...Array.from({ length: 16 }, () => frames.data(1, "0123456789")))
    strictEqual(got.content.length, 160)
    strictEqual(got.chunks, 1)
  })

  it("uploads: head, content, end; sent is reported after the write", () => {
    const harness = new Harness()
    const { got, stream } = harness.request(post("body"))
    strictEqual(stream.written, false)
    harness.flush()
    deepStrictEqual(harness.written(), ["HEADERS 1", "DATA 1 4 END"])
    deepStrictEqual(got.log, ["sent"])
    ok(stream.written && stream.sent)
  })
  void get
})
