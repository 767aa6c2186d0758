import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { replay } from "./demo/replay.js"
import * as Terminal from "./demo/Terminal.js"

const help = `Sluice's demo

  npm run demo               replays incidents of other clients on real sockets, against a server of its own
  npm run demo -- --help     shows this

The exit code is 0 when all is as it must be, 1 when a figure is wrong. What would be done for a URL, and how long a
request to it takes, is shown by npm run doctor -- URL ...`

const terminal = Terminal.make(process)

const main = (args: ReadonlyArray<string>): Effect.Effect<boolean> => {
  if (args.includes("--help") || args.includes("-h")) return Effect.as(terminal.line(help), true)
  const option = args.find((arg) => arg.startsWith("-"))
  if (option !== undefined) {
    return Effect.as(terminal.error(`${option} is not an option of the demo; see npm run demo -- --help`), false)
  }
  if (args.length > 0) return Effect.as(terminal.error("URLs are for npm run doctor -- --send URL ..."), false)
  // They bring servers along, which the rest of the demo can do without.
  return Effect.flatMap(Effect.promise(() => import("./demo/incidents.js")), (_) => replay(_.incidents, terminal))
}

// Whoever reads our output may leave before its end (`| head`).
process.stdout.on("error", () => process.exit(0))

NodeRuntime.runMain(
  main(process.argv.slice(2)).pipe(
    Effect.onInterrupt(() => terminal.error("Interrupted."))
  ),
  {
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      if (Exit.isFailure(exit)) {
        if (Cause.isInterruptedOnly(exit.cause)) return onExit(130)
        process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
      }
      // Nothing is left that would keep the process: it ends by itself.
      process.exitCode = Exit.isSuccess(exit) && exit.value === true ? 0 : 1
      onExit(0)
    }
  }
)
