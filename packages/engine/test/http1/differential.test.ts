import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { differences, oracle } from "./differences.js"
import { compare, explain, fault } from "./support/differential.js"
import { exchange } from "./support/exchanges.js"
import { runNode } from "./support/nodeParser.js"
import { bytesOf, runOurs } from "./support/transcript.js"

describe(`against ${oracle.name}`, () => {
  for (const difference of differences.filter(({ client }) => client !== true)) {
    it.runIf(oracle.isKnown)(`${difference.what}: ${difference.name} (${difference.section})`, () => {
      const method = difference.method ?? "GET"
      const input = bytesOf(difference.example)
      const ours = runOurs(method, [input]).transcript
      const node = runNode(method, [input])
      expect(compare(ours, node)).toContain(difference.what)
      expect(explain(difference.what, ours, node, { method, input: difference.example })).toBe(difference.name)
    })
  }

  it("generated and damaged responses, in one piece, byte by byte and in random splits", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(exchange, (generated) => {
        const wrong = fault(generated)
        if (wrong !== undefined) throw new Error(wrong)
      }),
      { numRuns: 5000 }
    )
  })
})
