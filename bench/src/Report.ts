import { median } from "./statistics.js"
import type { Case, Goal, Measurement } from "./Suite.js"

export interface ContenderResult {
  readonly name: string
  /** One for each round. */
  readonly rounds: ReadonlyArray<Measurement>
  /** Why it could not be measured. */
  readonly error?: string | undefined
}

export interface GoalResult {
  readonly text: string
  readonly value: number
  readonly reached: boolean
}

export interface CaseResult {
  readonly title: string
  readonly columns: Case["columns"]
  readonly contenders: ReadonlyArray<ContenderResult>
  readonly goals: ReadonlyArray<GoalResult>
}

export interface SuiteResult {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly skipped?: string | undefined
  readonly cases: ReadonlyArray<CaseResult>
  /** What a suite that is a program of its own has printed. */
  readonly output?: string | undefined
  /** Whether that program failed. */
  readonly failed?: boolean | undefined
}

export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memory: string
  readonly system: string
  /** Over the last minute, before and after. Other programs running at the same time show here. */
  readonly load: ReadonlyArray<number>
}

export interface Report {
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  readonly quick: boolean
  readonly rounds: number
  readonly suites: ReadonlyArray<SuiteResult>
}

/** The values of a metric, one for each round. */
export const valuesOf = ({ rounds }: ContenderResult, metric: string): ReadonlyArray<number> =>
  rounds.map((round) => round[metric])

/**
 * One contender's value divided by another's: the median of the quotients of each round. The two ran right after one
 * another, so what disturbed the machine in a round disturbed both.
 */
export const quotient = (of: ContenderResult, against: ContenderResult, metric: string): number =>
  median(valuesOf(of, metric).map((value, round) => value / against.rounds[round][metric]).filter(Number.isFinite))

export const settle = (single: Case, contenders: ReadonlyArray<ContenderResult>): CaseResult => {
  const named = (name: string) => contenders.find((each) => each.name === name && each.rounds.length > 0)
  const goals: Array<GoalResult> = []
  for (const goal of single.goals) {
    const of = named(goal.of)
    const against = named(goal.against)
    if (of === undefined || against === undefined) continue
    const value = quotient(of, against, goal.metric)
    const reached = goal.bound === "atLeast" ? value >= goal.value : value <= goal.value
    goals.push({ text: textOf(goal, titleOf(single, goal.metric)), value, reached })
  }
  for (const limit of single.limits ?? []) {
    const of = named(limit.of)
    if (of === undefined) continue
    const value = median(valuesOf(of, limit.metric))
    const text = `${titleOf(single, limit.metric)}: at most ${limit.atMost}`
    goals.push({ text, value, reached: value <= limit.atMost })
  }
  return { title: single.title, columns: single.columns, contenders, goals }
}

/** What has not been reached, or could not be measured, with where that was. */
export const missed = (suites: ReadonlyArray<SuiteResult>): ReadonlyArray<string> =>
  suites.flatMap(({ cases, failed = false, name }) => [
    ...(failed ? [`${name}: the program failed`] : []),
    ...cases.flatMap(({ contenders, goals, title }) => [
      ...goals.filter(({ reached }) => !reached).map(({ text }) => `${name}, ${title}: ${text}`),
      ...contenders.filter(({ error }) => error !== undefined).map((each) =>
        `${name}, ${title}: ${each.name} could not be measured`
      )
    ])
  ])

const titleOf = (single: Case, metric: string): string =>
  single.columns.find((column) => column.metric === metric)?.title ?? metric

const textOf = ({ against, bound, of, value }: Goal, title: string): string =>
  `${title}, ${of} ÷ ${against}: ${bound === "atLeast" ? "at least" : "at most"} ${value}`
