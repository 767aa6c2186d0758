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

/** Longer codes are put in two steps, so that they and up to seven bits before them fit into 32 bits. */
const oneStep = 24

/** Writes `text`, of octets only, at `output[at…]`. Returns where it ends. */
export const encodeHuffman = (text: string, output: Uint8Array, at: number): number => {
  let end = at
  // The low `pending` bits of `bits` are still to be written.
  let bits = 0
  let pending = 0
  for (let i = 0; i < text.length; i++) {
    const octet = text.charCodeAt(i)
    let length = codeLengths[octet]
    const code = codes[octet]
    if (length > oneStep) {
      length -= 8
      bits = bits << length | code >>> 8
      pending += length
      while (pending >= 8) output[end++] = bits >>> (pending -= 8)
      length = 8
    }
    bits = bits << length | code & (1 << length) - 1
    pending += length
    while (pending >= 8) output[end++] = bits >>> (pending -= 8)
  }
  // The beginning of EOS, all ones, fills up the last octet.
  if (pending > 0) output[end++] = bits << 8 - pending | 0xff >>> pending
  return end
}
