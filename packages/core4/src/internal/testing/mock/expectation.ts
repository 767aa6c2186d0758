import {
  type Difference,
  differences,
  isSecret,
  params,
  parseRoute,
  type Route,
  type RoutedRequest
} from "@sluice/engine/routes"
import * as Inspectable from "effect/Inspectable"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Problem } from "../../../InvalidOptions.js"
import { Fault } from "./Fault.js"
import type { MockRequest } from "./MockRequest.js"
import type * as MockHttp from "./models.js"
import { replyProblems } from "./replyProblems.js"

type AnyExpectation = MockHttp.Expectation<unknown>

export const on = (
  first: string | MockHttp.Matcher,
  second: unknown,
  ...rest: ReadonlyArray<unknown>
): AnyExpectation => {
  const [matcher, responders] = typeof first === "string"
    ? [{ method: first, url: second } as MockHttp.Matcher, rest]
    : [first, [second, ...rest]]
  return { matcher, responders: responders as AnyExpectation["responders"], times: { _tag: "Any" } }
}

export const stubs = (expectations: ReadonlyArray<AnyExpectation>): ReadonlyArray<AnyExpectation> =>
  expectations.map((expectation) =>
    expectation.times._tag === "Any" ? { ...expectation, times: { _tag: "Optional" } } : expectation
  )

export const baseUrl = (url: string, expectations: ReadonlyArray<AnyExpectation>): ReadonlyArray<AnyExpectation> => {
  const base = url.replace(/\/$/, "")
  return expectations.map((expectation) => {
    const { matcher } = expectation
    if (typeof matcher.url !== "string" || !/^[/?]/.test(matcher.url)) return expectation
    return { ...expectation, matcher: { ...matcher, url: base + matcher.url } }
  })
}

/** An expectation that is ready to be met. */
export class Entry {
  /** How many requests it has met. */
  met = 0

  constructor(
    readonly expectation: AnyExpectation,
    private readonly methods: ReadonlyArray<string> | undefined,
    private readonly route: Route | RegExp | undefined
  ) {}

  get hasRunOut(): boolean {
    const { times } = this.expectation
    return times._tag === "Exactly" && this.met >= times.count
  }

  /** Why it was not met as it should have been. */
  get shortfall(): string | undefined {
    const { times } = this.expectation
    if (times._tag === "Optional" || (times._tag === "Any" && this.met > 0)) return undefined
    if (times._tag === "Any") return `${this.name} was never requested`
    if (this.met >= times.count) return undefined
    return `${this.name} was requested ${this.met} times, not ${times.count}`
  }

  get name(): string {
    const { matcher } = this.expectation
    const { method: _method, url: _url, ...more } = matcher
    const extra = Object.entries(more).filter(([, value]) => value !== undefined).map(([name]) => name)
    const url = matcher.url === undefined ? "*" : String(matcher.url)
    return `${this.methods?.join("|") ?? "*"} ${url}${extra.length === 0 ? "" : ` by ${extra.join(", ")}`}`
  }

  /** What keeps this request from being one of these. Looks at its body last. */
  differences(request: MockRequest): ReadonlyArray<Difference> {
    const found = this.differencesOfHead(request)
    return found.length > 0 ? found : ofContent(this.expectation.matcher, request)
  }

  /** Those that are known before its body has come. */
  differencesOfHead(request: MockRequest): ReadonlyArray<Difference> {
    return [...this.ofRoute(request), ...ofHeaders(this.expectation.matcher, request)]
  }

  responder(): MockHttp.Responder<unknown> {
    const { responders } = this.expectation
    return responders[Math.min(this.met, responders.length - 1)]
  }

  params(request: MockRequest): Readonly<Record<string, string>> {
    return this.route === undefined || this.route instanceof RegExp ? {} : params(this.route, request.path) ?? {}
  }

  /** Whether it means all that another one means, by method and URL, and never runs out. */
  hides(other: Entry): boolean {
    const { matcher, times } = this.expectation
    const { matcher: hidden } = other.expectation
    if (times._tag === "Exactly") return false
    const saysMore = Object.entries(matcher).some(([name, value]) =>
      name !== "method" && name !== "url" && value !== undefined
    )
    if (saysMore) return false
    const isMethod = this.methods === undefined ||
      (other.methods !== undefined && other.methods.every((method) => this.methods?.includes(method)))
    const isUrl = matcher.url === undefined || matcher.url === "*" || String(matcher.url) === String(hidden.url)
    return isMethod && isUrl
  }

