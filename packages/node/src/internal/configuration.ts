import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"

/** Leaves an option open when its name is not set. */
const optional = <A>(config: Config.Config<A>): Config.Config<A | undefined> => Config.withDefault(config, undefined)

/** A number, or `Infinity`. */
export const number = (name: string): Config.Config<number | undefined> => optional(Config.number(name))

/** `true` or `false`. */
export const boolean = (name: string): Config.Config<boolean | undefined> => optional(Config.boolean(name))

type Http2Mode = boolean | "prior-knowledge"

/** `true`, `false` or `prior-knowledge`. */
export const http2 = (name: string): Config.Config<Http2Mode | undefined> =>
  optional(Config.mapOrFail(Config.string(name), (text): Either.Either<Http2Mode, ConfigError.ConfigError> => {
    switch (text) {
      case "true":
        return Either.right(true)
      case "false":
        return Either.right(false)
      case "prior-knowledge":
        return Either.right("prior-knowledge")
      default:
        return Either.left(
          ConfigError.InvalidData([name], `Expected true, false or prior-knowledge, got ${JSON.stringify(text)}`)
        )
    }
  }))

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
