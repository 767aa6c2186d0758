import * as Duration from "effect/Duration"

/**
 * A duration in milliseconds; undefined for what is none, or negative: Effect takes that for zero. `"Infinity"` is taken,
 * for option objects that come from text.
 */
export const toMillis = (input: unknown): number | undefined => {
  if (input === "Infinity") return Infinity
  if (isBelowZero(input) || (Array.isArray(input) && input.some(isBelowZero))) return undefined
  const decoded = Duration.fromInput(input as Duration.Input)
  return decoded._tag === "Some" ? Duration.toMillis(decoded.value) : undefined
}

const isBelowZero = (input: unknown): boolean => {
  switch (typeof input) {
    case "number":
      return !(input >= 0)
    case "bigint":
      return input < 0n
    case "string":
      return input.trimStart().startsWith("-")
    default:
      return false
  }
}
