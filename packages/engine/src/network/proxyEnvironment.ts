import { isLocalhost, plainHost } from "./hosts.js"
import { isLoopback, parseAddress } from "./IpAddress.js"
import { type NoProxy, parseNoProxy } from "./NoProxy.js"
import { parseProxy, type Proxy } from "./Proxy.js"

export type Environment = Readonly<Record<string, string | undefined>>

/** The proxy of a request, or undefined where it goes without one. */
export interface ProxyChoice {
  readonly http: Proxy | undefined
  readonly https: Proxy | undefined
  readonly noProxy: NoProxy
}

/** A variable that cannot be used. Nothing of a value that may hold a password is shown. */
export interface InvalidVariable {
  readonly name: string
  /** Which entry of a list is none, if it can be shown. */
  readonly entry?: string | undefined
  readonly expected: string
}

/**
 * The proxies that the environment names: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, each in lower case
 * first. A variable that is empty is none. Undefined where it names no proxy.
 *
 * In a CGI program `HTTP_PROXY` is the header `Proxy` of whoever sent the request ("httpoxy", CVE-2016-5385), so that it is
 * ignored there.
 */
export const proxiesOf = (
  environment: Environment,
  toAscii: (host: string) => string
): ProxyChoice | ReadonlyArray<InvalidVariable> | undefined => {
  const isCgi = environment["REQUEST_METHOD"] !== undefined
  const first = (...names: ReadonlyArray<string>) => names.find((name) => (environment[name]?.trim() ?? "") !== "")
  const problems: Array<InvalidVariable> = []
  const known = new Map<string, Proxy | undefined>()
  const proxyOf = (name: string | undefined): Proxy | undefined => {
    if (name === undefined) return undefined
    if (known.has(name)) return known.get(name)
    const proxy = parseProxy(environment[name]!.trim(), toAscii)
    if ("invalid" in proxy) problems.push({ name, expected: proxy.invalid })
    const usable = "invalid" in proxy ? undefined : proxy
    known.set(name, usable)
    return usable
  }
  const http = proxyOf(first("http_proxy", ...(isCgi ? [] : ["HTTP_PROXY"]), "all_proxy", "ALL_PROXY"))
  const https = proxyOf(first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"))
  const excluding = first("no_proxy", "NO_PROXY")
  const noProxy = parseNoProxy(excluding === undefined ? "" : environment[excluding]!, toAscii)
  if (typeof noProxy !== "function" && (http ?? https) !== undefined) {
    const { invalid } = noProxy
    problems.push({
      name: excluding!,
      ...(isHarmless(invalid) ? { entry: invalid } : {}),
      expected: "names, addresses and ranges, separated by commas, as in .example.com,10.0.0.0/8"
    })
  }
  if (problems.length > 0) return problems
  if ((http ?? https) === undefined || typeof noProxy !== "function") return undefined
  return { http, https, noProxy: (host, port) => isHere(host) || noProxy(host, port) }
}

/** Before an `@` there may be a password. */
const isHarmless = (entry: string): boolean => entry.length <= 60 && /^[\w.:*<>/[\]-]+$/.test(entry)

/** This machine is never reached through a proxy that nobody has named for it. */
const isHere = (host: string): boolean => {
  const name = plainHost(host)
  const address = parseAddress(name)
  return address === undefined ? isLocalhost(name) : isLoopback(address)
}
