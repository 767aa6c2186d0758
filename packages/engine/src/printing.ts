/** What of an error from elsewhere is data, and no text of its own that could hold anything. */
const systemFields = ["code", "syscall", "hostname", "address", "port"] as const

/**
 * A value as JSON can say it: a Map is an object, `Infinity` the text "Infinity", an error its name and message. What has
 * a JSON form of its own keeps it.
 */
export const toPlain = (value: unknown): unknown => {
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value)
  if (typeof value === "bigint") return String(value)
  if (typeof value !== "object" || value === null) return value
  if ("toJSON" in value && typeof value.toJSON === "function") return value.toJSON()
  if (value instanceof Error) return errorToPlain(value)
  if (value instanceof Map) return toPlain(Object.fromEntries(value))
  if (Array.isArray(value) || value instanceof Set) return Array.from(value, toPlain)
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, toPlain(part)]))
}

const errorToPlain = (error: Error): unknown => ({
  name: error.name,
  message: error.message,
  ...Object.fromEntries(
    systemFields.flatMap((name) => name in error ? [[name, (error as unknown as Record<string, unknown>)[name]]] : [])
  ),
  ...(error.cause === undefined ? {} : { cause: toPlain(error.cause) })
})

/** The JSON form of an error: its tag, what it says, and its fields. */
export const errorToJSON = (error: Error & { readonly _tag: string }): unknown => {
  const { _tag, cause: _, ...fields } = error
  return {
    _tag,
    message: error.message,
    ...toPlain(fields) as object,
    ...(error.cause === undefined ? {} : { cause: toPlain(error.cause) })
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

/** The same object with a JSON form in which nothing is lost, and which nobody sees who compares it or goes through it. */
export const printable = <A extends object>(value: A): A =>
  Object.defineProperty({ ...value }, "toJSON", {
    enumerable: false,
    value(this: object): unknown {
      return Object.fromEntries(Object.entries(this).map(([name, part]) => [name, toPlain(part)]))
    }
  })
