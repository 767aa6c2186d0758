import { type Difference, isSecret } from "../routes/index.js"
import type { Dialect } from "./Dialect.js"
import { MockFailure } from "./MockFailure.js"
import type { MockRequest } from "./MockRequest.js"
import type { Matcher } from "./models.js"
import { redactUrl } from "./recording.js"

/** A pattern with `g` or `y` goes on where it stopped; each request is looked at from its beginning. */
export const test = (pattern: RegExp, text: string): boolean => {
  pattern.lastIndex = 0
  return pattern.test(text)
}

const isMet = (pattern: string | RegExp, text: string): boolean =>
  typeof pattern === "string" ? pattern === text : test(pattern, text)

const show = (name: string, value: string | RegExp): string =>
  isSecret(name) ? "(redacted)" : typeof value === "string" ? JSON.stringify(value) : String(value)

const ofPair = (
  what: string,
  name: string,
  expected: string | RegExp,
  sent: ReadonlyArray<string>
): ReadonlyArray<Difference> => {
  if (sent.some((value) => isMet(expected, value))) return []
  if (sent.length === 0) return [{ text: `${what} ${JSON.stringify(name)} is missing`, weight: 1 }]
  const is = sent.map((value) => show(name, value)).join(", ")
  return [{ text: `${what} ${JSON.stringify(name)} differs: ${is}, not ${show(name, expected)}`, weight: 1 }]
}

/** What differs in the query and the headers. */
export const ofHeaders = ({ headers = {}, query = {} }: Matcher, request: MockRequest): ReadonlyArray<Difference> => [
  ...Object.entries(query).flatMap(([name, expected]) => ofPair("query", name, expected, request.query.getAll(name))),
  ...Object.entries(headers).flatMap(([written, expected]): ReadonlyArray<Difference> => {
    const name = written.toLowerCase()
    const sent = Object.hasOwn(request.headers, name) ? [request.headers[name]] : []
    if (expected !== undefined) return ofPair("header", name, expected, sent)
    return sent.length === 0 ? [] : [{ text: `header ${JSON.stringify(name)} was not expected`, weight: 1 }]
  })
]

/** What differs in the body of a request; whether it is of a schema, the face says. */
export const ofContent = (
  { body, form = {}, json, schema, where }: Matcher,
  request: MockRequest,
  { ofSchema }: Pick<Dialect, "ofSchema">
): ReadonlyArray<Difference> => {
  const found: Array<Difference> = []
  const differs = (text: string) => found.push({ text, weight: 1 })
  if (body !== undefined && !isMet(body, request.body)) differs(`body differs: ${shorten(request.body)}`)
  found.push(
    ...Object.entries(form).flatMap(([name, expected]) =>
      ofPair("form field", name, expected, request.form.getAll(name))
    )
  )
  if (json !== undefined || schema !== undefined) {
    const sent = jsonOf(request)
    if (sent === undefined) differs(`body is no JSON: ${shorten(request.body)}`)
    else {
      const path = json === undefined ? undefined : unlike(sent.value, json, "")
      if (path !== undefined) differs(`JSON differs${path === "" ? "" : ` at ${path}`}`)
      if (schema !== undefined) found.push(...ofSchema(schema, sent.value))
    }
  }
  if (found.length === 0 && where !== undefined && !asked(where, request)) differs("`where` says no")
  return found
}

/** One that throws says neither yes nor no: it is a failure of the test, and not of the network. */
const asked = (where: NonNullable<Matcher["where"]>, request: MockRequest): boolean => {
  try {
    return where(request)
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new MockFailure(`\`where\` failed for ${request.method} ${redactUrl(request.url)}: ${what}`, { cause })
  }
}

const jsonOf = (request: MockRequest): { readonly value: unknown } | undefined => {
  try {
    return { value: request.json }
  } catch {
    return undefined
  }
}

const shorten = (text: string): string =>
  text === "" ? "it is empty" : JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)

/** Where two values of JSON are not the same; undefined when they are. */
const unlike = (is: unknown, expected: unknown, path: string): string | undefined => {
  if (Object.is(is, expected)) return undefined
  if (typeof is !== "object" || typeof expected !== "object" || is === null || expected === null) return path
  if (Array.isArray(is) !== Array.isArray(expected)) return path
  const [x, y] = [is as Record<string, unknown>, expected as Record<string, unknown>]
  for (const key of new Set([...Object.keys(x), ...Object.keys(y)])) {
    // What is undefined is not written as JSON.
    if (x[key] === undefined && y[key] === undefined) continue
    const below = unlike(x[key], y[key], path === "" ? key : `${path}.${key}`)
    if (below !== undefined) return below
  }
  return undefined
}
