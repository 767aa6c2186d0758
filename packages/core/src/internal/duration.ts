import * as Duration from "effect/Duration"

/**
 * A duration in milliseconds; undefined for what is none, or negative. `"Infinity"` is taken, for option objects that
 * come from text.
 */
export const toMillis = (input: unknown): number | undefined => {
  if (input === "Infinity") return Infinity
  if (typeof input === "number" && !(input >= 0)) return undefined
  const decoded = Duration.decodeUnknown(input)
  return decoded._tag === "Some" ? Duration.toMillis(decoded.value) : undefined
}
