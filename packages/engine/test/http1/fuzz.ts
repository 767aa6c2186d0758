import * as fc from "fast-check"
import process from "node:process"
import { fault } from "./support/differential.js"
import type { Exchange } from "./support/exchanges.js"
import { exchange } from "./support/exchanges.js"

// Started by fuzz.mjs, which says how.

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  const value = at < 0 ? otherwise : Number(process.argv[at + 1])
  if (Number.isNaN(value)) throw new Error(`--${name} needs a number`)
  return value
}

const seed = option("seed", Date.now() % 0x7fffffff)
const runs = option("runs", Infinity)
const until = Date.now() + option("seconds", runs === Infinity ? 60 : Infinity) * 1000
const batch = 10_000
const most = 10

console.log(`seed ${seed}`)
const found: Array<Exchange> = []
let tried = 0
for (let round = 0; tried < runs && Date.now() < until && found.length < most; round++) {
  const result = fc.check(fc.property(exchange, (generated) => fault(generated) === undefined), {
    seed: seed + round,
    numRuns: Math.min(batch, runs - tried),
    interruptAfterTimeLimit: Math.min(until - Date.now(), 0x7fffffff)
  })
  tried += result.numRuns
  if (result.failed && result.counterexample !== null) {
    const [generated] = result.counterexample
    found.push(generated)
    // The line is an entry for corpus.json.
    console.log(JSON.stringify({ name: `seed ${seed + round}`, ...generated }))
    console.log(fault(generated))
  }
}
console.log(`${tried} exchanges, ${found.length} faults, seed ${seed}`)
process.exitCode = found.length === 0 ? 0 : 1
