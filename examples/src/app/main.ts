import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { StandIns } from "./Downstreams.js"
import { summary } from "./report.js"
import { underLoad } from "./underLoad.js"

const help = `A service that asks three others, under load

  node examples/dist/app/main.js            for 4 seconds
  node examples/dist/app/main.js SECONDS    for so long, 600 at most

The exit code is 0 when the figures agree.`

const main = Effect.gen(function*() {
  const [argument = "4"] = process.argv.slice(2)
  const seconds = Number(argument)
  if (!(seconds > 0 && seconds <= 600)) {
    yield* Console.log(help)
    if (argument !== "--help" && argument !== "-h") process.exitCode = 1
    return
  }
  const { addsUp, checks, tally } = yield* underLoad({ users: 40, duration: seconds * 1000, maxPages: 100_000 })
  yield* Console.log(`\n${summary(tally, checks)}`)
  yield* Console.log(addsUp ? "\nIt adds up." : "\nIt does not add up.")
  if (!addsUp) process.exitCode = 1
}).pipe(Effect.provide(StandIns.Live))

// Whoever reads our output may leave before its end (`| head`).
process.stdout.on("error", () => process.exit(0))

NodeRuntime.runMain(main)
