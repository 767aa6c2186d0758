// Whether the tests of the pool and of HTTP/1.1 notice when the code does something else:
//
//   npm run mutate -- [--seed 1] [--count 100] [--from 0] [--room pool] [--list]
//
// Each mutant is one change at one position, chosen by the seed from all that there are. Its tests run until one of them
// fails; what survives is printed. Mutants that cannot make a difference stand in `equivalentMutants.json`, each with the
// reason. It fails when fewer than 95 % of the others are noticed.
import { fork } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { install } from "./install.mjs"
import { mutantsOf, withSwitches } from "./mutants.mjs"
import { root } from "./process.mjs"

const goal = 0.95

/** @param {string} project @param {ReadonlyArray<string>} files without their ending */
const tests = (project, ...files) => files.map((name) => `packages/${project}/test/${name}.test.ts`)

const model = "packages/engine/test/pool/model.test.ts"

/** What only the driver's tests can notice: the model has no driver. */
const withoutModel = /(Coalescing|Deliveries|Event|EventHub|PoolDriver|SlotEvents|Timekeeper|inFlight|snapshot)\.ts$/

/**
 * Of each room the tests that are to notice, and those that only what survives is shown to, because they take long.
 *
 * @type {Readonly<Record<string, { readonly quick: ReadonlyArray<string>, readonly slow: ReadonlyArray<string> }>>}
 */
const rooms = {
  pool: {
    quick: [
      model,
      ...tests("engine", ...["decisions", "deliveries", "synchronousHost", "trace"].map((_) => `pool/${_}`)),
      ...tests("core", "card", ...["backoff", "closing", "coalescing", "conformance"].map((_) => `pool/${_}`)),
      ...tests("core", ...["fairness", "operations", "ownTimeouts", "reserved", "states"].map((_) => `pool/${_}`)),
      ...tests("core", "pool/unread")
    ],
    slow: tests("core", ...["MemoryNetwork", "deadline", "faults", "interrupt"].map((_) => `pool/${_}`))
  },
  http1: {
    quick: [
      ...tests("engine", ...["RequestEncoder", "bounds", "connection", "corpus"].map((_) => `http1/${_}`)),
      ...tests("engine", ...["differential", "nodeClient", "nodeServer", "protocolErrors"].map((_) => `http1/${_}`)),
      ...tests("engine", ...["responses", "splits"].map((_) => `http1/${_}`))
    ],
    slow: tests("node", ...["framing", "reuse", "upload"].map((_) => `client/${_}`))
  }
}

/** How many runs of the model are to notice: the first few find most of what it finds. */
const fewRuns = 60
const manyRuns = 700

const args = process.argv.slice(2)

/** @param {string} name @param {string} otherwise */
const option = (name, otherwise) => args.find((_, i) => args[i - 1] === `--${name}`) ?? otherwise

const seed = Number(option("seed", `${Date.now() % 1_000_000}`))
const count = Number(option("count", "100"))
/** The same seed goes on where a run before it ended. */
const from = Number(option("from", "0"))
const room = option("room", "")

/** @type {ReadonlyArray<{ file: string, line: string, from: string, to: string, reason: string }>} */
const equivalent = JSON.parse(readFileSync(new URL("equivalentMutants.json", import.meta.url), "utf8"))

/** @param {number} state */
const randomFrom = (state) => () => {
  state = (state + 0x6d2b79f5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

/** @param {string} room */
const candidatesOf = (room) => {
  const folder = `packages/engine/src/${room}/`
  return readdirSync(`${root}${folder}`).filter((name) => name.endsWith(".ts") && name !== "index.ts").sort().flatMap(
    (name) => {
      const code = readFileSync(`${root}${folder}${name}`, "utf8")
      return mutantsOf(code).map((mutant) => {
        const before = code.slice(0, mutant.start).split("\n")
        return {
          ...mutant,
          room,
          file: `${folder}${name}`,
          at: `${before.length}:${before[before.length - 1].length + 1}`,
          line: code.split("\n")[before.length - 1].trim(),
          from: code.slice(mutant.start, mutant.end)
        }
      })
    }
  )
}

/** @typedef {ReturnType<typeof candidatesOf>[number] & { id: number }} Candidate */

/** @param {Candidate} mutant */
const reasonOf = ({ file, from, line, text }) =>
  equivalent.find((known) =>
    file.endsWith(known.file) && known.line === line && known.from === from && known.to === text
  )?.reason

/** @param {Candidate} mutant */
const describe = ({ at, file, from, text }) =>
  `${file}:${at}  ${from.replace(/\s+/g, " ").slice(0, 80)}  →  ${text.replace(/\s+/g, " ").slice(0, 80)}`

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    isStopped = true
    runner?.kill("SIGKILL")
  })
}

