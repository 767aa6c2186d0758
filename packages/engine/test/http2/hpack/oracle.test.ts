import * as fc from "fast-check"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { HpackEncoder } from "../../../src/http2/hpack/HpackEncoder.js"
import * as generators from "./generators.js"
import type { Fields } from "./support.js"
import { decode, decoder, encode, hex, toHex } from "./support.js"

// Against python3-hpack, the Debian package, with whatever interpreter Debian calls python3.
const python = "/usr/bin/python3"
const missing = spawnSync(python, ["-c", "import hpack"]).status !== 0

interface Conversation {
  readonly action: "decode" | "decodeSteps" | "encode"
  readonly input: unknown
}

/** All conversations in one process: it takes longer to start than to code. */
const ask = (conversations: ReadonlyArray<Conversation>): ReadonlyArray<any> => {
  const { status, stderr, stdout } = spawnSync(python, [fileURLToPath(new URL("oracle.py", import.meta.url))], {
    encoding: "utf8",
    input: conversations.map((each) => `${JSON.stringify(each)}\n`).join(""),
    maxBuffer: 1 << 28
  })
  if (status !== 0) throw new Error(stderr)
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
}

const seed = 0x48504143
const sample = <A>(arbitrary: fc.Arbitrary<A>, count: number): ReadonlyArray<A> =>
  fc.sample(arbitrary, { numRuns: count, seed })

/**
 * Its encoder forgets a new table size when the same one is set again, and announces each of several, not the smallest and
 * the last one (RFC 7541 §4.2).
 */
const oneSizeBetweenBlocks = (steps: ReadonlyArray<generators.Step>): ReadonlyArray<generators.Step> => {
  let size = 4096
  return steps.filter((step, i) => {
    if (step._tag === "block") return true
    if (steps[i + 1]?._tag === "tableSize" || step.octets === size) return false
    size = step.octets
    return true
  })
}

describe.skipIf(missing)("against python3-hpack (skipped without the package)", () => {
  it("it reads what we write", () => {
    const conversations = sample(generators.steps, 300)
    const results = ask(conversations.map((steps) => {
      const ours = new HpackEncoder()
      return {
        action: "decodeSteps",
        input: steps.map((step) => {
          if (step._tag === "block") return { block: toHex(encode(ours, step.fields)) }
          ours.setPeerTableSize(step.octets)
          return { tableSize: step.octets }
        })
      }
    }))
    results.forEach((result, i) => {
      expect(result).toEqual(conversations[i].flatMap((step) => step._tag === "block" ? [step.fields] : []))
    })
  })

  it("we read what it writes", () => {
    const conversations = sample(generators.steps.map(oneSizeBetweenBlocks), 300)
    const results = ask(conversations.map((steps, i) => ({
      action: "encode",
      input: steps.map((step) =>
        step._tag === "block" ? { fields: step.fields, huffman: i % 2 === 0 } : { tableSize: step.octets }
      )
    })))
    conversations.forEach((steps, i) => {
      const ours = decoder()
      const blocks = results[i].values()
      for (const step of steps) {
        if (step._tag === "tableSize") ours.setTableSize(step.octets)
        else expect(decode(ours, hex(blocks.next().value))).toEqual(step.fields)
      }
    })
  })

  it("both read the same in damaged blocks, or refuse them", () => {
    const damage = fc.array(
      fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom("set", "cut", "insert")),
      {
        minLength: 1,
        maxLength: 3
      }
    )
    const cases = sample(fc.tuple(fc.array(generators.fields, { minLength: 1, maxLength: 4 }), damage), 2000)
    const conversations = cases.map(([lists, damages]) => {
      const encoder = new HpackEncoder()
      const blocks = lists.map((fields) => [...encode(encoder, fields)!])
      for (const [at, octet, how] of damages) {
        const block = blocks[at % blocks.length]
        const where = Math.floor(at / blocks.length) % (block.length + 1)
        if (how === "set") block[Math.min(where, Math.max(0, block.length - 1))] = octet
        else if (how === "insert") block.splice(where, 0, octet)
        else block.length = where
      }
      return blocks.map((block) => toHex(Uint8Array.from(block))!)
    })
    const results = ask(conversations.map((input) => ({ action: "decode", input })))
    let accepted = 0
    conversations.forEach((blocks, i) => {
      const ours = decoder({ maxListBytes: 1 << 20 })
      for (let n = 0; n < results[i].length; n++) {
        const own = decode(ours, hex(blocks[n]))
        const theirs: Fields | null = results[i][n]
        if (theirs !== null) {
          expect({ blocks, own }).toEqual({ blocks, own: theirs })
          accepted++
        } else {
          expect({ blocks, own }).toMatchObject({ own: { _tag: "ProtocolError" } })
        }
      }
    })
    expect(accepted).toBeGreaterThan(500)
  })
})
