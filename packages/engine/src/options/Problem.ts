/** What is wrong with one option. */
export type Problem =
  | {
    readonly _tag: "UnknownOption"
    /** Its path, as `timeouts.raed`. */
    readonly option: string
    /** The path of the option that was probably meant. */
    readonly suggestion: string | undefined
    /** The names that there are in its stead. */
    readonly known: ReadonlyArray<string>
  }
  | {
    readonly _tag: "InvalidValue"
    readonly option: string
    /** The value as text; of one that may be secret, and of what is long, only what kind of thing it is. */
    readonly received: string
    readonly expected: string
  }

/** One sentence: the option, its value, and what would be right. */
export const describe = (problem: Problem): string => {
  if (problem._tag === "InvalidValue") return `${problem.option} is ${problem.received}: expected ${problem.expected}`
  return `${problem.option} is not an option: ` +
    (problem.suggestion === undefined
      ? `there are ${problem.known.join(", ")}`
      : `did you mean ${problem.suggestion}?`)
}

/** All of them in one message. */
export const describeAll = (problems: ReadonlyArray<Problem>): string =>
  problems.length === 1
    ? describe(problems[0])
    : [`${problems.length} options are wrong`, ...problems.map(describe)].join("\n- ")

/** What is longer, or has other characters, may be a key, or a URL with a password in it. */
const harmless = /^[\w .,:+%-]{0,60}$/

/** A name of the caller's own, as a key of a record: one with a user in front of it may have a password too. */
export const showKey = (key: string): string =>
  key.includes("@") || key.length > 100 ? `a name of ${key.length} characters` : JSON.stringify(key)

/** A value for a message. A text is not to look like a number. */
export const show = (value: unknown, secret = false): string => {
  switch (typeof value) {
    case "string":
      return secret || !harmless.test(value) ? `a text of ${value.length} characters` : JSON.stringify(value)
    case "number":
      return secret ? "a number" : Object.is(value, -0) ? "-0" : String(value)
    case "bigint":
      return secret ? "a bigint" : `${value}n`
    case "boolean":
    case "undefined":
      return String(value)
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "an array" : "an object"
    default:
      return `a ${typeof value}`
  }
}
