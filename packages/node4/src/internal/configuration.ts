import { parse } from "@sluice/core4/InvalidOptions"
import * as table from "@sluice/engine/options"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"

/** The prefix of each `Config` that was made here, for the warning. */
const prefixes = new WeakMap<object, string>()

/** All options that have a variable. What is not set is left out. */
export const make = (prefix: string): Config.Config<Readonly<Record<string, unknown>>> => {
  const config = groupOf(table.layer, prefix)
  prefixes.set(config, prefix)
  return config
}

const groupOf = (group: table.Group, prefix: string): Config.Config<Readonly<Record<string, unknown>>> =>
  Config.map(
    Config.all(
      Object.entries(group.fields).map(([name, field]) =>
        Config.map(fieldOf(field, prefix), (value) => [name, value] as const)
      )
    ),
    (values) => Object.fromEntries(values.filter(([, value]) => value !== undefined))
  )

const fieldOf = (field: table.Option<unknown> | table.Group, prefix: string): Config.Config<unknown> => {
  if (field._tag === "Option") return variable(field, prefix)
  const fields = Config.map(groupOf(field, prefix), (values) => Object.keys(values).length === 0 ? undefined : values)
  return field.shorthand === undefined
    ? fields
    : Config.map(Config.all([variable(field.shorthand, prefix), fields]), ([mode, given]) => switched(mode, given))
}

/** `http2` is off, on, or on with options. */
const switched = (mode: unknown, given: Readonly<Record<string, unknown>> | undefined): unknown =>
  mode === false || given === undefined ? mode : { ...given, priorKnowledge: mode === "prior-knowledge" }

const variable = <A>(option: table.Option<A>, prefix: string): Config.Config<A | undefined> => {
  if (option.variable === undefined) return Config.succeed(undefined)
  const name = `${prefix}_${option.variable}`
  return Config.String(name).pipe(
    Config.mapEffect((text) =>
      Effect.mapError(
        Effect.fromResult(parse(option, text)),
        (message) => new Config.ConfigError(new ConfigProvider.SourceError({ message: `${name}: ${message}` }))
      )
    ),
    Config.withDefault(undefined)
  )
}

const warned = new Set<string>()

/**
 * Warns of variables that are none of ours and are written almost like one, each once. Their values are not shown: they may
 * be somebody else's, and secret.
 */
export const warnOfMisspelt = (config: object): Effect.Effect<void> => {
  const prefix = prefixes.get(config)
  if (prefix === undefined) return Effect.void
  return Effect.flatMap(
    ConfigProvider.ConfigProvider,
    (provider) =>
      Effect.flatMap(namesWith(`${prefix}_`, provider), (names) => {
        const found = table.misspelt(names, table.variables(table.layer, prefix)).filter(({ name }) =>
          !warned.has(name)
        )
        for (const { name } of found) warned.add(name)
        return Effect.forEach(
          found,
          ({ meant, name }) => Effect.logWarning(`${name} is set, which is not an option: did you mean ${meant}?`),
          { discard: true }
        )
      })
  )
}

/** The names that are set. A provider has them as a tree, whose branches the environment joins with `_`. */
const namesWith = (
  prefix: string,
  provider: ConfigProvider.ConfigProvider,
  path: ReadonlyArray<string> = []
): Effect.Effect<ReadonlyArray<string>> => {
  const name = path.join("_")
  if (!`${name}_`.startsWith(prefix) && !prefix.startsWith(path.length === 0 ? "" : `${name}_`)) {
    return Effect.succeed([])
  }
  return provider.load(path).pipe(
    Effect.flatMap((node) => {
      const children = node === undefined || node._tag === "Value"
        ? []
        : node._tag === "Record"
        ? [...node.keys]
        : Array.from({ length: node.length }, (_, i) => String(i))
      const own = node?.value !== undefined && name.startsWith(prefix) ? [name] : []
      return Effect.map(
        Effect.forEach(children, (child) => namesWith(prefix, provider, [...path, child])),
        (names) => [...own, ...names.flat()]
      )
    }),
    // A provider that cannot list its names has no wrong ones.
    Effect.orElseSucceed((): ReadonlyArray<string> => [])
  )
}
