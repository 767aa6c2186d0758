// Frames and header blocks, generated, recorded from a real server and damaged, through the reader, the decoder and the
// encoder, for as long as it is asked to.
//
//   npm run fuzz:http2 -- [--seconds 60] [--runs N] [--seed N]
//
// It prints its seed, and of a failure the input that fails.
import process from "node:process"
import { runTypeScript } from "../runTypeScript.mjs"

process.exitCode = runTypeScript("http2/fuzz.ts", process.argv.slice(2))
