import { check, checkGiven, InvalidOptions } from "@sluice/core/InvalidOptions"
import type { Resolver } from "@sluice/core/Resolver"
import {
  layTls,
  type OriginOptions as EngineOriginOptions,
  type OriginSettings,
  type OriginsOption,
  readSettings,
  type SettingsByOrigin,
  settingsByOrigin
} from "@sluice/engine/node"
import * as optionTable from "@sluice/engine/options"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Runtime from "effect/Runtime"

type Problems = InvalidOptions["problems"]

/** Options as `NodeConnector` documents them: a resolver is an Effect, durations are not read yet. */
interface OriginOptions extends Omit<EngineOriginOptions, keyof Values | "resolve"> {
  readonly resolve?: Exclude<EngineOriginOptions["resolve"], (...args: never) => unknown> | Resolver
  readonly keepAliveDelay?: unknown
  readonly keepAliveInterval?: unknown
  readonly limits?: unknown
  readonly timeouts?: unknown
}

interface Options extends OriginOptions {
  readonly origins?: Readonly<Record<string, OriginOptions>> | ((url: URL) => OriginOptions | undefined) | undefined
}

/** What connections are made with: for most origins, and for those that have options of their own. */
export interface NetworkSettings {
  readonly common: OriginSettings
  readonly byOrigin: SettingsByOrigin | undefined
}

/** In milliseconds. */
interface KeepAlive {
  readonly keepAliveDelay?: number | undefined
  readonly keepAliveInterval?: number | undefined
}

/** The settings, and the values of the table; or one error with all that is wrong by the table and besides. */
export const together = <A extends KeepAlive>(
  checked: Either.Either<A, InvalidOptions>,
  options: Options,
  runtime: Runtime.Runtime<never>
): Either.Either<{ readonly settings: NetworkSettings; readonly values: A }, InvalidOptions> => {
  const wrong = problemsOf(checked)
  // It is none at all.
  if (wrong.some(({ option }) => option === "options")) return Either.left(new InvalidOptions({ problems: wrong }))
  const values: KeepAlive = Either.isRight(checked) ? checked.right : {}
  const settings = read(withoutWrong(options, wrong), values, runtime)
  const problems = [...wrong, ...(isProblems(settings) ? settings : [])]
  return Either.isLeft(checked) || isProblems(settings)
    ? Either.left(new InvalidOptions({ problems }))
    : Either.right({ settings, values: checked.right })
}

/** Reads options that the table has found right; or all that is wrong with them all the same. */
const read = (
  options: Options,
  { keepAliveDelay, keepAliveInterval }: KeepAlive,
  runtime: Runtime.Runtime<never>
): NetworkSettings | Problems => {
  const common = readSettings(
    withoutEffects(options, { keepAliveDelay, keepAliveInterval }, runtime),
    process.env,
    undefined
  )
  // What is wrong with origins is said as well.
  const base = isProblems(common) ? unspecified() : common
  const byOrigin = options.origins === undefined ? undefined : readOrigins(options.origins, base, runtime)
  const problems = [common, byOrigin].flatMap((each) => isProblems(each) ? each : [])
  return problems.length > 0
    ? problems
    : { common: common as OriginSettings, byOrigin: byOrigin as SettingsByOrigin | undefined }
}

const unspecified = () => readSettings({ proxy: "none" }, {}, undefined) as OriginSettings

const isProblems = (read: unknown): read is Problems => Array.isArray(read)

const problemsOf = (checked: Either.Either<unknown, InvalidOptions>): Problems =>
  Either.isLeft(checked) ? checked.left.problems : []

const readOrigins = (
  origins: NonNullable<Options["origins"]>,
  base: OriginSettings,
  runtime: Runtime.Runtime<never>
): SettingsByOrigin | Problems => {
  const readOne = (given: EngineOriginOptions, path: string): OriginSettings | Problems => {
    const options = given as OriginOptions
    const checked = checkGiven(optionTable.origin, options, path)
    const wrong = problemsOf(checked)
    if (wrong.some(({ option }) => option === path)) return wrong
    const right = withoutWrong(options, wrong, path)
    // What it is laid over counts as well.
    const laid = right.tls === undefined
      ? []
      : problemsOf(check(optionTable.tls, layTls(base.tls, right.tls), `${path}.tls`))
    const values = Either.getOrElse(checked, () => ({}))
    const settings = laid.length > 0
      ? []
      : readSettings(withoutEffects(right, values, runtime), process.env, base, path)
    return isProblems(settings) || wrong.length + laid.length > 0
      ? [...wrong, ...laid, ...(isProblems(settings) ? settings : [])]
      : settings
  }
  return settingsByOrigin(origins as OriginsOption, readOne)
}

/** The options that nothing was found wrong with. */
const withoutWrong = <O extends object>(options: O, problems: Problems, path = ""): O => {
  const start = path === "" ? 0 : path.length + 1
  const names = new Set(problems.map(({ option }) => option.slice(start).split(/[.[(]/, 1)[0]))
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.has(name))) as O
}

type Values = Partial<Pick<EngineOriginOptions, "keepAliveDelay" | "keepAliveInterval" | "limits" | "timeouts">>

/** A resolver of the caller's is an Effect; connections are made without. Durations are in milliseconds. */
const withoutEffects = (
  { keepAliveDelay: _, keepAliveInterval: _1, resolve, ...options }: OriginOptions,
  { keepAliveDelay, keepAliveInterval, limits, timeouts }: Values,
  runtime: Runtime.Runtime<never>
): EngineOriginOptions => {
  const given = { ...options, keepAliveDelay, keepAliveInterval, limits, timeouts } as EngineOriginOptions
  if (typeof resolve !== "function") return { ...given, resolve }
  const run = Runtime.runPromise(runtime)
  return { ...given, resolve: (host, port) => run(Effect.suspend(() => resolve(host, port))) }
}