/** Asked to end: what was found by then is reported, and the mutant in hand is not judged. */
let isStopped = false

/** The process that runs the tests, while there is one. */
/** @type {import("node:child_process").ChildProcess | undefined} */
let runner = undefined

const endRunner = () => {
  runner?.kill("SIGKILL")
  runner = undefined
}

/** @param {import("node:child_process").ChildProcess} of @returns {Promise<any>} */
const reply = (of) =>
  new Promise((resolve) => {
    const settle = (/** @type {unknown} */ said) => {
      of.off("message", settle).off("exit", hangs)
      resolve(said)
    }
    const hangs = () => settle("hangs")
    of.on("message", settle).on("exit", hangs)
  })

/** The sources with all chosen mutants in them. */
const switchedFile = `${root}node_modules/.sluice-mutants.json`

/**
 * @typedef {import("./mutationTests.mjs").Order} Order
 * @typedef {import("./mutationTests.mjs").Outcome} Outcome
 * @param {Order} order
 * @returns {Promise<Outcome | "hangs">}
 */
const run = async (order) => {
  if (runner === undefined) {
    runner = fork(`${root}scripts/mutationTests.mjs`, { env: { ...process.env, MUTANTS: switchedFile } })
    if (isStopped || await reply(runner) !== "ready") return "hangs"
  }
  const current = runner
  current.send(order)
  const said = await reply(current)
  if (typeof said === "object") return said
  endRunner()
  return "hangs"
}

/** What the tests of a room do without any mutant: who reaches what, in what time. */
/** @type {Map<string, Outcome>} */
const usual = new Map()

/** What is decided while modules are loaded. */
/** @type {Set<number>} */
const atLoad = new Set()

/** @param {string} file */
const measure = async (file) => {
  const outcome = await run({ file, task: { limit: Infinity, modelRuns: fewRuns }, mostSeconds: 300 })
  if (isStopped) return
  // What fails without a change would notice all. On a busy machine some wait in vain for a while.
  if (outcome === "hangs") {
    console.error(`Without a change ${file} hangs: it is left out`)
    usual.set(file, { failed: undefined, atLoad: [], tests: [], seconds: 0 })
    return
  }
  if (outcome.failed !== undefined) {
    console.error(`Without a change ${file} fails, and is left out: ${outcome.failed}`)
  }
  for (const id of outcome.atLoad) atLoad.add(id)
  usual.set(file, outcome)
  if (args.includes("--verbose")) console.log(`${outcome.seconds.toFixed(1)} s for ${file}`)
}

/**
 * @typedef {{ file: string, task: Order["task"], millis: number, mostSeconds: number }} Step
 * @param {Candidate} mutant
 * @param {ReadonlyArray<string>} files
 * @returns {Promise<ReadonlyArray<Step>>} the quick ones first
 */
const stepsFor = async ({ id }, files) => {
  for (const file of files) if (!usual.has(file) && !isStopped) await measure(file)
  return files.flatMap((file) => {
    const { seconds, tests } = usual.get(file) ?? { seconds: 0, tests: [] }
    const reaching = atLoad.has(id) ? tests : tests.filter(({ reached }) => reached.some(([each]) => each === id))
    if (reaching.length === 0) return []
    const times = reaching.flatMap(({ reached }) => reached.flatMap(([each, times]) => each === id ? [times] : []))
    const limit = atLoad.has(id) ? Infinity : 10_000 + 100 * Math.max(...times)
    const task = { active: id, limit, tests: reaching.map(({ name }) => name), modelRuns: fewRuns }
    return [{ file, task, millis: reaching.reduce((sum, test) => sum + test.millis, 0), mostSeconds: 15 + 4 * seconds }]
  }).sort((one, other) => one.millis - other.millis)
}

