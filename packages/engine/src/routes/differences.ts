import { distance } from "../options/nearest.js"
import { params, type QueryPattern, type Route } from "./Route.js"
import { normalizePath, parseQuery, type Query } from "./urls.js"

/** A request, as far as a route distinguishes them. */
export interface RoutedRequest {
  readonly method: string
  readonly scheme: string
  /** Without its port, in lower case. */
  readonly host: string
  readonly port: string
  readonly path: string
  /** Without its question mark. */
  readonly query: string
}

/** What keeps a request from being one of a route. */
export interface Difference {
  readonly text: string
  /** How far away it is: the route with the least of it is the one that was probably meant. */
  readonly weight: number
}

/** All that differs; nothing when the route means this request. */
export const differences = (route: Route, request: RoutedRequest): ReadonlyArray<Difference> => [
  ...ofMethod(route, request),
  ...ofOrigin(route, request),
  ...ofPath(route, request),
  ...ofQuery(route.query, parseQuery(request.query))
]

export const matches = (route: Route, request: RoutedRequest): boolean => differences(route, request).length === 0

const differs = (what: string, is: string, expected: string, weight: number): Difference => ({
  text: `${what} differs: ${is}, not ${expected}`,
  weight
})

const ofMethod = ({ method }: Route, request: RoutedRequest): ReadonlyArray<Difference> =>
  method === undefined || method === request.method ? [] : [differs("method", request.method, method, 2)]

const ofOrigin = ({ origin }: Route, { host, port, scheme }: RoutedRequest): ReadonlyArray<Difference> => {
  if (origin === undefined) return []
  const found: Array<Difference> = []
  if (origin.scheme !== scheme) found.push(differs("scheme", scheme, origin.scheme, 2))
  if (!isHost(origin.host, host)) found.push(differs("host", host, origin.host, 6))
  // Another scheme has another port by itself.
  else if (origin.port !== undefined && origin.port !== port && (found.length === 0 || !isDefault(origin.port))) {
    found.push(differs("port", port, origin.port, 2))
  }
  return found
}

const isDefault = (port: string) => port === "80" || port === "443"

const isHost = (pattern: string, host: string): boolean =>
  pattern === "*" || (pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : pattern === host)

const ofPath = (route: Route, { path }: RoutedRequest): ReadonlyArray<Difference> => {
  if (route.path === undefined || params(route, path) !== undefined) return []
  const { regex, text } = route.path
  if (regex.test(`${normalizePath(path)}/`)) return [{ text: `path differs: it has no slash at its end`, weight: 1 }]
  if (path.endsWith("/") && regex.test(normalizePath(path.slice(0, -1)))) {
    return [{ text: `path differs: it has a slash at its end`, weight: 1 }]
  }
  const longest = Math.max(path.length, text.length, 1)
  // A long path is not compared letter by letter: the work grows with the square of it.
  const away = longest > 200 ? 1 : distance(path, text) / longest
  return [differs("path", path, text, 3 + 3 * away)]
}

const ofQuery = (pattern: QueryPattern | undefined, query: Query): ReadonlyArray<Difference> => {
  if (pattern === undefined) return []
  const found: Array<Difference> = []
  const left = [...query]
  // Those that may have any value take what the others leave.
  for (const [name, value] of [...pattern.pairs].sort((x, y) => Number(x[1] === "*") - Number(y[1] === "*"))) {
    const at = left.findIndex((pair) => pair[0] === name && (value === "*" || pair[1] === value))
    if (at >= 0) {
      left.splice(at, 1)
      continue
    }
    const other = left.findIndex((pair) => pair[0] === name)
    if (other < 0) {
      found.push({ text: `query ${quote(name)} is missing`, weight: 1 })
    } else {
      const [[, sent]] = left.splice(other, 1)
      found.push(differs(`query ${quote(name)}`, shown(name, sent), shown(name, value), 1))
    }
  }
  if (pattern.isOpen) return found
  return [...found, ...left.map(([name]) => ({ text: `query ${quote(name)} was not expected`, weight: 1 }))]
}

const quote = (text: string): string => JSON.stringify(text)

const shown = (name: string, value: string): string => isSecret(name) ? "(redacted)" : quote(value)

const secrets =
  /(^|[-_.])(auth|authorization|cookie|credential|key|api-?key|apikey|pass|passwd|password|pwd|secret|sig|signature|session|sid|token|jwt)s?($|[-_.])/

/** Whether the values of a header, a query or a field of JSON by this name are nobody else's business. */
export const isSecret = (name: string): boolean =>
  secrets.test(name.replace(/([a-z0-9])([A-Z])/g, "$1-$2").toLowerCase())
