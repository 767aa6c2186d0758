import { hrefOf } from "../Origin.js"

/**
 * What the value of an option has to be. Durations end up in milliseconds; `Infinity` is a value of a range whose upper
 * end is `Infinity`.
 */
export type Kind =
  | { readonly _tag: "Whole"; readonly least: number; readonly most: number }
  | { readonly _tag: "Number"; readonly least: number }
  | { readonly _tag: "Duration"; readonly least: number }
  | { readonly _tag: "Choice"; readonly values: ReadonlyArray<string | number | boolean> }
  | { readonly _tag: "Text" }
  | { readonly _tag: "Origin" }
  | { readonly _tag: "Pem" }
  | { readonly _tag: "Function" }
  | { readonly _tag: "Object" }
  | { readonly _tag: "Methods"; readonly names: ReadonlyArray<string> }
  /** Objects with these methods by name, a function that finds them, or what comes to either (it has `pipe`). */
  | { readonly _tag: "Lookup"; readonly methods: ReadonlyArray<string>; readonly what: string }
  | { readonly _tag: "List"; readonly item: Kind }
  | { readonly _tag: "Either"; readonly kinds: ReadonlyArray<Kind> }

/**
 * Reads what the face takes for a duration, in milliseconds; undefined when it is none, or negative. What a duration is
 * written as (a number, a text, an object) is the face's own.
 */
export type ToMillis = (value: unknown) => number | undefined

/** What `read` returns for a value that is not of the kind. */
export const invalid: unique symbol = Symbol("invalid")

/** The value as the engine uses it, or `invalid`. */
export const read = (kind: Kind, value: unknown, toMillis: ToMillis): unknown => {
  if (kind._tag !== "Duration") return isOfKind(kind, value, toMillis) ? value : invalid
  const millis = toMillis(value)
  return millis !== undefined && millis >= kind.least ? millis : invalid
}

const isOfKind = (kind: Exclude<Kind, { _tag: "Duration" }>, value: unknown, toMillis: ToMillis): boolean => {
  switch (kind._tag) {
    case "Whole":
      return typeof value === "number" && value >= kind.least && value <= kind.most &&
        (Number.isSafeInteger(value) || value === Infinity)
    case "Number":
      return typeof value === "number" && value >= kind.least && value < Infinity
    case "Choice":
      return kind.values.some((choice) => choice === value)
    case "Text":
      return typeof value === "string" && value !== ""
    case "Origin":
      return typeof value === "string" && hrefOf(value) !== undefined
    case "Pem":
      return isPem(value) || (Array.isArray(value) && value.length > 0 && value.every(isPem))
    case "Function":
      return typeof value === "function"
    case "Object":
      return isObject(value) && !Array.isArray(value)
    case "Methods":
      return hasMethods(value, kind.names)
    case "Lookup":
      return typeof value === "function" || hasMethods(value, ["pipe"]) ||
        (isPlain(value) && Object.values(value).every((found) => hasMethods(found, kind.methods)))
    case "List":
      return Array.isArray(value) && value.every((item) => read(kind.item, item, toMillis) !== invalid)
    case "Either":
      return kind.kinds.some((each) => read(each, value, toMillis) !== invalid)
  }
}

const isPem = (value: unknown): boolean => (typeof value === "string" && value !== "") || value instanceof Uint8Array

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const hasMethods = (value: unknown, names: ReadonlyArray<string>): boolean =>
  isObject(value) && names.every((name) => typeof value[name] === "function")

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** What Effect's `Config.boolean` understands. */
const booleans = new Map<string, boolean>([
  ...["true", "yes", "on", "1"].map((word) => [word, true] as const),
  ...["false", "no", "off", "0"].map((word) => [word, false] as const)
])

/** The same for a value that is written as text, as in an environment variable. */
export const readText = (kind: Kind, text: string, toMillis: ToMillis): unknown => {
  switch (kind._tag) {
    case "Whole":
    case "Number":
      return /^(\d+(\.\d+)?|Infinity)$/.test(text) ? read(kind, Number(text), toMillis) : invalid
    case "Choice": {
      const choice = kind.values.find((value) => String(value) === text)
      if (choice !== undefined) return choice
      return read(kind, booleans.get(text.toLowerCase()), toMillis)
    }
    case "Duration":
    case "Text":
    case "Either":
      return read(kind, text, toMillis)
    default:
      return invalid
  }
}

/** What would be right, as it follows "expected". */
export const expected = (kind: Kind): string => {
  switch (kind._tag) {
    case "Whole":
      return kind.most === Infinity
        ? `a whole number of at least ${kind.least}, or Infinity`
        : `a whole number from ${kind.least} to ${kind.most}`
    case "Number":
      return `a number of at least ${kind.least}`
    case "Duration":
      return kind.least === 0
        ? `a duration that is not negative, as in "5 seconds", or "Infinity"`
        : `a duration of at least ${kind.least} ms, as in "5 seconds", or "Infinity"`
    case "Choice":
      return alternatives(kind.values.map((value) => typeof value === "string" ? JSON.stringify(value) : String(value)))
    case "Text":
      return "a text that is not empty"
    case "Origin":
      return "the URL of an origin, as http://collector:4318"
    case "Pem":
      return "PEM, as text or bytes, or an array of them"
    case "Function":
      return "a function"
    case "Object":
      return "an object"
    case "Methods":
      return `an object with the methods ${kind.names.join(", ")}`
    case "Lookup":
      return kind.what
    case "List":
      return `an array, each item ${expected(kind.item)}`
    case "Either":
      return alternatives(kind.kinds.map(expected))
  }
}

/** `a`, `a or b`, `a, b or c`. */
export const alternatives = (names: ReadonlyArray<string>): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`