  private ofRoute(request: MockRequest): ReadonlyArray<Difference> {
    const found: Array<Difference> = []
    if (this.methods !== undefined && !this.methods.includes(request.method)) {
      found.push({ text: `method differs: ${request.method}, not ${this.methods.join(" or ")}`, weight: 2 })
    }
    if (this.route instanceof RegExp) {
      if (!test(this.route, request.url)) found.push({ text: `URL does not match ${String(this.route)}`, weight: 5 })
    } else if (this.route !== undefined) {
      found.push(...differences(this.route, routed(request)))
    }
    return found
  }
}

const routed = ({ method, origin, path, url }: MockRequest): RoutedRequest => {
  const at = url.indexOf("?")
  return {
    method,
    scheme: origin.scheme,
    host: origin.host.toLowerCase(),
    port: String(origin.port),
    path,
    query: at < 0 ? "" : url.slice(at + 1)
  }
}

/** A pattern with `g` or `y` goes on where it stopped; each request is looked at from its beginning. */
const test = (pattern: RegExp, text: string): boolean => {
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

const ofHeaders = ({ headers = {}, query = {} }: MockHttp.Matcher, request: MockRequest): ReadonlyArray<Difference> => [
  ...Object.entries(query).flatMap(([name, expected]) => ofPair("query", name, expected, request.query.getAll(name))),
  ...Object.entries(headers).flatMap(([written, expected]): ReadonlyArray<Difference> => {
    const name = written.toLowerCase()
    const sent = Object.hasOwn(request.headers, name) ? [request.headers[name]] : []
    if (expected !== undefined) return ofPair("header", name, expected, sent)
    return sent.length === 0 ? [] : [{ text: `header ${JSON.stringify(name)} was not expected`, weight: 1 }]
  })
]

const ofContent = (matcher: MockHttp.Matcher, request: MockRequest): ReadonlyArray<Difference> => {
  const { body, form = {}, json, schema, where } = matcher
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
    if (Result.isFailure(sent)) differs(`body is no JSON: ${shorten(request.body)}`)
    else {
      const path = json === undefined ? undefined : unlike(sent.success, json, "")
      if (path !== undefined) differs(`JSON differs${path === "" ? "" : ` at ${path}`}`)
      if (schema !== undefined) found.push(...ofSchema(schema, sent.success))
    }
  }
  if (found.length === 0 && where !== undefined && !where(request)) differs("`where` says no")
  return found
}

const ofSchema = (schema: Schema.ConstraintDecoder<unknown>, value: unknown): ReadonlyArray<Difference> => {
  const parsed = Schema.decodeUnknownResult(schema)(value)
  if (Result.isSuccess(parsed)) return []
  const path = /at \["?([^\n]*?)"?\]$/m.exec(parsed.failure.message)?.[1]?.replaceAll(/"?\]\["?/g, ".")
  return [{ text: `JSON is not of the schema${path === undefined ? "" : ` at ${path}`}`, weight: 1 }]
}

const jsonOf = (request: MockRequest): Result.Result<unknown, unknown> => Result.try(() => request.json)

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

const known = new Set(["method", "url", "query", "headers", "body", "json", "form", "schema", "where"])

/** What waits for the body. */
const ofBody = ["body", "json", "form", "schema", "where"] as const

const invalid = (option: string, received: string, expected: string): Problem => ({
  _tag: "InvalidValue",
  option,
  received,
  expected
})

/** Makes expectations ready, or says all that is wrong with them. `before`: those that are asked after these. */
export const compile = (
  expectations: ReadonlyArray<AnyExpectation>
): Result.Result<ReadonlyArray<Entry>, ReadonlyArray<Problem>> => {
  const problems: Array<Problem> = []
  const entries: Array<Entry> = []
  for (const [i, expectation] of expectations.entries()) {
    const entry = compileOne(expectation, `expectations[${i}]`, problems)
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
  return problems.length === 0 ? Result.succeed(entries) : Result.fail(problems)
}

const compileOne = (expectation: AnyExpectation, at: string, problems: Array<Problem>): Entry => {
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
    problems.push(...replyProblems(responder as MockHttp.Reply, responders.length === 1 ? at : `${at}.responses[${i}]`))
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
  const methods = matcher.method === undefined || matcher.method === "*"
    ? undefined
    : [matcher.method].flat().map((method) => method.toUpperCase())
  return new Entry(expectation, methods, routeOf(matcher.url, at, problems))
}

const routeOf = (url: MockHttp.Matcher["url"], at: string, problems: Array<Problem>): Route | RegExp | undefined => {
  if (url === undefined || url instanceof RegExp) return url
  if (typeof url !== "string" && !(url instanceof URL)) {
    problems.push(invalid(`${at}.url`, Inspectable.toStringUnknown(url), "a URL, a path or a regular expression"))
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
