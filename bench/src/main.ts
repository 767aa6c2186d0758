import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import { fileURLToPath } from "node:url"
import { compareSuite } from "./compare.js"
import { parse, usage } from "./options.js"
import { measure, runProgram, servers } from "./processes.js"
import { type CaseResult, missed, type Report, settle, type SuiteResult } from "./Report.js"
import { machine, versions } from "./report/machine.js"
import { chart } from "./report/svg.js"
import * as table from "./report/table.js"
import { type Case, type Endpoints, judged, type Measurement, type Suite } from "./Suite.js"
import { suites } from "./suites/index.js"

const style = table.style(process.stdout.isTTY === true)

/** A line that is written over again and again, on a terminal. */
const progress = (text: string): void => {
  if (process.stderr.isTTY === true) process.stderr.write(`\r\x1b[K${text}`)
}

const runCase = (name: string, single: Case, rounds: number, endpoints: Endpoints): Effect.Effect<CaseResult> =>
  Effect.gen(function*() {
    const results = single.contenders.map((contender) => ({
      ...contender,
      rounds: [] as Array<Measurement>,
      error: undefined as string | undefined
    }))
    for (let round = 1; round <= rounds; round++) {
      for (const contender of results) {
        if (contender.error !== undefined) continue
        progress(`${name} · ${single.title} · round ${round} of ${rounds} · ${contender.name}`)
        const measured = yield* Effect.either(measure(contender.job, endpoints))
        if (measured._tag === "Right") contender.rounds.push(measured.right)
        else contender.error = measured.left
      }
    }
    progress("")
    // One that failed in some round is not measured at all: its rounds would not be those of the others.
    return settle(
      single,
      results.map(({ error, name, rounds }) => error === undefined ? { name, rounds } : { name, rounds: [], error })
    )
  })

const runSuite = (suite: Suite, options: { quick: boolean; rounds: number | undefined; endpoints: Endpoints }) =>
  Effect.gen(function*() {
    const { about, name, title } = suite
    const rounds = options.rounds ?? (options.quick ? Math.min(3, suite.rounds ?? 3) : suite.rounds ?? 5)
    const skipped = suite.unavailable?.(options)
    const empty: SuiteResult = { name, title, about, skipped, cases: [] }
    console.log(table.renderSuite(empty, style))
    if (skipped !== undefined) return empty
    if (suite.program !== undefined) {
      progress(name)
      const ended = yield* Effect.either(runProgram(suite.program, options.quick ? ["--quick"] : []))
      const output = Either.merge(ended)
      progress("")
      console.log(output.trimEnd().replace(/^/gm, "  "))
      return { ...empty, output, failed: Either.isLeft(ended) }
    }
    const cases: Array<CaseResult> = []
    for (const whole of suite.cases(options)) {
      const single = options.quick ? { ...whole, contenders: judged(whole) } : whole
      const result = yield* runCase(name, single, rounds, options.endpoints)
      console.log(table.renderCase(result, style))
      cases.push(result)
    }
    return { ...empty, cases }
  })

const compare = (
  chosen: ReadonlyArray<Suite>,
  against: string,
  options: { readonly quick: boolean; readonly rounds: number | undefined; readonly endpoints: Endpoints }
) =>
  Effect.gen(function*() {
    for (const suite of chosen) {
      if (suite.unavailable?.(options) !== undefined) continue
      console.log(`\n${style.bold(suite.name)}, here ÷ ${against}: above 1 is worse`)
      const comparisons = yield* compareSuite(
        suite,
        options,
        against,
        options.rounds ?? 15,
        options.endpoints,
        progress
      )
      progress("")
      for (const { interval: [low, high], passes, ratio, title } of comparisons) {
        const figures = `${ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`
        console.log(`  ${passes ? style.good("✓") : style.bad("✗")} ${title}: ${figures}`)
        if (!passes) process.exitCode = 1
      }
    }
  })

const results = new URL("../results/", import.meta.url)

const write = (report: Report, json: string | undefined) =>
  Effect.promise(async () => {
    if (json !== undefined) await fs.writeFile(json, JSON.stringify(report, undefined, 2))
    if (report.quick) return
    await fs.mkdir(results, { recursive: true })
    for (const suite of report.suites) {
      if (suite.cases.length === 0) continue
      await fs.writeFile(new URL(`${suite.name}.svg`, results), chart(suite, report))
      const single = { ...report, suites: [suite] }
      await fs.writeFile(new URL(`${suite.name}.json`, results), JSON.stringify(single, undefined, 2) + "\n")
    }
    console.log(`\nCharts and numbers are in ${fileURLToPath(results)}`)
  })

const program = Effect.gen(function*() {
  const names = suites.map(({ name }) => name)
  const options = parse(process.argv.slice(2), names)
  if (typeof options === "string") {
    console.error(`${options}\n\n${usage(names)}`)
    process.exitCode = 2
    return
  }
  if (options.help) return console.log(usage(names))

  const before = os.loadavg()[0]
  const endpoints = yield* servers
  const chosen = suites.filter(({ name }) => options.suites.length === 0 || options.suites.includes(name))
  if (options.against !== undefined) return yield* compare(chosen, options.against, { ...options, endpoints })
  const measured: Array<SuiteResult> = []
  for (const suite of chosen) measured.push(yield* runSuite(suite, { ...options, endpoints }))
  const report: Report = {
    machine: machine(before),
    versions: versions(endpoints.server),
    quick: options.quick,
    rounds: options.rounds ?? (options.quick ? 3 : 5),
    suites: measured
  }
  console.log(`\n${style.dim(table.renderMachine(report))}`)
  yield* write(report, options.json)
  const problems = missed(measured)
  if (problems.length === 0) return
  console.error(`\nMissed:\n${problems.map((problem) => `  ${problem}`).join("\n")}`)
  process.exitCode = 1
}).pipe(
  Effect.scoped,
  Effect.catchAll((message) =>
    Effect.sync(() => {
      console.error(message)
      process.exitCode = 1
    })
  )
)

NodeRuntime.runMain(program)
