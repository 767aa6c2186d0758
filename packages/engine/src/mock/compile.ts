import { type Problem, show } from "../options/index.js"
import { parseRoute, type Route } from "../routes/index.js"
import type { Dialect } from "./Dialect.js"
import { Entry } from "./Entry.js"
import { Fault } from "./Fault.js"
import type { Expectation, Matcher } from "./models.js"
import { replyProblems } from "./replyProblems.js"

const known = new Set(["method", "url", "query", "headers", "body", "json", "form", "schema", "where"])

/** What waits for the body. */
const ofBody = ["body", "json", "form", "schema", "where"] as const

const invalid = (option: string, received: string, expected: string): Problem => ({
  _tag: "InvalidValue",
  option,
  received,
  expected
})

/** Makes expectations ready, or says all that is wrong with them. */
export const compile = <E extends Expectation>(
  expectations: ReadonlyArray<E>,
  dialect: Dialect
): { readonly entries: ReadonlyArray<Entry<E>>; readonly problems: ReadonlyArray<Problem> } => {
  const problems: Array<Problem> = []
  const entries: Array<Entry<E>> = []
  if (!Array.isArray(expectations)) {
    problems.push(invalid("expectations", show(expectations), "an array of what MockHttp.on returns"))
    return { entries, problems }
  }
  for (const [i, expectation] of expectations.entries()) {
    if (!isExpectation(expectation)) {
      problems.push(invalid(`expectations[${i}]`, show(expectation), "what MockHttp.on returns"))
      continue
    }
    const entry = compileOne(expectation, `expectations[${i}]`, problems, dialect)
    const hiding = entries.find((earlier) => earlier.hides(entry))
    if (hiding !== undefined) {
      problems.push(invalid(
        `expectations[${i}]`,
        entry.name,
        `one that can be reached: ${hiding.name} comes before it and never runs out; limit that one with \`times\`, or ` +
          `give it both responses`
      ))
    }
    entries.push(entry)
  }
  return { entries, problems }
}

const isExpectation = (given: unknown): boolean => {
  const { matcher, responders, times } = (given ?? {}) as Partial<Expectation>
  return typeof matcher === "object" && matcher !== null && Array.isArray(responders) && typeof times === "object"
}

const compileOne = <E extends Expectation>(
  expectation: E,
  at: string,
  problems: Array<Problem>,
  dialect: Dialect
): Entry<E> => {
  const { matcher, responders, times } = expectation
  for (const name of Object.keys(matcher)) {
    if (!known.has(name)) {
      problems.push({ _tag: "UnknownOption", option: `${at}.${name}`, suggestion: undefined, known: [...known] })
    }
  }
  if (responders.length === 0 || responders.some((responder) => responder === undefined || responder === null)) {
    problems.push(invalid(at, "an expectation without a response", "a reply, a function, or a failure"))
  }
  for (const [i, responder] of responders.entries()) {
    if (typeof responder !== "object" || responder === null || responder instanceof Fault) continue
    problems.push(...replyProblems(responder, responders.length === 1 ? at : `${at}.responses[${i}]`, dialect))
  }
  if (times._tag === "Exactly" && !(Number.isInteger(times.count) && times.count > 0)) {
    problems.push(invalid(`${at}.times`, String(times.count), "a whole number above 0"))
  }
  if (expectation.early === true) {
    for (const name of ofBody) {
      if (matcher[name] !== undefined) {
        problems.push(invalid(`${at}.${name}`, "a matcher of the body", "none beside `early`, which waits for no body"))
      }
    }
  }
  for (const method of [matcher.method ?? "*"].flat()) {
    if (typeof method !== "string" || !token.test(method)) {
      problems.push(invalid(`${at}.method`, dialect.show(method), "a method, as \"GET\", or several"))
    }
  }
  if (Array.isArray(matcher.method) && matcher.method.length === 0) {
    problems.push(invalid(`${at}.method`, "no method", "at least one, or none of `method`"))
  }
  const route = routeOf(matcher.url, at, problems, dialect)
  for (const name of Object.keys(matcher.query ?? {})) {
    if (route === undefined || route instanceof RegExp || route.query === undefined || route.query.isOpen) continue
    if (!route.query.pairs.some(([known]) => known === name)) {
      problems.push(
        invalid(`${at}.query.${name}`, "beside a URL with a query without it", "a URL that can match: add `&*` to it")
      )
    }
  }
  const methods = matcher.method === undefined || matcher.method === "*"
    ? undefined
    : [matcher.method].flat().map((method) => method.toUpperCase())
  return new Entry(expectation, methods, route, jsonOf(matcher, at, problems), dialect)
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** What is compared with the JSON of a request is what JSON makes of it: a `Date` is text there. */
const jsonOf = ({ json }: Matcher, at: string, problems: Array<Problem>): unknown => {
  if (json === undefined) return undefined
  try {
    const text = JSON.stringify(json)
    if (text === undefined) throw new TypeError("it is nothing that JSON has")
    return JSON.parse(text)
  } catch (cause) {
    const received = cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
    problems.push(invalid(`${at}.json`, received, "what JSON can say"))
    return undefined
  }
}

const routeOf = (
  url: Matcher["url"],
  at: string,
  problems: Array<Problem>,
  { show }: Pick<Dialect, "show">
): Route | RegExp | undefined => {
  if (url === undefined || url instanceof RegExp) return url
  if (typeof url !== "string" && !(url instanceof URL)) {
    problems.push(invalid(`${at}.url`, show(url), "a URL, a path or a regular expression"))
    return undefined
  }
  // The space between a method and a URL is not allowed here: the method is said beside it.
  const route = parseRoute(String(url))
  if ("problem" in route) {
    problems.push(invalid(`${at}.url`, JSON.stringify(String(url)), `a URL that can match: ${route.problem}`))
  } else if (route.method !== undefined) {
    problems.push(invalid(`${at}.url`, JSON.stringify(url), "the method before the URL, and not in it"))
  } else return route
  return undefined
}
