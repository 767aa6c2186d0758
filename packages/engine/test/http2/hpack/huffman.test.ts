import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { codeLengths, codes, EOS } from "../../../src/http2/hpack/huffmanCode.js"
import { decodedBound, decodeHuffman } from "../../../src/http2/hpack/huffmanDecoder.js"
import { encodeHuffman, huffmanLength } from "../../../src/http2/hpack/huffmanEncoder.js"

/** Any code, bit by bit, as RFC 7541 Appendix B shows it. */
const bitsOf = (symbol: number): string => codes[symbol].toString(2).padStart(codeLengths[symbol], "0")

const octetsOf = (bits: string): Uint8Array =>
  Uint8Array.from(bits.match(/.{8}/g) ?? [], (octet) => Number.parseInt(octet, 2))

const decoded = (bits: string): string | undefined => {
  const bytes = octetsOf(bits)
  const output = new Uint8Array(decodedBound(bytes.length))
  const length = decodeHuffman(bytes, 0, bytes.length, output)
  return length < 0 ? undefined : String.fromCharCode(...output.subarray(0, length))
}

const fill = (bits: string, filling = "1"): string => bits.padEnd(Math.ceil(bits.length / 8) * 8, filling)

const octets = fc.array(fc.integer({ min: 0, max: 255 }))

describe("the Huffman code", () => {
  it("has the codes of RFC 7541 Appendix B", () => {
    const examples: ReadonlyArray<readonly [number, string]> = [
      [0x00, "1111111111000"],
      [0x0a, "111111111111111111111111111100"],
      [0x20, "010100"],
      [0x30, "00000"],
      [0x7a, "1111011"],
      [0x80, "11111111111111100110"],
      [0xf9, "1111111111111111111111111110"],
      [0xff, "11111111111111111111101110"],
      [EOS, "1".repeat(30)]
    ]
    for (const [symbol, code] of examples) expect([symbol, bitsOf(symbol)]).toEqual([symbol, code])
  })

  it("is complete: no code begins another one, and none is left over", () => {
    expect(codeLengths.reduce((sum, length) => sum + 2 ** -length, 0)).toBe(1)
  })

  it("is written and read bit by bit as the table says", () => {
    fc.assert(fc.property(octets, (symbols) => {
      const text = String.fromCharCode(...symbols)
      const bits = fill(symbols.map(bitsOf).join(""))
      const output = new Uint8Array(huffmanLength(text) + 4)
      const end = encodeHuffman(text, output, 2)
      expect(end - 2).toBe(huffmanLength(text))
      expect(output.subarray(2, end)).toEqual(octetsOf(bits))
      expect(decoded(bits)).toBe(text)
    }))
  })

  it("ends after any symbol, with ones to the end of the octet and no more", () => {
    for (let symbol = 0; symbol < EOS; symbol++) {
      for (let before = 0; before < 8; before++) {
        const bits = bitsOf(0x30).repeat(before) + bitsOf(symbol)
        const text = "0".repeat(before) + String.fromCharCode(symbol)
        expect(decoded(fill(bits))).toBe(text)
        expect(decoded(`${fill(bits)}11111111`)).toBeUndefined()
        if (bits.length % 8 !== 0) expect(decoded(fill(bits, "0"))).not.toBe(text)
      }
    }
  })

  it("never has EOS in it, wherever it stands", () => {
    for (let before = 0; before < 8; before++) {
      const bits = bitsOf(0x30).repeat(before) + bitsOf(EOS)
      expect(decoded(fill(bits))).toBeUndefined()
      expect(decoded(fill(bits + bitsOf(0x61)))).toBeUndefined()
    }
  })
})
