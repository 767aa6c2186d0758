import { codeLengths, codes, EOS } from "./huffmanCode.js"

/**
 * A state machine that reads an octet a step. Its states are the inner nodes of the code's tree, 256 of them. A step is
 * packed into one number: the next state in the low octet, then how many symbols it ends (no more than two, for no code has
 * less than five bits), then whether it is no code, then the symbols, the first one below the second.
 */
const countShift = 8
const invalid = 1 << 10
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

/** From a state, after so many bits of input. */
const buildStep = (from: number, input: number, bits: number): number => {
  let node = from
  let count = 0
  let symbols = 0
  for (let bit = bits - 1; bit >= 0; bit--) {
    node = tree[node][input >>> bit & 1]
    if (node >= 0) continue
    const symbol = -1 - node
    if (symbol === EOS) return invalid
    symbols |= symbol << 8 * count
    count++
    node = 0
  }
  return symbols << symbolShift | count << countShift | node
}

const countOf = (step: number): number => step >>> countShift & 3

/** By state and octet. Each step is put together of two of half an octet, which takes a tenth of the time. */
const buildSteps = (): Uint32Array => {
  const halves = new Uint32Array(tree.length << 4)
  for (let i = 0; i < halves.length; i++) halves[i] = buildStep(i >>> 4, i & 0xf, 4)
  const steps = new Uint32Array(tree.length << 8)
  for (let i = 0; i < steps.length; i++) {
    const high = halves[i >>> 8 << 4 | i >>> 4 & 0xf]
    const low = halves[(high & 0xff) << 4 | i & 0xf]
    const symbols = high >>> symbolShift | low >>> symbolShift << 8 * countOf(high)
    const count = countOf(high) + countOf(low)
    steps[i] = symbols << symbolShift | count << countShift | (high | low) & invalid | low & 0xff
  }
  return steps
}

/** A quarter of a MiB, which a process without HTTP/2 never needs. */
let builtSteps: Uint32Array | undefined

/** 1 for each state that a string may end in: after 0 to 7 bits that are the beginning of EOS, which are all ones. */
const mayEnd: Uint8Array = new Uint8Array(tree.length)
for (let node = 0, bits = 0; bits < 8; bits++, node = tree[node][1]) mayEnd[node] = 1

/** The most octets that so many encoded ones can stand for, and one that the last step may write in vain. */
export const decodedBound = (encoded: number): number => (encoded * 8 / 5 | 0) + 2

/** Decodes `bytes[start, end)` to the start of `output`. Returns how many octets these are, -1 if it is no valid code. */
export const decodeHuffman = (bytes: Uint8Array, start: number, end: number, output: Uint8Array): number => {
  const steps = builtSteps ??= buildSteps()
  let state = 0
  let length = 0
  let seen = 0
  for (let i = start; i < end; i++) {
    const step = steps[state << 8 | bytes[i]]
    output[length] = step >>> symbolShift
    output[length + 1] = step >>> symbolShift + 8
    length += step >>> countShift & 3
    state = step & 0xff
    seen |= step
  }
  return (seen & invalid) !== 0 || mayEnd[state] === 0 ? -1 : length
}
