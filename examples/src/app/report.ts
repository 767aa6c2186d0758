import type { PoolStats } from "@sluice/core/PoolStats"
import type { Tally } from "./Load.js"

/** A figure that must agree with another one. */
export interface Check {
  readonly name: string
  readonly is: string
  readonly wanted: string
  readonly holds: boolean
}

const count = (n: number, width = 0) => n.toLocaleString("en-US").padStart(width)

/** One character for each connection that there may be: `#` in use, `+` being made or closed, `-` idle, `.` none. */
const bar = ({ active, closing, dialing, idle, permitsFree }: PoolStats): string =>
  "#".repeat(active) + "+".repeat(dialing + closing) + "-".repeat(idle) + ".".repeat(permitsFree)

export const columns = (connections: number): string =>
  ` time   pages  pages/s  ${"pool".padEnd(connections)}  in use  idle  waiting`

/** The pool and what went through it, as one line. */
export const line = (seconds: number, pages: number, perSecond: number, pool: PoolStats): string =>
  `${seconds.toFixed(1).padStart(4)}s ${count(pages, 7)}  ${count(perSecond, 7)}  ${bar(pool)}  ` +
  `${count(pool.active, 6)}  ${count(pool.idle, 4)}  ${count(pool.waiting, 7)}`

export const summary = (tally: Tally, checks: ReadonlyArray<Check>): string => {
  const width = Math.max(...checks.map(({ name }) => name.length))
  return [
    `${count(tally.asked)} pages: ${count(tally.served)} served ` +
    `(${count(tally.withoutPrice)} without a price, ${count(tally.withoutReviews)} without reviews), ` +
    `${count(tally.failed)} failed`,
    "",
    ...checks.map(({ holds, is, name, wanted }) =>
      `${holds ? "ok   " : "WRONG"}  ${name.padEnd(width)}  ${is} ${wanted}`
    )
  ].join("\n")
}

/** A page for a browser that asks for itself again every second. */
export const poolPage = (pool: PoolStats): string => {
  const row = (name: string, counts: Omit<PoolStats, "maxConnections" | "permitsFree" | "leases" | "origins">) =>
    `<tr><td>${name}</td>` +
    [counts.open, counts.active, counts.idle, counts.dialing, counts.closing, counts.waiting]
      .map((n) => `<td>${n}</td>`).join("") +
    "</tr>"
  return `<!doctype html>
<meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>pool</title>
<style>body { font: 14px monospace; margin: 2em } td, th { padding: .2em 1em; text-align: right }
td:first-child { text-align: left }</style>
<p>${pool.open} of ${pool.maxConnections} connections, ${pool.permitsFree} permits free, ${pool.leases} requests hold one
<p>${bar(pool)}
<table><tr><th></th><th>open</th><th>active</th><th>idle</th><th>dialing</th><th>closing</th><th>waiting</th></tr>
${row("all", pool)}
${[...pool.origins].map(([origin, counts]) => row(origin, counts)).join("\n")}
</table>
`
}