/** @param {Candidate} mutant @param {"quick" | "slow"} which @returns {Promise<ReadonlyArray<Step>>} */
const steps = async (mutant, which) => {
  const found = await stepsFor(mutant, rooms[mutant.room][which])
  if (which === "quick" || mutant.room !== "pool" || withoutModel.test(mutant.file)) return found
  const task = { active: mutant.id, limit: Infinity, modelRuns: manyRuns }
  return [{ file: model, task, millis: 0, mostSeconds: 90 }, ...found]
}

/** @param {Candidate} mutant @param {"quick" | "slow"} which @returns {Promise<string | undefined>} which test notices it */
const noticeOf = async (mutant, which) => {
  const reload = atLoad.has(mutant.id) ? `${root}${mutant.file}` : undefined
  for (const { file, mostSeconds, task } of await steps(mutant, which)) {
    if (isStopped) return undefined
    const order = { file, task, mostSeconds, reload }
    const outcome = await run(order)
    if (isStopped) return undefined
    if (outcome === "hangs") return `${file}: it hangs`
    const { failed } = outcome
    if (failed === undefined) continue
    // What a mutant before this one has left behind is none of its own: without this one the test passes.
    const tests = task.tests?.includes(failed) ? [failed] : task.tests
    const without = await run({ ...order, task: { ...task, active: -1, tests } })
    if (typeof without === "object" && without.failed === undefined) return `${file}: ${failed}`
    endRunner()
    const again = await run(order)
    if (again === "hangs") return `${file}: it hangs`
    if (again.failed !== undefined) return `${file}: ${again.failed}`
  }
  return undefined
}

if (!(await install())) process.exit(1)

const all = Object.keys(rooms).filter((name) => room === "" || name === room).flatMap((name) => candidatesOf(name))
const random = randomFrom(seed)
const chosen = all.map((mutant) => ({ mutant, order: random() })).sort((one, other) => one.order - other.order)
  .slice(from, from + count).map(({ mutant }, id) => ({ ...mutant, id }))

console.log(`${chosen.length} of ${all.length} mutants, seed ${seed}`)
if (args.includes("--list")) {
  for (const mutant of chosen) console.log(describe(mutant))
  process.exit(0)
}

const switched = Object.fromEntries([...new Set(chosen.map(({ file }) => file))].map((file) => {
  const { code, static: decided } = withSwitches(
    readFileSync(`${root}${file}`, "utf8"),
    chosen.filter((mutant) => mutant.file === file)
  )
  for (const id of decided) atLoad.add(id)
  return [`${root}${file}`, code]
}))
mkdirSync(`${root}node_modules`, { recursive: true })
writeFileSync(switchedFile, JSON.stringify(switched))

let noticed = 0
let same = 0
/** @type {Array<Candidate>} */
const quickSurvivors = []

/** @param {Candidate} mutant @param {string} by */
const notice = (mutant, by) => {
  noticed++
  console.log(`noticed     ${describe(mutant)}\n                by ${by}`)
}

for (const mutant of chosen) {
  if (isStopped) break
  const reason = reasonOf(mutant)
  if (reason !== undefined) {
    same++
    console.log(`equivalent  ${describe(mutant)}  (${reason})`)
    continue
  }
  const by = await noticeOf(mutant, "quick")
  if (isStopped) break
  if (by !== undefined) notice(mutant, by)
  else {
    quickSurvivors.push(mutant)
    console.log(`so far not  ${describe(mutant)}`)
  }
}

/** @type {Array<Candidate>} */
const survivors = []
for (const mutant of quickSurvivors) {
  const by = isStopped ? undefined : await noticeOf(mutant, "slow")
  if (by !== undefined) notice(mutant, by)
  else {
    survivors.push(mutant)
    console.log(`SURVIVED    ${describe(mutant)}`)
  }
}
endRunner()

const judged = noticed + survivors.length
const ratio = judged === 0 ? 1 : noticed / judged
console.log(`\nSurvivors:`)
for (const mutant of survivors) console.log(`  ${describe(mutant)}\n    ${mutant.line}`)
console.log(
  `\n${noticed} of ${judged} noticed, ${(100 * ratio).toFixed(1)} %; ${same} equivalent with a reason; seed ${seed}`
)
process.exitCode = isStopped ? 143 : ratio < goal ? 1 : 0
