import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Incident } from "./incidents.js"
import type { Counter, Figure, Outcome } from "./Outcome.js"
import { Progress } from "./Progress.js"
import type { Terminal } from "./Terminal.js"

const indent = "    "

/** Runs the incidents one after the other and shows each. False when a figure is wrong. */
export const replay = (incidents: ReadonlyArray<Incident>, terminal: Terminal): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const results = yield* Effect.forEach(incidents, (incident) => replayOne(incident, terminal))
    const failed = incidents.filter((_, index) => !results[index])
    yield* terminal.line()
    yield* terminal.line(
      failed.length === 0
        ? terminal.good(`All figures of ${incidents.length} incidents are as they must be.`)
        : terminal.bad(`Wrong: ${failed.map(({ name }) => name).join(", ")}`)
    )
    return failed.length === 0
  })

const replayOne = ({ name, run, title }: Incident, terminal: Terminal): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    yield* terminal.line()
    yield* terminal.line(terminal.bold(`${name}: ${title}`))
    yield* terminal.status(`${indent}running`, true)
    const [duration, exit] = yield* run.pipe(
      Effect.provideService(Progress, { report: (text) => terminal.status(`${indent}running: ${text}`) }),
      Effect.exit,
      Effect.timed
    )
    yield* terminal.clearStatus
    if (Exit.isFailure(exit)) {
      if (Cause.isInterrupted(exit.cause)) return yield* Effect.interrupt
      yield* terminal.line(terminal.bad(`${indent}it did not get to its end`))
      yield* terminal.line(Cause.pretty(exit.cause))
      return false
    }
    yield* show(exit.value, terminal)
    yield* terminal.line(terminal.dim("  time"))
    yield* terminal.line(`${indent}${(Duration.toMillis(duration) / 1000).toFixed(1)} seconds`)
    return exit.value.figures.every((figure) => figure.holds)
  })

const show = (outcome: Outcome, terminal: Terminal): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (const [title, text] of [["elsewhere", outcome.elsewhere], ["here", outcome.here]] as const) {
      yield* terminal.line(terminal.dim(`  ${title}`))
      yield* terminal.line(terminal.paragraph(text, indent))
    }
    for (const { text, title } of outcome.exhibits ?? []) {
      yield* terminal.line(terminal.dim(`  ${title}`))
      yield* terminal.line(text.replace(/^/gm, indent))
    }
    for (const by of ["server", "pool", "caller"] as const) {
      const figures = outcome.figures.filter((figure) => figure.by === by)
      if (figures.length === 0) continue
      yield* terminal.line(terminal.dim(`  ${titles[by]}`))
      for (const figure of figures) yield* terminal.line(indent + row(figure, outcome.figures, terminal))
    }
  })

const titles: Record<Counter, string> = {
  server: "as the server counted",
  pool: "as the pool counted",
  caller: "as those who called saw it"
}

const row = (figure: Figure, all: ReadonlyArray<Figure>, terminal: Terminal): string => {
  const name = figure.name.padEnd(Math.max(...all.map(({ name }) => name.length)))
  const value = figure.value.padStart(Math.max(...all.map(({ value }) => value.length)))
  const verdict = figure.holds ? terminal.good("ok") : terminal.bad("WRONG")
  const rule = figure.wanted === figure.value ? "" : terminal.dim(`, must be ${figure.wanted}`)
  return `${name}  ${value}  ${verdict}${rule}`
}
