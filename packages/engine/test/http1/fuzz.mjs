// Generated and damaged responses through our parser, in any split, and through Node's, for as long as it is to.
//
//   npm run fuzz -- [--seconds 60] [--runs N] [--seed N]
//
// What it finds it prints as an entry for corpus.json, which the tests replay.
import process from "node:process"
import { runTypeScript } from "../runTypeScript.mjs"

process.exitCode = runTypeScript("http1/fuzz.ts", process.argv.slice(2), ["http1/corpus.json"])
