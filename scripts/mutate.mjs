// Whether the tests of the pool and of HTTP/1.1 notice when the code does something else:
//
//   npm run mutate -- [--seed 1] [--count 100] [--from 0] [--room pool] [--list]
//
// Each mutant is one change at one position, chosen by the seed from all that there are. Its tests run until one of them
// fails; what survives is printed. Mutants that cannot make a difference stand in `equivalentMutants.json`, each with the
// reason. It fails when fewer than 95 % of the others are noticed.
import { fork } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { install } from "./install.mjs"
import { mutantsOf } from "./mutants.mjs"
import { root } from "./process.mjs"

const goal = 0.95

/** @param {string} project @param {ReadonlyArray<string>} files without their ending */
const tests = (project, ...files) => files.map((name) => `packages/${project}/test/${name}.test.ts`)

/** What only the driver's tests can notice: the model has no driver. */
const withoutModel = /(Coalescing|Deliveries|Event|EventHub|PoolDriver|SlotEvents|Timekeeper|inFlight|snapshot)\.ts$/

/**
 * Of each room the tests that are to notice, the quick ones first.
 *
 * @type {Readonly<Record<string, (file: string) => ReadonlyArray<ReadonlyArray<string>>>>}
 */
const rooms = {
  pool: (file) => [
    tests("engine", ...["deliveries", "synchronousHost", "trace"].map((_) => `pool/${_}`)),
    ...(withoutModel.test(file) ? [] : [tests("engine", "pool/model")]),
    tests("core", ...["conformance", "fairness", "backoff", "operations", "ownTimeouts"].map((_) => `pool/${_}`)),
    tests(
      "core",
      "card",
      ...["closing", "deadline", "faults", "reserved", "states", "unread", "MemoryNetwork"].map((_) => `pool/${_}`)
    ),
    tests("core", "pool/coalescing", "pool/interrupt")
  ],
  http1: () => [
    tests("engine", ...["bounds", "connection", "corpus", "protocolErrors", "responses"].map((_) => `http1/${_}`)),
    tests(
      "engine",
      ...["RequestEncoder", "differential", "nodeClient", "nodeServer", "splits"].map((_) => `http1/${_}`)
    ),
    tests("node", ...["framing", "reuse", "upload"].map((_) => `client/${_}`))
  ]
}

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

/** @typedef {ReturnType<typeof candidatesOf>[number]} Candidate */

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

const endRunner = () => runner?.disconnect()

/** @param {import("node:child_process").ChildProcess} of @returns {Promise<string>} */
const reply = (of) =>
  new Promise((resolve) => {
    const settle = (/** @type {string} */ said) => {
      of.off("message", settle).off("exit", hangs)
      resolve(said)
    }
    const hangs = () => settle("hangs")
    of.on("message", settle).on("exit", hangs)
  })

/** @param {ReadonlyArray<string>} files @param {object} [mutant] */
const run = async (files, mutant) => {
  if (runner === undefined) {
    runner = fork(`${root}scripts/mutationTests.mjs`, { env: { ...process.env, MODEL_SEED: "1", MODEL_RUNS: "700" } })
    if (isStopped || await reply(runner) !== "ready") return "hangs"
  }
  const current = runner
  current.send({ files, mutant })
  const said = await reply(current)
  if (said === "hangs") {
    current.kill("SIGKILL")
    runner = undefined
  }
  return said
}

/** Tests that pass without a change: what fails without one would notice all. */
const sound = new Set()

/** @param {ReadonlyArray<string>} files */
const mustBeSound = async (files) => {
  const name = files.join(" ")
  if (sound.has(name)) return
  sound.add(name)
  const said = await run(files)
  if (said === "passed" || isStopped) return
  console.error(`Without a change: ${said}`)
  runner?.kill("SIGKILL")
  process.exit(1)
}

/** @param {Candidate} mutant */
const noticeOf = async ({ end, file, room, start, text }) => {
  for (const files of rooms[room](file)) {
    await mustBeSound(files)
    const said = await run(files, { file: `${root}${file}`, start, end, text })
    if (said !== "passed") return said
  }
  return "passed"
}

if (!(await install())) process.exit(1)

const all = Object.keys(rooms).filter((name) => room === "" || name === room).flatMap((name) => candidatesOf(name))
const random = randomFrom(seed)
const chosen = all.map((mutant) => ({ mutant, order: random() })).sort((one, other) => one.order - other.order)
  .slice(from, from + count).map(({ mutant }) => mutant)

console.log(`${chosen.length} of ${all.length} mutants, seed ${seed}`)
if (args.includes("--list")) {
  for (const mutant of chosen) console.log(describe(mutant))
  process.exit(0)
}

let noticed = 0
let same = 0
/** @type {Array<Candidate>} */
const survivors = []
for (const mutant of chosen) {
  if (isStopped) break
  const reason = reasonOf(mutant)
  if (reason !== undefined) {
    same++
    console.log(`equivalent  ${describe(mutant)}  (${reason})`)
    continue
  }
  const said = await noticeOf(mutant)
  if (isStopped) break
  if (said === "passed") survivors.push(mutant)
  else noticed++
  console.log(`${said === "passed" ? "SURVIVED" : "noticed "}    ${describe(mutant)}`)
  if (said !== "passed") console.log(`                by ${said}`)
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
