import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { HpackEncoder } from "../../../src/http2/hpack/HpackEncoder.js"
import { sensitiveFields } from "../../../src/http2/hpack/sensitiveFields.js"
import * as generators from "./generators.js"
import type { Fields } from "./support.js"
import { decode, decoder, encode, toHex } from "./support.js"

describe("what the encoder writes, the decoder reads", () => {
  it("whatever the fields and the table sizes are", () => {
    const maxTableSize = fc.constantFrom(0, 100, 4096, 8192)
    fc.assert(
      fc.property(generators.steps, maxTableSize, (steps, maxTableSize) => {
        const ours = new HpackEncoder({ maxTableSize })
        const theirs = decoder()
        for (const step of steps) {
          if (step._tag === "block") {
            expect(decode(theirs, encode(ours, step.fields)!)).toEqual(step.fields)
          } else {
            ours.setPeerTableSize(step.octets)
            theirs.setTableSize(step.octets)
          }
        }
      }),
      { numRuns: 300 }
    )
  })

  it("also for the same fields in another order, with more, and with fewer of them", () => {
    const ours = new HpackEncoder()
    const theirs = decoder()
    const all: Fields = Array.from({ length: 40 }, (_, i) => [`x-${i}`, `value ${i % 7}`])
    for (let round = 0; round < 300; round++) {
      const some = all.filter((_, i) => (i * 7 + round) % 5 !== 0)
      const turned = [...some.slice(round % 11), ...some.slice(0, round % 11)]
      expect(decode(theirs, encode(ours, turned)!)).toEqual(turned)
    }
  })

  it("in one octet for each field that was sent before", () => {
    const ours = new HpackEncoder()
    const fields: Fields = [[":method", "GET"], [":path", "/a/b?c=d"], ["user-agent", "sluice"], ["x-team", "blue"]]
    encode(ours, fields)
    expect(encode(ours, fields)).toHaveLength(4)
    expect(encode(ours, [...fields].reverse())).toHaveLength(4)
  })

  it("no name that belongs to every object is mistaken for a known one", () => {
    const fields: Fields = ["__proto__", "constructor", "toString", "hasOwnProperty"].map((name) => [name, name])
    const ours = new HpackEncoder()
    const theirs = decoder()
    for (let i = 0; i < 3; i++) expect(decode(theirs, encode(ours, fields)!)).toEqual(fields)
  })
})

describe("a field that is different each time", () => {
  it("stops to take entries from the others, and has one again when a value comes twice", () => {
    const ours = new HpackEncoder()
    const theirs = decoder()
    const size = (value: string): number => {
      const fields: Fields = [["x-id", value], ["x-team", "blue"]]
      const block = encode(ours, fields)!
      expect(decode(theirs, block)).toEqual(fields)
      return block.length
    }
    size("warm up")
    for (let i = 0; i < 1000; i++) size(`id ${i} of many`)
    // The team's entry has survived: it takes one octet, and the rest is the literal.
    expect(size("#".repeat(20))).toBe(1 + 2 + 1 + 20)
    expect(size("#".repeat(20))).toBeGreaterThan(20)
    expect(size("#".repeat(20))).toBe(2)
  })
})

describe("secrets", () => {
  const block = (fields: Fields, times: number, encoder = new HpackEncoder()): string => {
    let last: string | undefined
    for (let i = 0; i < times; i++) last = toHex(encode(encoder, fields))
    return last!
  }

  it.each([1, 2, 3, 4])("are never indexed, nor is their length a hint: sent %i times", (times) => {
    expect(block([["authorization", "!!"]], times)).toBe("1f08022121")
    expect(block([["proxy-authorization", "!!"]], times)).toBe("1f22022121")
    expect(block([["cookie", "!!"]], times)).toBe("1f11022121")
  })

  it("long cookies are indexed", () => {
    expect(block([["cookie", "!".repeat(20)]], 2)).toBe("be")
  })

  it("are what the caller says they are", () => {
    const more = new HpackEncoder({
      isSensitive: sensitiveFields({ add: ["x-key", "cookie"], remove: ["authorization"] })
    })
    expect(block([["x-key", "!!"]], 3, more)).toMatch(/^10.*022121$/)
    expect(block([["cookie", "!".repeat(50)]], 3, more).startsWith("1f11")).toBe(true)
    expect(block([["authorization", "!!"]], 2, more)).toBe("be")
    const none = new HpackEncoder({ isSensitive: sensitiveFields({ remove: ["cookie"] }) })
    expect(block([["cookie", "!!"]], 2, none)).toBe("be")
  })

  it("of an invented name refer to no entry, in every form", () => {
    const encoder = new HpackEncoder({ isSensitive: (name, value) => name === "x-key" && value !== "public" })
    const theirs = decoder()
    const lists: ReadonlyArray<Fields> = [
      [["x-key", "public"], ["x-key", "secret"]],
      [["x-key", "secret"], ["x-key", "public"]]
    ]
    for (let i = 0; i < 8; i++) {
      const encoded = encode(encoder, lists[i >> 2])!
      expect(decode(theirs, encoded)).toEqual(lists[i >> 2])
      expect(encoded.includes(0x10)).toBe(true)
    }
  })
})
