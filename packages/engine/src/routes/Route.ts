import { percentDecode } from "../percentDecode.js"
import { normalizePath, parseQuery, type Query } from "./urls.js"

/**
 * Which requests are meant, as `[METHOD ][scheme://host[:port]]/path[?query]` says it. What is not there may be anything;
 * `*` alone is every request.
 */
export interface Route {
  readonly source: string
  readonly method: string | undefined
  readonly origin: OriginPattern | undefined
  /** Undefined: any path. */
  readonly path: PathPattern | undefined
  /** Undefined: any query. */
  readonly query: QueryPattern | undefined
}

export interface OriginPattern {
  readonly scheme: string
  /** In lower case. `*` for any host, `*.example.com` for those below one. */
  readonly host: string
  /** Undefined: any, when any host is meant. */
  readonly port: string | undefined
}

export interface PathPattern {
  readonly text: string
  readonly regex: RegExp
  readonly names: ReadonlyArray<string>
}

/** The pairs, in any order; `isOpen` when others may be there as well. A value of `*` is any. */
export interface QueryPattern {
  readonly pairs: Query
  readonly isOpen: boolean
}

/** Why no request can ever be one of this route. */
export interface RouteProblem {
  readonly problem: string
}

const shape =
  /^(?:(?<method>[^\s/:*?#]+|\*)\s+)?(?:(?<scheme>[A-Za-z][A-Za-z0-9+.-]*):\/\/(?<authority>[^/?#]*))?(?<path>[^?#]*)(?:\?(?<query>[^#]*))?(?<fragment>#.*)?$/

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Reads a route. `anyMethod` is what a method beside the text says already. */
export const parseRoute = (source: string): Route | RouteProblem => {
  const impossible = (why: string): RouteProblem => ({
    problem: `${JSON.stringify(source)} matches no request: ${why}`
  })
  const { authority, fragment, method: written, path = "", query, scheme } = shape.exec(source.trim())?.groups ?? {}
  const method = written === undefined || written === "*" ? undefined : written.toUpperCase()
  if (method !== undefined && !token.test(method)) return impossible(`${written} is not a method`)
  if (fragment !== undefined) return impossible("what stands after # is never sent")
  if (/\s/.test(path)) return impossible("a URL has no spaces in it; write %20")
  const origin = scheme === undefined ? undefined : parseOrigin(scheme, authority)
  if (typeof origin === "string") return impossible(origin)
  const isAny = path === "*" || (path === "" && origin === undefined)
  if (isAny && origin === undefined && path === "" && query === undefined) return impossible("it is empty")
  const pattern = isAny ? undefined : parsePath(path === "" ? "/" : path)
  if (typeof pattern === "string") return impossible(pattern)
  return {
    source,
    method,
    origin,
    path: pattern,
    query: query === undefined ? undefined : parsePattern(query)
  }
}

const defaultPorts: Readonly<Record<string, string>> = { http: "80", https: "443" }

const parseOrigin = (written: string, authority: string): OriginPattern | string => {
  const scheme = written.toLowerCase()
  if (!(scheme in defaultPorts)) return `${written}: is neither http: nor https:`
  if (authority.includes("@")) return "a user name and password are sent in a header, not in the URL"
  const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority) ?? []
  if (host === undefined) return `${authority} is not a host, or a host and a port`
  if (host === "") return "it has no host"
  if (/[^\x21-\x7e]/.test(host)) return `the host is sent in ASCII (xn--…), not as ${host}`
  if (host.includes("*") && !/^\*(\.[^*]+)?$/.test(host)) {
    return "* stands for a whole host, or for what is before a dot"
  }
  if (port !== undefined && port !== "" && Number(port) > 65535) return `there is no port ${port}`
  const any = host === "*" ? undefined : defaultPorts[scheme]
  return { scheme, host: host.toLowerCase(), port: port === undefined || port === "" ? any : String(Number(port)) }
}

const parsePath = (path: string): PathPattern | string => {
  if (!path.startsWith("/")) return `a path begins with a slash: /${path}`
  const names: Array<string> = []
  const segments = path.slice(1).split("/")
  const parts: Array<string> = []
  for (const [i, segment] of segments.entries()) {
    if (segment === "." || segment === "..") return `a URL has no ${segment} in its path when it is sent`
    const name = /^:([A-Za-z_][A-Za-z0-9_]*)$/.exec(segment)?.[1]
    if (name !== undefined) {
      if (names.includes(name)) return `it has two of :${name}`
      names.push(name)
      parts.push(`(?<${name}>[^/]+)`)
    } else {
      const isLast = i === segments.length - 1
      const texts = segment.split("*").map((text) => escape(normalizePath(text)))
      // A star at the very end takes all that follows; a whole segment has at least one character.
      if (isLast && segment.endsWith("*")) parts.push(`${texts.slice(0, -1).join("[^/]*")}.*`)
      else parts.push(segment === "*" ? "[^/]+" : texts.join("[^/]*"))
    }
  }
  return { text: path, names, regex: new RegExp(`^/${parts.join("/")}$`, "s") }
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

const parsePattern = (query: string): QueryPattern => {
  const texts = query.split("&")
  return { pairs: parseQuery(texts.filter((text) => text !== "*").join("&")), isOpen: texts.includes("*") }
}

/** What the names in the path stand for, decoded; none when the path is another one. */
export const params = ({ path }: Route, requested: string): Readonly<Record<string, string>> | undefined => {
  if (path === undefined) return {}
  const found = path.regex.exec(normalizePath(requested))
  if (found === null) return undefined
  return Object.fromEntries(path.names.map((name) => [name, percentDecode(found.groups?.[name] ?? "")]))
}
