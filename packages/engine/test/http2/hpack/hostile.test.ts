import { Buffer } from "node:buffer"
import { describe, expect, it } from "vitest"
import { ErrorCode } from "../../../src/http2/ErrorCode.js"
import { HpackEncoder } from "../../../src/http2/hpack/HpackEncoder.js"
import { join } from "../frames/build.js"
import { decode, decoder, encode, hex } from "./support.js"

const text = (value: string): Uint8Array => Buffer.from(value, "latin1")

/** A plain string of up to 126 octets. */
const string = (value: string): Uint8Array => join(Uint8Array.of(value.length), text(value))

describe("a block that is no HPACK ends the connection", () => {
  it.each<[string, string, string]>([
    ["index 0", "80", "InvalidHpackIndex"],
    ["an index beyond the static table", "be", "InvalidHpackIndex"],
    ["the name of an index beyond the static table", "7e0161", "InvalidHpackIndex"],
    ["an enormous index", "ffffffffff7f", "InvalidHpackIndex"],
    ["an index that ends early", "ff", "InvalidHpackInteger"],
    ["an index that goes on and on", "ff80808080808000", "InvalidHpackInteger"],
    ["a literal that ends before its name", "40", "InvalidHpackString"],
    ["a literal that ends within its name", "40026", "InvalidHpackString"],
    ["a literal that ends before its value", "400161", "InvalidHpackString"],
    ["a literal that ends within its value", "400161" + "0561", "InvalidHpackString"],
    ["a name of 2 GiB", "407f81ffffff07", "InvalidHpackString"],
    ["a length that does not end", "407fff", "InvalidHpackInteger"],
    ["Huffman code padded with zeros", "40016181" + "00", "InvalidHuffmanCode"],
    ["Huffman code with a whole octet of padding", "400161821fff", "InvalidHuffmanCode"],
    ["nothing but a whole octet of padding", "40016181ff", "InvalidHuffmanCode"],
    ["EOS", "40016184ffffffff", "InvalidHuffmanCode"],
    ["EOS in the middle", "40016185fffffffc1f", "InvalidHuffmanCode"],
    ["a table size update after a field", "8220", "InvalidTableSizeUpdate"],
    ["a table size above the limit", "3fe21f", "InvalidTableSizeUpdate"],
    ["a table size update that ends early", "3f", "InvalidHpackInteger"]
  ])("%s", (_, block, code) => {
    const ours = decoder()
    const bytes = Buffer.from(block.length % 2 === 0 ? block : `${block}1`, "hex")
    const error = decode(ours, bytes)
    expect(error).toMatchObject({
      _tag: "ProtocolError",
      code,
      scope: "connection",
      errorCode: ErrorCode.COMPRESSION_ERROR
    })
    // The tables are out of step, so nothing that comes later may be believed.
    expect(decode(ours, hex("82"))).toBe(error)
  })
})

describe("what looks odd and is allowed", () => {
  it.each<[string, string, ReadonlyArray<readonly [string, string]>]>([
    ["an empty block", "", []],
    ["an empty name and value", "400000", [["", ""]]],
    ["empty Huffman code", "40016180", [["a", ""]]],
    ["an integer with leading zeros", "ff808000" + "", []],
    ["a table size of 0, then of all again", "203fe11f82", [[":method", "GET"]]],
    ["many table size updates", "20".repeat(1000) + "82", [[":method", "GET"]]],
    ["the never-indexed form of an indexed name", "1f080178", [["authorization", "x"]]]
  ])("%s", (name, block, fields) => {
    // 127 has no entry in a new table; what counts is that the integer is understood.
    const result = decode(decoder(), hex(block))
    if (name.includes("integer")) {
      expect(result).toMatchObject({ code: "InvalidHpackIndex", detail: "Nothing is at index 127" })
    } else expect(result).toEqual(fields)
  })
})

