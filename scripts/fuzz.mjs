// The random tests for longer than `npm test` has time for:
//
//   npm run fuzz -- [--seconds 60] [--runs N] [--seed N]           responses for the HTTP/1.1 parser, against Node's own
//   npm run fuzz:pool -- [--runs 20000] [--seed N] [--path P]      steps of the pool's core, against its reference
//
// Both print their seed, and of a failure what repeats it.
import { install } from "./install.mjs"
import { run, runInstalled } from "./process.mjs"

const [what, ...args] = process.argv.slice(2)

const fuzzParser = () => run(process.execPath, ["packages/engine/test/http1/fuzz.mjs", ...args])

/** @param {string} name */
const option = (name) => args.find((_, i) => args[i - 1] === `--${name}`)

const fuzzPool = () => {
  const env = {
    ...process.env,
    MODEL_RUNS: option("runs") ?? "20000",
    MODEL_SEED: option("seed"),
    MODEL_PATH: option("path")
  }
  return runInstalled("vitest/vitest.mjs", ["run", "--project", "engine", "test/pool/model.test.ts"], { env })
}

if (!(await install())) process.exit(1)

process.exitCode = (await (what === "pool" ? fuzzPool() : fuzzParser())).code
