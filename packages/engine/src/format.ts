/** `5s`, `1.5s`, `20ms`. */
export const formatMillis = (millis: number): string =>
  millis === Infinity ? "for ever" : millis < 1000 ? `${Math.round(millis)}ms` : `${Math.round(millis / 100) / 10}s`

export const ordinal = (n: number): string => {
  const lastTwo = n % 100
  const suffix = lastTwo >= 11 && lastTwo <= 13 ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th"
  return `${n}${suffix}`
}

/** A sentence of its own as what follows a colon: `The head …` is `the head …`, but `HTTP/1.0 …` stays. */
export const continued = (sentence: string): string =>
  sentence.replace(/^[A-Z][a-z]*(?= )/, (word) => word.toLowerCase())

/** `1 connection`, `2 connections`. */
export const counted = (n: number, one: string, more: string): string => `${n} ${n === 1 ? one : more}`

/** A text from elsewhere, which may be of any length, as a log can bear it. */
export const shortened = (text: string, most: number): string => text.length <= most ? text : `${text.slice(0, most)}…`

/** What an error says that came from elsewhere. */
export const describeCause = (cause: unknown): string =>
  cause instanceof Error ? cause.message : typeof cause === "string" ? cause : ""

/** An option's value for a message: a text is not to look like a number. */
export const formatValue = (value: unknown): string => typeof value === "string" ? JSON.stringify(value) : String(value)
