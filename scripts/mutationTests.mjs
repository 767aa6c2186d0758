// Runs tests again and again for `mutate.mjs`, with another mutant each time, in a process that keeps what is compiled:
// that is most of what a run costs. It is sent a mutant and the files of its tests, and says which of them noticed.
import { createVitest } from "vitest/node"
import { root } from "./process.mjs"

/** What one step may cost in CPU time, in seconds. Who takes longer hangs, however busy the machine is. */
const mostSeconds = 90

const vitest = await createVitest("test", {
  root,
  config: `${root}vitest.mutate.config.ts`,
  watch: false,
  bail: 1,
  pool: "threads",
  maxWorkers: 1,
  minWorkers: 1,
  reporters: [{}],
  silent: true
})

/** One file after the other, up to the first test that fails. */
/** @param {ReadonlyArray<string>} files */
const firstToFail = async (files) => {
  for (const file of files) {
    const specifications = await vitest.globTestSpecifications([`${root}${file}`])
    if (specifications.length === 0) throw new Error(`There is no test in ${file}`)
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications)
    // What has run before is among them.
    const failed = testModules.find((module) => module.moduleId === `${root}${file}` && !module.ok())
    if (unhandledErrors.length === 0 && failed === undefined) continue
    const [test] = failed?.children.allTests("failed") ?? []
    return `${file}: ${test?.fullName ?? "an error outside of its tests"}`
  }
  return "passed"
}

let before = process.cpuUsage()
setInterval(() => {
  const { system, user } = process.cpuUsage(before)
  if ((system + user) / 1e6 < mostSeconds || !isBusy) return
  process.send?.("hangs", () => process.exit(1))
}, 500)

let isBusy = false
process.on(
  "message",
  async (/** @type {{ mutant?: { file: string }, files: ReadonlyArray<string> }} */ { files, mutant }) => {
    process.env.MUTANT = JSON.stringify(mutant ?? {})
    if (mutant !== undefined) vitest.invalidateFile(mutant.file)
    before = process.cpuUsage()
    isBusy = true
    const said = await firstToFail(files)
    isBusy = false
    if (mutant !== undefined) vitest.invalidateFile(mutant.file)
    process.send?.(said)
  }
)
process.on("disconnect", () => process.exit(0))
process.send?.("ready")
