// The Effect language service's diagnostics over the whole workspace, as one program.
import { runInstalled } from "./process.mjs"

const { code, output } = await runInstalled("@effect/language-service/cli.js", [
  "diagnostics",
  "--project",
  "tsconfig.diagnostics.json",
  "--format",
  "text",
  "--severity",
  "error,warning",
  "--strict"
], { quiet: true, minutes: 5 })

console.log(output.trim())
// A project without files would pass for ever without looking at anything.
const nothing = !/^Checked [1-9]/m.test(output)
if (nothing) console.error("No file was checked.")
process.exitCode = nothing ? 1 : code
