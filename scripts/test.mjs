// Everything that has to hold before a change is done. The last line is `N passed, N failed, N skipped`: the counts of
// the test runner, alone on the line, whatever happened before.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs"
import { install } from "./install.mjs"
import { root, run, runInstalled, tsc } from "./process.mjs"

const report = `${root}.scratch/vitest.json`

/** Together they take as long as the longest of them: each uses one core. What each prints is shown when it has ended. */
const together = { minutes: 5, quiet: true }

/** @typedef {readonly [title: string, step: () => Promise<{ code: number, output: string }>]} Step */

/** @type {ReadonlyArray<ReadonlyArray<Step>>} */
const stages = [
  [
    ["Effect diagnostics", () => run(process.execPath, ["scripts/diagnostics.mjs"], together)],
    ["Types", () => tsc(["-b"], together)],
    ["Formatting and lint", () => runInstalled("eslint/bin/eslint.js", ["--max-warnings", "0", "."], together)]
  ],
  // They are compiled against what the compiler has made.
  [["Examples in the documents", () => run(process.execPath, ["scripts/check-docs.mjs"], together)]],
  [["Tests", () =>
    runInstalled("vitest/vitest.mjs", [
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`
    ], { minutes: 10 })]]
]

/** @param {number} start */
const secondsSince = (start) => `${((performance.now() - start) / 1_000).toFixed(1)} s`

/**
 * A test file that fails to load has no tests to count: it counts as one that failed, or the line would say that
 * nothing failed.
 */
const counts = () => {
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0 }
  const { numFailedTests, numPassedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, "utf8")
  )
  /** @param {{ status: string, assertionResults: ReadonlyArray<{ status: string }> }} file */
  const failedToLoad = (file) =>
    file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed")
  return {
    passed: numPassedTests,
    failed: numFailedTests + testResults.filter(failedToLoad).length,
    skipped: numPendingTests + numTodoTests
  }
}

const start = performance.now()
/** @type {Array<string>} */
const failed = []

rmSync(report, { force: true })
mkdirSync(`${root}.scratch`, { recursive: true })
// Vitest sets it to "test" when nobody else has set it to something.
delete process.env.NODE_ENV

if (await install()) {
  for (const stage of stages) {
    console.log(`\n== ${stage.map(([title]) => title).join(", ")}`)
    const begun = performance.now()
    await Promise.all(stage.map(async ([title, step]) => {
      const { code, output } = await step()
      if (code !== 0) failed.push(title)
      if (output.trim() !== "") console.log(output.trim())
      console.log(`== ${title}: ${code === 0 ? "ok" : `failed with exit code ${code}`}, ${secondsSince(begun)}`)
    }))
  }
} else {
  failed.push("Installation")
}

const { passed, failed: failures, skipped } = counts()
console.log(failed.length === 0 ? `\nAll steps are ok, ${secondsSince(start)}` : `\nFailed: ${failed.join(", ")}`)
console.log(`${passed} passed, ${failures} failed, ${skipped} skipped`)
process.exitCode = failed.length === 0 ? 0 : 1
