// Generated and damaged responses through our parser, in any split, and through Node's, for as long as it is told.
//
//   npm run fuzz -- [--seconds 60] [--runs N] [--seed N]
//
// What it finds it prints as an entry for corpus.json, which the tests replay. Node runs no TypeScript by itself, so the
// compiler goes first.
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync } from "node:fs"
import { createRequire } from "node:module"
import process from "node:process"
import { fileURLToPath } from "node:url"

const core = fileURLToPath(new URL("../../", import.meta.url))
const output = `${core}.scratch/fuzz`
const node = (...args) => spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1

const compiled = node(
  createRequire(import.meta.url).resolve("typescript/bin/tsc"),
  `${core}test/http1/fuzz.ts`,
  ...["--outDir", output, "--rootDir", core, "--module", "nodenext", "--target", "es2022", "--lib", "es2023"],
  ...["--types", "node", "--skipLibCheck"]
)
mkdirSync(`${output}/test/http1`, { recursive: true })
copyFileSync(`${core}test/http1/corpus.json`, `${output}/test/http1/corpus.json`)
process.exitCode = compiled !== 0 ? compiled : node(`${output}/test/http1/fuzz.js`, ...process.argv.slice(2))
