import { type CaseResult, type Report, type SuiteResult, valuesOf } from "../Report.js"
import { median } from "../statistics.js"

const width = 860
const nameWidth = 210
const valueWidth = 120
const rowHeight = 22
const titleHeight = 40
const gap = 14

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

/** Colours for light and dark pages alike. */
const css = `
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 17px; font-weight: 600 }
.case { font-weight: 600 }
.quiet { fill: #57606a; font-size: 11px }
.bar { fill: #a3b1c2 }
.floor { fill: #d8dee6 }
.subject { fill: #1f6feb }
.subject-name { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .quiet { fill: #8b949e } .bar { fill: #4b5969 } .floor { fill: #2d3742 } .subject { fill: #388bfd }
}`

const text = (x: number, y: number, content: string, className = "", anchor = "start"): string =>
  `<text x="${x}" y="${y}" class="${className}" text-anchor="${anchor}">${escape(content)}</text>`

const rect = (x: number, y: number, wide: number, high: number, className: string): string =>
  `<rect x="${x}" y="${y}" width="${Math.max(1, wide).toFixed(1)}" height="${high}" rx="2" class="${className}"/>`

/** Horizontal bars for the first column of a case, and the quotient of the first contender and each. */
const chartCase = (result: CaseResult, top: number): { readonly svg: string; readonly height: number } => {
  const column = result.columns[0]
  const rows = result.contenders.filter(({ rounds }) => rounds.length > 0)
    .map((each) => ({
      name: each.name,
      value: median(valuesOf(each, column.metric)),
      cpu: median(valuesOf(each, "cpu"))
    }))
  const most = Math.max(...rows.map(({ value }) => value))
  const room = width - nameWidth - valueWidth - 2 * gap
  const lines = [text(gap, top + 16, result.title, "case")]
  rows.forEach(({ cpu, name, value }, index) => {
    const y = top + 26 + index * rowHeight
    const isSubject = index === 0
    const wide = (value / most) * room
    const shown = value.toLocaleString("en-US", { maximumFractionDigits: column.digits }) +
      (column.metric === "rate" && Number.isFinite(cpu) ? ` · ${cpu.toFixed(cpu < 100 ? 1 : 0)}` : "")
    lines.push(
      text(nameWidth, y + 13, name, isSubject ? "subject-name" : "", "end"),
      rect(nameWidth + gap, y, wide, rowHeight - 5, isSubject ? "subject" : name === "bare socket" ? "floor" : "bar"),
      text(nameWidth + gap + wide + 6, y + 13, shown, isSubject ? "subject-name" : "")
    )
  })
  return { svg: lines.join("\n"), height: 26 + rows.length * rowHeight + gap }
}

const aboutOf = (first: CaseResult | undefined): string => {
  const [main, second] = first?.columns ?? []
  const better = main?.better === "lower" ? "less is better" : "more is better"
  return main?.metric === "rate" && second?.metric === "cpu"
    ? `${better}; after the dot: ${second.title} of the client for each. The bare socket only counts bytes.`
    : better
}

/** A suite as a chart that stands by itself: what was measured, on which machine, when. */
export const chart = (suite: SuiteResult, { machine, versions }: Report): string => {
  const cases = suite.cases.filter(({ contenders }) => contenders.some(({ rounds }) => rounds.length > 0))
  let top = titleHeight + gap
  const parts: Array<string> = []
  for (const each of cases) {
    const { height, svg } = chartCase(each, top)
    parts.push(svg)
    top += height
  }
  const unit = cases[0]?.columns[0].title ?? ""
  const about =
    `${machine.date} · ${machine.cpu}, ${machine.cores} cores · node ${versions.node}, undici ${versions.undici}, ` +
    `effect ${versions.effect}, ${versions.server} · load average ${
      machine.load.map((load) => load.toFixed(1)).join(", ")
    }`
  const height = top + 2 * gap
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escape(suite.title)}</title>`,
    `<style>${css}</style>`,
    text(gap, 26, `${suite.title}: ${unit}`, "title"),
    text(gap, 44, aboutOf(cases[0]), "quiet"),
    ...parts,
    text(gap, height - gap, about, "quiet"),
    "</svg>",
    ""
  ].join("\n")
}
