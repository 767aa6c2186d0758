// Runs tests again and again for `mutate.mjs`, with another mutant in effect each time, in a process that loads all that
// they need once: that is most of what a run costs.
import { createVitest } from "vitest/node"
import { root } from "./process.mjs"

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

/**
 * @typedef {{ active?: number, limit: number, tests?: ReadonlyArray<string> | undefined, modelRuns: number }} Task
 * @typedef {{ file: string, task: Task, reload?: string | undefined, mostSeconds: number }} Order one test file
 * @typedef {{ name: string, millis: number, reached: ReadonlyArray<readonly [number, number]> }} Test
 * @typedef {{ failed: string | undefined, atLoad: ReadonlyArray<number>, tests: ReadonlyArray<Test>, seconds: number }} Outcome
 */

/** @param {Order} order @returns {Promise<Omit<Outcome, "seconds">>} */
const run = async ({ file, reload, task }) => {
  // What is decided while a module is loaded is decided anew.
  if (reload !== undefined) vitest.invalidateFile(reload)
  for (const project of vitest.projects) project.provide("mutation", task)
  const specifications = await vitest.globTestSpecifications([`${root}${file}`])
  const ours = specifications.filter(({ moduleId }) => moduleId === `${root}${file}`).slice(0, 1)
  if (ours.length === 0) throw new Error(`There is no test in ${file}`)
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(ours)
  if (reload !== undefined) vitest.invalidateFile(reload)
  const module = testModules.find(({ moduleId }) => moduleId === `${root}${file}`)
  const all = [...module?.children.allTests() ?? []]
  const failed = all.find((test) => test.result().state === "failed")
  return {
    failed: failed !== undefined
      ? nameOf(failed)
      : unhandledErrors.length > 0 || module?.ok() !== true
      ? "an error outside of its tests"
      : undefined,
    atLoad: all.flatMap((test) => test.meta().atLoad ?? []),
    tests: all.filter((test) => test.result().state === "passed").map((test) => ({
      name: nameOf(test),
      millis: test.diagnostic()?.duration ?? 0,
      reached: test.meta().reached ?? []
    }))
  }
}

/** @param {{ fullName: string, name: string, parent: any }} test @returns {string} */
const nameOf = (test) => {
  const names = [test.name]
  for (let parent = test.parent; parent?.type === "suite"; parent = parent.parent) names.unshift(parent.name)
  return names.join(" > ")
}

let before = process.cpuUsage()
/** What the run may cost in CPU time. Who takes longer hangs, however busy the machine is. */
let mostSeconds = Infinity

const seconds = () => {
  const { system, user } = process.cpuUsage(before)
  return (system + user) / 1e6
}

setInterval(() => {
  if (seconds() > mostSeconds) process.send?.("hangs", () => process.exit(1))
}, 500)

process.on("message", async (/** @type {Order} */ order) => {
  before = process.cpuUsage()
  mostSeconds = order.mostSeconds
  const outcome = await run(order)
  mostSeconds = Infinity
  process.send?.({ ...outcome, seconds: seconds() })
})
process.on("disconnect", () => process.exit(0))
process.send?.("ready")
