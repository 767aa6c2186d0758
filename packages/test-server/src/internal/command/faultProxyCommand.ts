import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import { make } from "../faultProxy/faultProxy.js"
import { type Action, type Plan, random } from "../faultProxy/plan.js"
import {
  addressOf,
  type Command,
  hostOf,
  type Listening,
  listening,
  number,
  portOf,
  read,
  version
} from "./arguments.js"
import { CommandError } from "./CommandError.js"
import { listenedOn } from "./listenedOn.js"
import * as planFile from "./planFile.js"

const usage = `A network with faults, below HTTP: it carries bytes between clients and any server.

Usage: sluice-test-server fault-proxy --to <host:port> [options]

  --to <host:port>    the server behind it
  -p, --port <number> the port to listen on, 0 for any free one (default 8081)
  --host <address>    the address to listen on (default 127.0.0.1)
  --delay <millis>    each connection begins so much later
  --bandwidth <bytes> so many bytes a second, in each direction
  --end-after, --reset-after, --blackhole-after <bytes>
                      after so many bytes of the server each connection is closed, is reset, or swallows the rest
  --drip <millis>     bytes of the server come one by one, so far apart
  --plan <file>       what happens to connections, as JSON (see below)
  --seed <number>     one fault at random for each connection; the same seed has the same faults again
  --quiet             no line for each connection
  -h, --help          this text
  --version           the version

A plan is an object, or a list of them for one connection after the other, the last one from then on:

  [
    { "down": { "faults": [{ "afterBytes": 1000, "action": "reset" }] } },
    { "delay": 500, "up": { "bytesPerSecond": 10000 } },
    { "instead": "silence" },
    { "down": { "pieceSize": 1, "delayBetweenPieces": 20 } }
  ]

  up is from the client to the server, down from the server to the client. Actions: "end", "reset", "blackhole",
  { "delay": 100 }, { "insert": "text" }, { "duplicate": 10 }, { "drop": 10 }. Times are milliseconds.`

interface Given extends Listening {
  readonly to?: string | undefined
  readonly delay?: string | undefined
  readonly bandwidth?: string | undefined
  readonly "end-after"?: string | undefined
  readonly "reset-after"?: string | undefined
  readonly "blackhole-after"?: string | undefined
  readonly drip?: string | undefined
  readonly plan?: string | undefined
  readonly seed?: string | undefined
  readonly quiet: boolean
}

const parse = (args: ReadonlyArray<string>): Effect.Effect<Given, CommandError> =>
  read(() =>
    parseArgs({
      args: [...args],
      options: {
        ...listening,
        to: { type: "string" },
        delay: { type: "string" },
        bandwidth: { type: "string" },
        "end-after": { type: "string" },
        "reset-after": { type: "string" },
        "blackhole-after": { type: "string" },
        drip: { type: "string" },
        plan: { type: "string" },
        seed: { type: "string" },
        quiet: { type: "boolean", default: false }
      }
    }).values
  )

/** Runs a fault proxy until it is interrupted. */
export const runFaultProxy: Command = (args, out) =>
  Effect.gen(function*() {
    const given = yield* parse(args)
    if (given.help) return out(usage)
    if (given.version) return out(yield* version)
    const port = yield* portOf(given.port ?? "8081")
    if (given.to === undefined) return yield* new CommandError("--to says which server is behind it, as host:port", 2)
    const to = yield* addressOf("to", given.to)
    const plan = yield* planOf(given)
    const made = yield* listenedOn(make({
      to,
      host: yield* hostOf(given.host),
      port,
      plan: (connection) => {
        const own = plan(connection)
        if (!given.quiet) out(`connection ${connection}: ${planFile.describe(own)}`)
        return own
      }
    }))
    out(`${made.address} (leads to ${given.to})`)
    return yield* Effect.never
  }).pipe(Effect.scoped)

/** The plan of each connection, by its number. */
const planOf = (given: Given): Effect.Effect<(connection: number) => Plan, CommandError> =>
  Effect.gen(function*() {
    const own = yield* ownPlan(given)
    const ways = [own, given.plan, given.seed].filter((way) => way !== undefined)
    if (ways.length > 1) return yield* new CommandError("--plan, --seed and the single faults exclude each other", 2)
    if (given.seed !== undefined) {
      const seed = yield* number("seed", "a whole number", given.seed)
      return (connection: number) => random(seed + connection)
    }
    if (given.plan === undefined) return () => own ?? {}
    const plans = yield* Effect.mapError(planFile.read(given.plan), (reason) => new CommandError(reason, 2))
    return (connection: number) => plans[Math.min(connection, plans.length - 1)]
  })

/** What the options for single faults say; undefined when there are none. */
const ownPlan = (given: Given): Effect.Effect<Plan | undefined, CommandError> =>
  Effect.gen(function*() {
    const value = (option: "delay" | "bandwidth" | "drip" | `${(typeof endings)[number]}-after`, expected: string) => {
      const text = given[option]
      return text === undefined ? Effect.succeed(undefined) : number(option, expected, text)
    }
    const delay = yield* value("delay", "a number of milliseconds")
    const bytesPerSecond = yield* value("bandwidth", "a number of bytes")
    const drip = yield* value("drip", "a number of milliseconds")
    const faults: Array<{ readonly afterBytes: number; readonly action: Action }> = []
    for (const action of endings) {
      const afterBytes = yield* value(`${action}-after`, "a number of bytes")
      if (afterBytes !== undefined) faults.push({ afterBytes, action })
    }
    if (bytesPerSecond === 0) return yield* new CommandError("--bandwidth takes a number of bytes above 0", 2)
    if (delay === undefined && bytesPerSecond === undefined && drip === undefined && faults.length === 0) {
      return undefined
    }
    return {
      delay,
      up: { bytesPerSecond },
      down: {
        bytesPerSecond,
        faults: faults.sort((a, b) => a.afterBytes - b.afterBytes),
        ...(drip === undefined ? {} : { pieceSize: 1, delayBetweenPieces: drip })
      }
    }
  })

const endings = ["end", "reset", "blackhole"] as const
