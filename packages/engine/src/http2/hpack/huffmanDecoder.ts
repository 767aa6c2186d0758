import { codeLengths, codes, EOS } from "./huffmanCode.js"

/**
 * A state machine that reads half an octet a step, for no code is so short that two symbols could end in one. Its states
 * are the inner nodes of the code's tree, 256 of them. A step is packed into one number: the next state in the low octet,
 * then how many symbols it ends (0 or 1), then whether it is no code, then the symbol.
 */
const bitsPerStep = 4
const endsSymbol = 1 << 8
const invalid = 1 << 9
const symbolShift = 16

/** The inner nodes; a child is an inner node (0 and up) or, as `-1 - symbol`, a leaf. */
const buildTree = (): ReadonlyArray<readonly [number, number]> => {
  const tree: Array<[number, number]> = [[0, 0]]
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let node = 0
    for (let bit = codeLengths[symbol] - 1; bit > 0; bit--) {
      const side = codes[symbol] >>> bit & 1
      // The root is nobody's child, so 0 stands for none.
      if (tree[node][side] === 0) tree[node][side] = tree.push([0, 0]) - 1
      node = tree[node][side]
    }
    tree[node][codes[symbol] & 1] = -1 - symbol
  }
  return tree
}

const tree = buildTree()

const buildStep = (from: number, input: number): number => {
  let node = from
  let step = 0
  for (let bit = bitsPerStep - 1; bit >= 0; bit--) {
    node = tree[node][input >>> bit & 1]
    if (node >= 0) continue
    const symbol = -1 - node
    if (symbol === EOS) return invalid
    step = endsSymbol | symbol << symbolShift
    node = 0
  }
  return step | node
}

const steps: Uint32Array = new Uint32Array(tree.length << bitsPerStep)
for (let i = 0; i < steps.length; i++) steps[i] = buildStep(i >>> bitsPerStep, i & (1 << bitsPerStep) - 1)

/** 1 for each state that a string may end in: after 0 to 7 bits that are the beginning of EOS, which are all ones. */
const mayEnd: Uint8Array = new Uint8Array(tree.length)
for (let node = 0, bits = 0; bits < 8; bits++, node = tree[node][1]) mayEnd[node] = 1

/** The most octets that so many encoded ones can stand for: no code has less than five bits. */
export const decodedBound = (encoded: number): number => (encoded * 8 / 5 | 0) + 1

/** Decodes `bytes[start, end)` to the start of `output`. Returns how many octets these are, -1 if it is no valid code. */
export const decodeHuffman = (bytes: Uint8Array, start: number, end: number, output: Uint8Array): number => {
  let state = 0
  let length = 0
  let seen = 0
  for (let i = start; i < end; i++) {
    const octet = bytes[i]
    const high = steps[state << bitsPerStep | octet >>> bitsPerStep]
    output[length] = high >>> symbolShift
    length += high >>> 8 & 1
    const low = steps[(high & 0xff) << bitsPerStep | octet & 0xf]
    output[length] = low >>> symbolShift
    length += low >>> 8 & 1
    state = low & 0xff
    seen |= high | low
  }
  return (seen & invalid) !== 0 || mayEnd[state] === 0 ? -1 : length
}
