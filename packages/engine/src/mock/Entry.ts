import { type Difference, differences, params, type Route, type RoutedRequest } from "../routes/index.js"
import type { Dialect } from "./Dialect.js"
import { ofContent, ofHeaders, test } from "./matching.js"
import type { MockRequest } from "./MockRequest.js"
import type { Expectation } from "./models.js"

/** An expectation that is ready to be met. */
export class Entry<E extends Expectation = Expectation> {
  /** How many requests it has met. */
  met = 0

  constructor(
    readonly expectation: E,
    private readonly methods: ReadonlyArray<string> | undefined,
    private readonly route: Route | RegExp | undefined,
    /** The JSON of its matcher, as JSON has it. */
    private readonly json: unknown,
    private readonly dialect: Dialect
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
    if (found.length > 0) return found
    return ofContent({ ...this.expectation.matcher, json: this.json }, request, this.dialect)
  }

  /** Those that are known before its body has come. */
  differencesOfHead(request: MockRequest): ReadonlyArray<Difference> {
    return [...this.ofRoute(request), ...ofHeaders(this.expectation.matcher, request)]
  }

  responder(): E["responders"][number] {
    const { responders } = this.expectation
    return responders[Math.min(this.met, responders.length - 1)]
  }

  params(request: MockRequest): Readonly<Record<string, string>> {
    return this.route === undefined || this.route instanceof RegExp ? {} : params(this.route, request.path) ?? {}
  }

  /** Whether it means all that another one means, by method and URL, and never runs out. */
  hides(other: Entry<E>): boolean {
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
