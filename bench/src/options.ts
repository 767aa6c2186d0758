import { parseArgs } from "node:util"

export interface Options {
  readonly suites: ReadonlyArray<string>
  readonly quick: boolean
  readonly rounds: number | undefined
  readonly json: string | undefined
  /** Another checkout, built, to compare this one with. */
  readonly against: string | undefined
  readonly help: boolean
}

export const usage = (names: ReadonlyArray<string>): string =>
  `npm run bench [-- suite… --quick --rounds N --json FILE --against FOLDER]

  suites         ${names.join(" ")}; all of them unless some are named
  --quick        shorter measurements, fewer rounds, and of those alone whom a goal is about; writes no charts
  --rounds N     how often each contender runs (5, or 3 with --quick)
  --json FILE    everything that was measured

  It exits with 1 when a goal is missed or something could not be measured.

  --against FOLDER  compares Sluice here with Sluice in another checkout that has been built (npm run build and
                 npx tsc -b bench), in pairs of processes, 15 unless --rounds says otherwise; exits with 1 when
                 something has become more than 5 % worse`

/** What the command line asks for, or what is wrong with it. */
export const parse = (args: ReadonlyArray<string>, names: ReadonlyArray<string>): Options | string => {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        rounds: { type: "string" },
        json: { type: "string" },
        against: { type: "string" },
        help: { type: "boolean", short: "h", default: false }
      }
    })
    const unknown = positionals.filter((name) => !names.includes(name))
    if (unknown.length > 0) return `There is no suite ${unknown.join(", ")}.`
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
    if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100)) {
      return `--rounds takes a number from 1 to 100, not ${values.rounds}.`
    }
    const { against, help, json, quick } = values
    return { suites: positionals, quick, rounds, json, against, help }
  } catch (error) {
    return (error as Error).message
  }
}
