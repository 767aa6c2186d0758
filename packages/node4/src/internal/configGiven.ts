import type { InvalidOptions } from "@sluice/core4/InvalidOptions"
import { join, show } from "@sluice/engine/options"
import * as Config from "effect/Config"

/** What is wrong with what is to be read: `Config.unwrap` trips over a value that stands where a Config belongs. */
export const problemsOf = (given: unknown, path = ""): InvalidOptions["problems"] => {
  if (Config.isConfig(given)) return []
  if (typeof given === "object" && given !== null && !Array.isArray(given)) {
    return Object.entries(given).flatMap(([name, below]) => problemsOf(below, join(path, name)))
  }
  return [{
    _tag: "InvalidValue",
    option: path === "" ? "options" : path,
    received: show(given, typeof given === "string"),
    expected: path === "" ? "a Config, or an object of them" : "a Config: Config.succeed makes one of a value"
  }]
}

/** `Config.unwrap` takes no empty objects, on any level. */
export const read = (given: object): Config.Config<unknown> => {
  if (Config.isConfig(given)) return given
  const filled = Object.entries(given).filter(([, below]) => Config.isConfig(below) || Object.keys(below).length > 0)
  return Config.map(
    Config.all(filled.map(([name, below]) => Config.map(read(below), (value) => [name, value] as const))),
    (values) => Object.fromEntries(values)
  )
}
