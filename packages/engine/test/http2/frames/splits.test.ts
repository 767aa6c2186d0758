import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { frame, join, settings, uint32 } from "./build.js"
import { read, record } from "./transcript.js"

const padded = (length: number, content: string): Uint8Array =>
  join(Uint8Array.of(length), frame(0, 0, 0, content).subarray(9), new Uint8Array(length))

const everyType = join(
  frame(4, 0, 0, join(Uint8Array.of(0, 3), uint32(100), Uint8Array.of(0xff, 0xff), uint32(0xffffffff))),
  frame(4, 1, 0),
  frame(1, 4, 1, "block"),
  frame(1, 5, 3, "last"),
  frame(1, 0x2c, 5, join(Uint8Array.of(3), uint32(0x80000001), Uint8Array.of(7), padded(3, "both").subarray(1))),
  frame(1, 1, 7, "in "),
  frame(9, 0, 7, "three "),
  frame(9, 4, 7, "frames"),
  frame(1, 4, 9),
  frame(0, 0, 1, "content"),
  frame(0, 1, 1, "more"),
  frame(0, 0, 1),
  frame(0, 9, 1, padded(5, "content with padding")),
  frame(0, 8, 1, padded(0, "none")),
  frame(0, 8, 1, padded(255, "")),
  frame(0, 8, 1, Uint8Array.of(0)),
  frame(2, 0, 11, uint32(1, 0).subarray(0, 5)),
  frame(2, 0, 11, "too long"),
  frame(3, 0, 1, uint32(8)),
  frame(6, 0, 0, uint32(0xfedcba98, 0x01234567)),
  frame(6, 1, 0, uint32(1, 2)),
  frame(8, 0, 0, uint32(0x7fffffff)),
  frame(8, 0, 1, uint32(0x80000000)),
  frame(0xfa, 0xff, 2, "what is this"),
  frame(0xfa, 0, 0),
  frame(7, 0, 0, join(uint32(0x80000001, 11), Uint8Array.of(98, 121, 101)))
)

const block = (text: string): ReadonlyArray<number> => [...text].map((character) => character.charCodeAt(0))

describe("frames", () => {
  it("are reported in order", () => {
    const { error, events } = read(everyType)
    expect(error).toBeUndefined()
    expect(events.filter(([name]) => name !== "stream error")).toEqual([
      ["settings", 3, 100, 0xffff, 0xffffffff],
      ["settings ack"],
      ["headers", 1, false, block("block")],
      ["headers", 3, true, block("last")],
      ["headers", 5, false, block("both")],
      ["headers", 7, true, block("in three frames")],
      ["headers", 9, false, []],
      ["data", 1, 7, false, block("content")],
      ["data end"],
      ["data", 1, 4, true, block("more")],
      ["data end"],
      ["data", 1, 0, false, []],
      ["data end"],
      ["data", 1, 26, true, block("content with padding")],
      ["data end"],
      ["data", 1, 5, false, block("none")],
      ["data end"],
      ["data", 1, 256, false, []],
      ["data end"],
      ["data", 1, 1, false, []],
      ["data end"],
      ["ignored", 11, 2],
      ["rst", 1, 8],
      ["ping", 0xfedcba98, 0x01234567],
      ["ping ack", 1, 2],
      ["window", 0, 0x7fffffff],
      ["window", 1, 0],
      ["ignored", 2, 0xfa],
      ["ignored", 0, 0xfa],
      ["goaway", 1, 11, [98, 121, 101]]
    ])
    expect(events.find(([name]) => name === "stream error")).toMatchObject([
      "stream error",
      11,
      { scope: "stream", errorCode: 6, section: "RFC 9113 §6.3" }
    ])
  })

  it("are the same however the input is cut: at each byte", () => {
    const whole = read(everyType)
    for (let cut = 0; cut <= everyType.length; cut++) expect(read(everyType, [cut])).toEqual(whole)
  })

  it("are the same a byte at a time", () => {
    expect(read(everyType, Array.from(everyType, (_, i) => i))).toEqual(read(everyType))
  })

  it("are the same in random pieces", () => {
    const cuts = fc.array(fc.nat(everyType.length), { maxLength: 20 }).map((some) => some.sort((a, b) => a - b))
    fc.assert(fc.property(cuts, (some) => {
      expect(read(everyType, some)).toEqual(read(everyType))
    }))
  })

  it("hand out content where it lies in the input, and in pieces when it comes in pieces", () => {
    const pieces: Array<readonly [Uint8Array, number, number]> = []
    const { reader } = record({}, { onDataBytes: (...piece) => pieces.push(piece) })
    const input = join(settings, frame(0, 0, 1, new Uint8Array(1000)))
    reader.execute(input, 0, 500)
    reader.execute(input, 500, input.length)
    expect(pieces.map(([, start, end]) => [start, end])).toEqual([[18, 500], [500, 1018]])
    expect(pieces.every(([bytes]) => bytes === input)).toBe(true)
  })
})
