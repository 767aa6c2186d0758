// Whether the tests of the pool and of HTTP/1.1 notice when the code does something else:
//
//   npm run mutate -- [--seed 1] [--count 100] [--room pool] [--list]
//
// Each mutant is one change at one position, chosen by the seed from all that there are. Its tests run until one of them
// fails; what survives is printed. Mutants that cannot make a difference stand in `equivalentMutants.json`, each with the
// reason. It fails when fewer than 95 % of the others are noticed.
import { readdirSync, readFileSync } from "node:fs"
import { install } from "./install.mjs"
import { mutantsOf } from "./mutants.mjs"
import { root, runInstalled } from "./process.mjs"

const goal = 0.95

/** Longer than any of these takes, also on a machine that is busy: what hangs has been noticed. */
const minutes = 4

/** Of each room the tests that are to notice, the quick ones first: project, then files. */
const rooms = {
  pool: [
    ["engine", "test/pool"],
    [
      "core",
      ...[
        "closing",
        "conformance",
        "fairness",
        "faults",
        "operations",
        "ownTimeouts",
        "quanta",
        "unread",
        "MemoryNetwork"
      ].map((name) => `test/pool/${name}.test.ts`),
      "test/card.test.ts"
    ],
    ["core", "test/pool/deadline.test.ts", "test/pool/coalescing.test.ts"],
    ["core", "test/pool/interrupt.test.ts"]
  ],
  http1: [
    ["engine", "test/http1"],
    ["node", "test/client/framing.test.ts", "test/client/reuse.test.ts", "test/client/upload.test.ts"]
  ]
}

const args = process.argv.slice(2)

/** @param {string} name @param {string} otherwise */
const option = (name, otherwise) => args.find((_, i) => args[i - 1] === `--${name}`) ?? otherwise

const seed = Number(option("seed", `${Date.now() % 1_000_000}`))
const count = Number(option("count", "100"))
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

/** @param {keyof typeof rooms} room */
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

/** @param {Candidate} mutant */
const isNoticed = async ({ end, file, room, start, text }) => {
  const env = { ...process.env, MUTANT: JSON.stringify({ file: `${root}${file}`, start, end, text }), MODEL_SEED: "1" }
  for (const [project, ...files] of rooms[room]) {
    const { code } = await runInstalled(
      "vitest/vitest.mjs",
      // In threads: what hangs ends with its process.
      ["run", "--config", "vitest.mutate.config.ts", "--pool=threads", "--bail=1", "--project", project, ...files],
      { env, minutes, quiet: true }
    )
    if (code !== 0) return true
  }
  return false
}

if (!(await install())) process.exit(1)

const all = Object.keys(rooms).filter((name) => room === "" || name === room).flatMap((name) =>
  candidatesOf(/** @type {keyof typeof rooms} */ (name))
)
const random = randomFrom(seed)
const chosen = all.map((mutant) => ({ mutant, order: random() })).sort((one, other) => one.order - other.order)
  .slice(0, count).map(({ mutant }) => mutant)

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
  const reason = reasonOf(mutant)
  if (reason !== undefined) {
    same++
    console.log(`equivalent  ${describe(mutant)}  (${reason})`)
  } else if (await isNoticed(mutant)) {
    noticed++
    console.log(`noticed     ${describe(mutant)}`)
  } else {
    survivors.push(mutant)
    console.log(`SURVIVED    ${describe(mutant)}`)
  }
}

const judged = chosen.length - same
const ratio = judged === 0 ? 1 : noticed / judged
console.log(`\nSurvivors:`)
for (const mutant of survivors) console.log(`  ${describe(mutant)}\n    ${mutant.line}`)
console.log(
  `\n${noticed} of ${judged} noticed, ${(100 * ratio).toFixed(1)} %; ${same} equivalent with a reason; seed ${seed}`
)
process.exitCode = ratio < goal ? 1 : 0
