import type { Problem } from "../options/index.js"
import { contentOf, type ReplyBody } from "./content.js"
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

/** A line break would begin another field, and what is no octet cannot be sent. */
const isField = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.every(isField)
    : typeof value === "string" && !/[\r\n\0]|[^\0-\xff]/.test(value)

const isName = (name: string): boolean => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)

/** 101 is a response by itself (RFC 9110 §15.2.2). */
const isInterim = (status: unknown): boolean =>
  Number.isInteger(status) && (status as number) >= 100 && (status as number) < 200 && status !== 101

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
  const checkFields = (at: string, fields: unknown) => {
    for (const [name, value] of Object.entries(fields ?? {})) {
      if (!isName(name)) invalid(at, name, "names of header fields")
      if (!isField(value)) {
        invalid(`${at}.${name}`, value, "text without line breaks, of Latin-1 (ISO 8859-1), or several")
      }
    }
  }
  checkFields(".headers", reply.headers)
  checkFields(".trailers", reply.trailers)
  for (const [i, { headers, status = 103 }] of (reply.interim as ReadonlyArray<AnyReply> | undefined ?? []).entries()) {
    if (!isInterim(status)) invalid(`.interim[${i}].status`, status, "a whole number from 100 to 199, and not 101")
    checkFields(`.interim[${i}].headers`, headers)
  }
  if (reply.json !== undefined) {
    try {
      if (JSON.stringify(reply.json) === undefined) throw new TypeError("it is nothing that JSON has")
    } catch (cause) {
      const received = cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
      problems.push({ _tag: "InvalidValue", option: `${at}.json`, received, expected: "what JSON can say" })
    }
  }
  problems.push(...withoutEffect(reply, at))
  return problems
}

/** What is said and could not be so: the test would go on without what it is about. */
const withoutEffect = (reply: AnyReply, at: string): ReadonlyArray<Problem> => {
  const { cutAfter, headers, raw } = reply
  const useless = (option: string, received: string, expected: string): Problem => ({
    _tag: "InvalidValue",
    option: `${at}.${option}`,
    received,
    expected
  })
  if (raw !== undefined) {
    const others = (["status", "trailers", "interim", "bytesPerSecond", "cutAfter"] as const)
      .filter((name) => reply[name] !== undefined)
    return [
      ...others,
      ...Object.keys(headers ?? {}).filter((name) => name.toLowerCase() !== "connection").map((name) =>
        `headers.${name}`
      )
    ].map((name) => useless(name, "beside `raw`", "all of the response in `raw`, which is sent as it is"))
  }
  if (cutAfter === undefined || !isSize(cutAfter)) return []
  const length = lengthOf(reply)
  return length !== undefined && (cutAfter as number) < length ? [] : [
    useless(
      "cutAfter",
      String(cutAfter),
      length === undefined
        ? "none beside a body that is a stream, which ends by an error of its own"
        : `fewer bytes than the body has, which are ${length}`
    )
  ]
}

/** How many bytes of a body are sent; undefined when only sending it tells. */
const lengthOf = (reply: AnyReply): number | undefined => {
  if (reply.status === 204 || reply.status === 304 || reply.status === 101) return 0
  try {
    const { body = new Uint8Array() } = contentOf(reply as ReplyBody<unknown>)
    return body instanceof Uint8Array ? body.length : undefined
  } catch {
    // JSON that cannot be written is a problem of its own.
    return Infinity
  }
}
