// The Effect language service's diagnostics: one program for Effect 3, another for Effect 4.
import { runInstalled } from "./process.mjs"

for (const project of ["tsconfig.diagnostics.json", "tsconfig.diagnostics4.json"]) {
  const { code, output } = await runInstalled("@effect/language-service/cli.js", [
    "diagnostics",
    "--project",
    project,
    "--format",
    "text",
    "--severity",
    "error,warning",
    "--strict"
  ], { quiet: true, minutes: 5 })

  console.log(output.trim())
  // A project without files would pass for ever without looking at anything.
  const nothing = !/^Checked [1-9]/m.test(output)
  if (nothing) console.error(`${project}: no file was checked.`)
  if (nothing || code !== 0) process.exitCode = 1
}
