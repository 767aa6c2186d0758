/**
 * The lengths in bits of the Huffman codes of RFC 7541 appendix B, for the symbols 0 to 256 (the end of a string),
 * each as a digit in base 36. The code is canonical, so that the lengths say it all: shorter codes come first, and
 * those of one length follow each other in the order of their symbols.
 */
const lengths = "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca" +
  "d67777777777777777777777878djde6f56565666577666567655677777fbeds" +
  "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn" +
  "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq" +
  "u"

const longest = 30
const endOfString = 256

/** For each length: the first code, and the symbols in the order of their codes. */
const codes = (() => {
  const symbols = Array.from({ length: longest + 1 }, (): Array<number> => [])
  for (let symbol = 0; symbol < lengths.length; symbol++) symbols[Number.parseInt(lengths[symbol], 36)].push(symbol)
  let first = 0
  return symbols.map((ofLength) => {
    const entry = { first, symbols: ofLength }
    first = (first + ofLength.length) * 2
    return entry
  })
})()

/** The text that was encoded, or undefined when the encoding is wrong. */
export const decode = (bytes: Uint8Array): Buffer | undefined => {
  const text: Array<number> = []
  let code = 0
  let bits = 0
  let allOnes = true
  for (const byte of bytes) {
    for (let at = 7; at >= 0; at--) {
      const bit = (byte >> at) & 1
      code = code * 2 + bit
      bits++
      if (bit === 0) allOnes = false
      if (bits > longest) return undefined
      const { first, symbols } = codes[bits]
      const symbol = code < first ? undefined : symbols[code - first]
      if (symbol === undefined) continue
      if (symbol === endOfString) return undefined
      text.push(symbol)
      code = 0
      bits = 0
      allOnes = true
    }
  }
  // RFC 7541 section 5.2: at most seven bits of padding, all ones.
  return bits < 8 && allOnes ? Buffer.from(text) : undefined
}
