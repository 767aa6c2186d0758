// Runs each test over and over, half of the times beside processes that take all cores:
//
//   npm run again -- [--times 50] [--burners <cores>] --project core test/pool/interrupt.test.ts
//
// What is neither option is vitest's. A test that fails once in fifty times is broken.
import { spawn } from "node:child_process"
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { install } from "./install.mjs"
import { runInstalled } from "./process.mjs"

const { tokens, values } = parseArgs({
  options: {
    times: { type: "string", default: "50" },
    burners: { type: "string", default: `${availableParallelism()}` }
  },
  allowPositionals: true,
  strict: false,
  tokens: true
})
const ours = new Set(tokens.flatMap((token) =>
  token.kind !== "option" || !["times", "burners"].includes(token.name)
    ? []
    : token.inlineValue
    ? [token.index]
    : [token.index, token.index + 1]
))
const args = process.argv.slice(2).filter((_, index) => !ours.has(index))
const times = Number(values.times)
const burners = Number(values.burners)
if (!(Number.isInteger(times) && times > 0 && Number.isInteger(burners) && burners >= 0)) {
  console.error("--times and --burners are whole numbers")
  process.exit(2)
}

if (!(await install())) process.exit(1)

// Each ends when we do, however that is: its input ends then.
const burn = () =>
  spawn(process.execPath, [
    "-e",
    "process.stdin.resume().on('end', () => process.exit()); (function burn() { const end = Date.now() + 20; " +
    "while (Date.now() < end); setImmediate(burn) })()"
  ], { stdio: ["pipe", "ignore", "inherit"] })

/** @param {boolean} isBusy @param {number} repeats */
const play = async (isBusy, repeats) => {
  const beside = isBusy ? Array.from({ length: burners }, burn) : []
  const start = performance.now()
  const env = { ...process.env, TEST_TIMES: String(repeats) }
  const { code } = await runInstalled("vitest/vitest.mjs", ["run", ...args], { env })
  for (const child of beside) child.kill()
  const took = `${((performance.now() - start) / 1_000).toFixed(1)} s`
  console.log(
    `${repeats} times ${isBusy ? `beside ${burners} that take a core each` : "alone"}: exit code ${code}, ${took}`
  )
  return code
}

const busy = burners > 0 ? Math.floor(times / 2) : 0
const codes = [await play(false, times - busy), busy > 0 ? await play(true, busy) : 0]
process.exitCode = Math.max(...codes)
