import { check, describeAll, type Group } from "@sluice/engine/options"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

const toMillis = (given: unknown): number | undefined => {
  if (given === "Infinity") return Infinity
  if (typeof given === "number" && !(given >= 0)) return undefined
  return Option.getOrUndefined(Option.map(Duration.decodeUnknown(given), Duration.toMillis))
}

/**
 * Options as they were given, if they are right. One that is misspelled would have no effect, and the test would go on
 * without what it is about: it throws, and says what would be right.
 */
export const checked = <O>(of: string, group: Group, options: O): O => {
  const result = check(group, options, { toMillis, path: of })
  if (result._tag === "Invalid") throw new TypeError(describeAll(result.problems))
  return options
}
