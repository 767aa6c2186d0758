import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"

/** Leaves an option open when its name is not set. */
const optional = <A>(config: Config.Config<A>): Config.Config<A | undefined> => Config.withDefault(config, undefined)

/** A number, or `Infinity`. */
export const number = (name: string): Config.Config<number | undefined> => optional(Config.number(name))

/** `5 seconds`, `250 millis`, or `Infinity`. */
export const duration = (name: string): Config.Config<Duration.Duration | undefined> =>
  optional(Config.mapOrFail(Config.string(name), (text) => {
    if (text === "Infinity") return Either.right(Duration.infinity)
    const decoded = Duration.decodeUnknown(text)
    return decoded._tag === "Some"
      ? Either.right(decoded.value)
      : Either.left(
        ConfigError.InvalidData(
          [name],
          `Expected a duration as in "5 seconds", or "Infinity", got ${JSON.stringify(text)}`
        )
      )
  }))