describe("the dynamic table", () => {
  it("is emptied by an entry larger than itself, which is no error", () => {
    const ours = decoder()
    expect(decode(ours, join(hex("40"), string("a"), string("b")))).toEqual([["a", "b"]])
    expect(decode(ours, hex("be"))).toEqual([["a", "b"]])
    const large = join(hex("40"), string("c"), hex("7f8120"), text("x".repeat(4096 + 128)))
    expect(decode(ours, large)).toEqual([["c", "x".repeat(4224)]])
    expect(decode(ours, hex("be"))).toMatchObject({ code: "InvalidHpackIndex" })
  })

  it("lets an entry take its name from one that it evicts", () => {
    const ours = decoder()
    ours.setTableSize(64)
    const first = join(hex("3f2140"), string("name"), string("x".repeat(28)))
    expect(decode(ours, first)).toEqual([["name", "x".repeat(28)]])
    expect(decode(ours, join(hex("7e"), string("other")))).toEqual([["name", "other"]])
    expect(decode(ours, hex("be"))).toEqual([["name", "other"]])
    expect(decode(ours, hex("bf"))).toMatchObject({ code: "InvalidHpackIndex" })
  })

  it("holds 128 entries without octets and evicts the oldest", () => {
    const ours = decoder()
    for (let i = 0; i < 1000; i++) expect(decode(ours, hex("400000"))).toEqual([["", ""]])
    expect(decode(ours, hex("fe"))).toEqual([["", ""]])
    expect(decode(ours, hex("ff3f"))).toMatchObject({ detail: "Nothing is at index 190" })
  })

  it("has to be made smaller by the peer when we lower its limit", () => {
    const ours = decoder()
    ours.setTableSize(100)
    expect(decode(ours, hex("82"))).toMatchObject({ code: "InvalidTableSizeUpdate", section: "RFC 9113 §4.3.1" })
  })

  it("is smaller from the update on", () => {
    const ours = decoder()
    ours.setTableSize(100)
    expect(decode(ours, hex("3f4582"))).toEqual([[":method", "GET"]])
    expect(decode(ours, hex("82"))).toEqual([[":method", "GET"]])
    ours.setTableSize(4096)
    expect(decode(ours, hex("82"))).toEqual([[":method", "GET"]])
    expect(decode(ours, hex("3fe11f82"))).toEqual([[":method", "GET"]])
  })

  it("has to pass the lowest limit, also when it is raised again before the next block", () => {
    const ours = decoder()
    ours.setTableSize(0)
    ours.setTableSize(4096)
    expect(decode(ours, hex("3fe11f82"))).toMatchObject({ code: "InvalidTableSizeUpdate", section: "RFC 9113 §4.3.1" })
  })
})

describe("a header list beyond the limits", () => {
  it("is decoded to its end, so that the table stays in step", () => {
    const ours = decoder({ maxListBytes: 100 })
    const block = join(
      hex("82"),
      hex("40"),
      string("a"),
      string("x".repeat(100)),
      hex("40"),
      string("b"),
      string("y")
    )
    expect(decode(ours, block)).toEqual([[":method", "GET"]])
    expect([ours.tooLarge, ours.listBytes]).toEqual([true, 42 + 133 + 34])
    expect(decode(ours, hex("be82"))).toEqual([["b", "y"], [":method", "GET"]])
    expect([ours.tooLarge, ours.listBytes]).toEqual([false, 34 + 42])
  })

  it("ends the connection where decoding it would be too much work: a bomb of one large entry", () => {
    const ours = decoder()
    const entry = join(hex("40"), string("a"), hex("7f81 1e"), text("x".repeat(3968)))
    expect(decode(ours, entry)).toEqual([["a", "x".repeat(3968)]])
    const bomb = new Uint8Array(1 << 20).fill(0xbe)
    expect(decode(ours, bomb)).toMatchObject({ code: "HeaderListTooLarge", errorCode: ErrorCode.COMPRESSION_ERROR })
    expect(ours.fields.length).toBeLessThanOrEqual(16)
  })

  it("ends it likewise for fields without octets", () => {
    const ours = decoder()
    expect(decode(ours, new Uint8Array(3 << 20))).toMatchObject({ code: "HeaderListTooLarge" })
    expect(ours.fields.length).toBe(65_536 / 32)
  })
})

describe("the encoder", () => {
  it("refuses what is no octet, and its table stays in step", () => {
    const ours = new HpackEncoder()
    const theirs = decoder()
    const good = [["x-a", "1"], ["x-b", "2"]] as const
    expect(decode(theirs, encode(ours, good)!)).toEqual(good)
    for (const bad of ["\u0100", "a\uffff", "\ud83d\ude00"]) {
      expect(encode(ours, [["x-c", "3"], ["x-d", bad]])).toBeUndefined()
      expect(encode(ours, [["x-c", "3"], [bad, "4"]])).toBeUndefined()
      expect(encode(ours, [["x-a", bad], ["x-b", "2"]])).toBeUndefined()
    }
    expect(decode(theirs, encode(ours, [...good, ["x-c", "3"]])!)).toEqual([...good, ["x-c", "3"]])
    expect(decode(theirs, encode(ours, good)!)).toEqual(good)
  })

  it("keeps the names that it remembers bounded, however many its callers invent", () => {
    const ours = new HpackEncoder()
    const theirs = decoder()
    for (let i = 0; i < 5000; i++) {
      const fields = [["x-same", "value"], [`x-${i}`, `${i}`], [`y-${i % 300}`, "z"]] as const
      expect(decode(theirs, encode(ours, fields)!)).toEqual(fields)
    }
    const table: { readonly names: Map<string, unknown> } = Reflect.get(ours, "table")
    expect(table.names.size).toBeLessThanOrEqual(256)
  })
})
