import * as fc from "fast-check"
import { afterEach, beforeEach, inject } from "vitest"

// Runs before each test file: says which mutant is in effect, which tests are of any use, and counts who reaches what.

interface Task {
  /** None while the reaching is counted. */
  readonly active?: number | undefined
  /** How often its place may be reached: who comes by more often hangs. */
  readonly limit: number
  readonly tests?: ReadonlyArray<string> | undefined
  readonly modelRuns: number
}

interface Mutants {
  task: Task
  hits: number
  /** How often each has been reached, by its number. */
  reached: Array<number>
  isActive: (id: number) => boolean
}

declare module "vitest" {
  interface ProvidedContext {
    readonly mutation: Task
  }
  interface TaskMeta {
    reached?: ReadonlyArray<readonly [number, number]>
    /** What is decided before the first test. */
    atLoad?: ReadonlyArray<number>
  }
}

const task = inject("mutation")
const shared = globalThis as { __mutants?: Mutants }

/** Modules that are loaded keep the function, whatever is in effect. */
const mutants: Mutants = shared.__mutants ??= {
  task,
  hits: 0,
  reached: [],
  isActive: (id) => {
    const { active, limit } = mutants.task
    if (active === undefined) mutants.reached[id] = (mutants.reached[id] ?? 0) + 1
    if (id !== active) return false
    if (++mutants.hits > limit) throw new Error("The mutant hangs")
    return true
  }
}

mutants.task = task
mutants.hits = 0
mutants.reached = []

process.env.MODEL_SEED = "1"
process.env.MODEL_RUNS = String(task.modelRuns)
// That a run fails is enough.
fc.configureGlobal({ endOnFailure: true })

let atLoad: ReadonlyArray<number> | undefined

beforeEach((context) => {
  atLoad ??= reached().map(([id]) => id)
  mutants.reached = []
  if (task.tests?.includes(nameOf(context.task)) === false) context.skip()
})

afterEach((context) => {
  if (task.active !== undefined) return
  context.task.meta.atLoad = atLoad ?? []
  context.task.meta.reached = reached()
})

const reached = () => mutants.reached.flatMap((times, id) => [[id, times] as const])

interface Named {
  readonly name: string
  readonly suite?: Named | undefined
}

const nameOf = (task: Named): string => task.suite === undefined ? task.name : `${nameOf(task.suite)} > ${task.name}`
