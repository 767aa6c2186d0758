import { shortened } from "./format.js"

/** What of an error from elsewhere is data, and no text of its own that could hold anything. */
const systemFields = ["code", "syscall", "hostname", "address", "port"] as const

/** What is nested more deeply is left out: what callers give as a cause may be anything. */
const maxDepth = 12

/** Of an error from elsewhere, as Node's with all names of a certificate. */
const longestMessage = 1000

/** What is more in a list is only counted. */
const maxItems = 100

/**
 * A value as JSON can say it: a Map is an object, `Infinity` the text "Infinity", an error its name and message. What has
 * a JSON form of its own keeps it. Bytes are counted, and what contains itself is named where it does.
 */
export const toPlain = (value: unknown, within: ReadonlyArray<unknown> = []): unknown => {
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value)
  if (typeof value === "bigint") return String(value)
  if (typeof value !== "object" || value === null) return value
  if (within.includes(value)) return "[circular]"
  if (within.length >= maxDepth) return "[…]"
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  const inside = [...within, value]
  try {
    if ("toJSON" in value && typeof value.toJSON === "function") return toPlain(value.toJSON(), inside)
    if (value instanceof Error) return errorToPlain(value, inside)
    if (value instanceof Map) return fieldsToPlain(Object.fromEntries(value), inside)
    if (Array.isArray(value) || value instanceof Set) return itemsToPlain([...value], inside)
    return fieldsToPlain(value, inside)
  } catch (cause) {
    return `[${cause instanceof Error ? cause.message : String(cause)}]`
  }
}

const fieldsToPlain = (fields: object, within: ReadonlyArray<unknown>): object =>
  Object.fromEntries(Object.entries(fields).map(([name, part]) => [name, toPlain(part, within)]))

const itemsToPlain = (items: ReadonlyArray<unknown>, within: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const shown = items.slice(0, maxItems).map((item) => toPlain(item, within))
  return items.length > maxItems ? [...shown, `[${items.length - maxItems} more]`] : shown
}

const errorToPlain = (error: Error, within: ReadonlyArray<unknown>): unknown => ({
  name: error.name,
  message: shortened(error.message, longestMessage),
  ...Object.fromEntries(
    systemFields.flatMap((name) => name in error ? [[name, (error as unknown as Record<string, unknown>)[name]]] : [])
  ),
  ...(error instanceof AggregateError ? { errors: toPlain(error.errors, within) } : {}),
  ...(error.cause === undefined ? {} : { cause: toPlain(error.cause, within) })
})

/** The JSON form of an error: its tag, what it says, and its fields. */
export const errorToJSON = (error: Error & { readonly _tag: string }): unknown => {
  const { _tag, cause: _, ...fields } = error
  return {
    _tag,
    message: error.message,
    ...fieldsToPlain(fields, [error]),
    ...(error.cause === undefined ? {} : { cause: toPlain(error.cause, [error]) })
  }
}

/** Of V8 alone. */
export const frames = Error as unknown as { stackTraceLimit: number }

/** Makes an error without the frames of where it was made: all of them would be those of this library and of Effect. */
export const withoutFrames = <A>(make: () => A): A => {
  const { stackTraceLimit } = frames
  frames.stackTraceLimit = 0
  try {
    return make()
  } finally {
    frames.stackTraceLimit = stackTraceLimit
  }
}

const nodeInspect = Symbol.for("nodejs.util.inspect.custom")

/** The object, printed as this alone: what it is made of says nothing to anybody, and is a great deal. */
export const shownAs = <A extends object>(value: A, shown: () => unknown): A => {
  const form = { enumerable: false, value: shown }
  return Object.defineProperties(value, { toJSON: form, [nodeInspect]: form })
}

/** The same object with a JSON form in which nothing is lost, and which nobody sees who compares it or goes through it. */
export const printable = <A extends object>(value: A): A =>
  Object.defineProperty({ ...value }, "toJSON", {
    enumerable: false,
    value(this: object): unknown {
      return fieldsToPlain(this, [this])
    }
  })
