import { codeLengths, codes } from "./huffmanCode.js"

/** How many octets `text` takes in Huffman code; -1 if a character of it is no octet. */
export const huffmanLength = (text: string): number => {
  let bits = 0
  for (let i = 0; i < text.length; i++) {
    const octet = text.charCodeAt(i)
    if (octet > 0xff) return -1
    bits += codeLengths[octet]
  }
  return bits + 7 >>> 3
}

/** Codes of up to 16 bits fit beside what is pending. The longer ones, of octets that are rare in fields, go in two steps. */
const oneStep = 16

/** Code and length of each octet in one number, for one look-up; 0 if the code is longer than one step. */
const packed: Uint32Array = new Uint32Array(256)
for (let octet = 0; octet < packed.length; octet++) {
  if (codeLengths[octet] <= oneStep) packed[octet] = codes[octet] << 8 | codeLengths[octet]
}

/** Writes `text`, of octets only, at `output[at…]`. Returns where it ends. */
export const encodeHuffman = (text: string, output: Uint8Array, at: number): number => {
  let end = at
  // The low `pending` bits of `bits`, fewer than 16, are still to be written.
  let bits = 0
  let pending = 0
  for (let i = 0; i < text.length; i++) {
    const octet = text.charCodeAt(i)
    let code = packed[octet]
    if (code === 0) {
      const high = codeLengths[octet] - oneStep
      bits = bits << high | codes[octet] >>> oneStep
      pending += high
      if (pending >= 16) {
        pending -= 16
        output[end++] = bits >>> pending + 8
        output[end++] = bits >>> pending
      }
      code = (codes[octet] & 0xffff) << 8 | oneStep
    }
    const length = code & 0xff
    bits = bits << length | code >>> 8
    pending += length
    if (pending >= 16) {
      pending -= 16
      output[end++] = bits >>> pending + 8
      output[end++] = bits >>> pending
    }
  }
  if (pending >= 8) {
    pending -= 8
    output[end++] = bits >>> pending
  }
  // The beginning of EOS, all ones, fills up the last octet.
  if (pending > 0) output[end++] = bits << 8 - pending | 0xff >>> pending
  return end
}
