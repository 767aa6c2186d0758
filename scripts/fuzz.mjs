// The random tests for longer than `npm test` has time for:
//
//   npm run fuzz -- [--seconds 60] [--runs N] [--seed N]           responses for the HTTP/1.1 parser, against Node's own
//   npm run fuzz:http2 -- [--seconds 60] [--runs N] [--seed N]     frames and HPACK of HTTP/2, damaged real ones among them
//   npm run fuzz:pool -- [--runs 20000] [--seed N] [--path P]      steps of the pool's core, against its reference
//
// All print their seed, and of a failure what reproduces it.
import { install } from "./install.mjs"
import { run, runInstalled } from "./process.mjs"

const [what, ...args] = process.argv.slice(2)

/** @param {string} protocol */
const fuzzProtocol = (protocol) => run(process.execPath, [`packages/engine/test/${protocol}/fuzz.mjs`, ...args])

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

const fuzz = () => what === "pool" ? fuzzPool() : fuzzProtocol(what === "http2" ? "http2" : "http1")

process.exitCode = (await fuzz()).code
