import type { Problem } from "../options/index.js"
import type { Dialect } from "./Dialect.js"

const known = {
  status: true,
  headers: true,
  body: true,
  trailers: true,
  raw: true,
  interim: true,
  json: true,
  form: true,
  delay: true,
  jitter: true,
  bytesPerSecond: true,
  cutAfter: true
} as const

/** A reply as a test has written it, before anybody knows whether it can be one. */
export type AnyReply = { readonly [Name in keyof typeof known]?: unknown }

const bodies = ["body", "json", "form", "raw"] as const

const isStatus = (status: unknown): boolean =>
  status === 101 || (Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 999)

const isRate = (rate: unknown): boolean => typeof rate === "number" && rate > 0

const isSize = (size: unknown): boolean => Number.isInteger(size) && (size as number) >= 0

/** A line break would begin another field. */
const isField = (value: unknown): boolean =>
  Array.isArray(value) ? value.every(isField) : typeof value === "string" && !/[\r\n\0]/.test(value)

const aTime = "a time, as \"2 seconds\" or 500 (milliseconds)"

/** What is wrong with a reply that a test has written, before the network, or the client, is blamed for it. */
export const replyProblems = (
  reply: AnyReply,
  at: string,
  { isTime, show }: Pick<Dialect, "isTime" | "show">
): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const checks: ReadonlyArray<readonly [keyof AnyReply, (value: unknown) => boolean, expected: string]> = [
    ["status", isStatus, "a whole number from 200 to 999, or 101"],
    ["delay", isTime, aTime],
    ["jitter", isTime, aTime],
    ["bytesPerSecond", isRate, "a number above 0"],
    ["cutAfter", isSize, "a number of bytes"]
  ]
  const invalid = (option: string, received: unknown, expected: string) =>
    problems.push({
      _tag: "InvalidValue",
      option: `${at}${option}`,
      received: typeof received === "string" ? JSON.stringify(received) : show(received),
      expected
    })
  for (const name of Object.keys(reply)) {
    if (!Object.hasOwn(known, name)) {
      problems.push({
        _tag: "UnknownOption",
        option: `${at}.${name}`,
        suggestion: undefined,
        known: Object.keys(known)
      })
    }
  }
  const given = bodies.filter((name) => reply[name] !== undefined)
  if (given.length > 1) {
    problems.push({
      _tag: "InvalidValue",
      option: at,
      received: `a reply with ${given.join(" and ")}`,
      expected: "one"
    })
  }
  for (const [name, isRight, expected] of checks) {
    const value = reply[name]
    if (value !== undefined && !isRight(value)) invalid(`.${name}`, value, expected)
  }
  for (const [name, value] of Object.entries(reply.headers as object | undefined ?? {})) {
    if (!isField(value)) invalid(`.headers.${name}`, value, "text without line breaks, or several")
  }
  if (reply.json !== undefined) {
    try {
      if (JSON.stringify(reply.json) === undefined) throw new TypeError("it is nothing that JSON has")
    } catch (cause) {
      const received = cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
      problems.push({ _tag: "InvalidValue", option: `${at}.json`, received, expected: "what JSON can say" })
    }
  }
  return problems
}
