import { type CaseResult, type ContenderResult, quotient, type Report, type SuiteResult, valuesOf } from "../Report.js"
import { median, spread } from "../statistics.js"

/** As on a terminal; without, for files and pipes. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
}

const escape = (code: number) => (text: string) => `\x1b[${code}m${text}\x1b[0m`
const none = (text: string) => text

export const style = (colors: boolean): Style =>
  colors
    ? { bold: escape(1), dim: escape(2), good: escape(32), bad: escape(31) }
    : { bold: none, dim: none, good: none, bad: none }

const number = (value: number, digits: number): string =>
  !Number.isFinite(value)
    ? "-"
    : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })

const times = (value: number): string => Number.isFinite(value) ? `${value.toFixed(2)}×` : "-"

/** The first column is for the eye: how it compares to the first contender. */
const rowOf = (result: CaseResult, contender: ContenderResult): ReadonlyArray<string> => {
  const first = result.contenders[0]
  const [main, second] = result.columns
  const compare = (metric: string) =>
    contender === first || first.rounds.length === 0 ? "" : times(quotient(first, contender, metric))
  return [
    contender.name,
    ...result.columns.flatMap((column, index) => {
      const values = valuesOf(contender, column.metric)
      const shown = number(median(values), column.digits)
      return index === 0 ? [shown, values.length > 1 ? `±${(spread(values) * 100).toFixed(0)}%` : ""] : [shown]
    }),
    compare(main.metric),
    second === undefined ? "" : compare(second.metric)
  ]
}

const headOf = (result: CaseResult): ReadonlyArray<string> => {
  const name = result.contenders[0].name
  const [main, second] = result.columns
  return [
    "",
    ...result.columns.flatMap(({ title }, index) => index === 0 ? [title, ""] : [title]),
    `${name} ÷ it: ${main.title}`,
    second === undefined ? "" : second.title
  ]
}

export const renderCase = (result: CaseResult, { bad, bold, dim, good }: Style): string => {
  const measured = result.contenders.filter(({ rounds }) => rounds.length > 0)
  const rows = measured.length === 0 ? [] : [headOf(result), ...measured.map((each) => rowOf(result, each))]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const lines = rows.map((row, index) => {
    const cells = row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))
    const line = `  ${cells.join("  ")}`.trimEnd()
    return index === 0 ? dim(line) : index === 1 ? bold(line) : line
  })
  const failed = result.contenders.filter(({ error }) => error !== undefined)
    .map(({ error, name }) => `  ${dim(`${name}: ${error}`)}`)
  const goals = result.goals.map(({ reached, text, value }) => {
    const shown = value >= 100 ? number(value, 0) : value.toFixed(2)
    return `  ${reached ? good("✓") : bad("✗")} ${text}; it is ${shown}`
  })
  return ["", bold(result.title), ...lines, ...failed, ...goals].join("\n")
}

export const renderSuite = (suite: SuiteResult, { bold, dim }: Style): string =>
  `\n${bold(`${suite.name}: ${suite.title}`)}\n${dim(suite.about)}` +
  (suite.skipped === undefined ? "" : `\n  skipped: ${suite.skipped}`)

export const renderMachine = ({ machine, versions }: Report): string =>
  [
    `${machine.date} · ${machine.cpu}, ${machine.cores} cores, ${machine.memory} · ${machine.system}`,
    Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", "),
    `Load average before and after: ${machine.load.map((value) => value.toFixed(1)).join(" and ")}`
  ].join("\n")
