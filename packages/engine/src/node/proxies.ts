import { domainToASCII } from "node:url"
import {
  checkCredentials,
  type Environment,
  type NoProxy,
  parseNoProxy,
  parseProxy,
  proxiesOf
} from "../network/index.js"
import { type Problem, showKey } from "../options/index.js"
import type { Origin } from "../Origin.js"
import { unawaited } from "../unawaited.js"
import type { KnownProxy, ProxyOption, ProxySettings } from "./ProxySettings.js"
import { check as checkTls } from "./tls.js"

/** The proxy for a URL. What a function of the caller throws, it throws. */
export interface ProxyChooser {
  readonly proxyOf: (origin: Origin, url: object | undefined) => KnownProxy | undefined
  /** Whether it may say another thing for another URL of the same origin, or later. */
  readonly varies: boolean
  /** Nobody has asked for it but the environment. */
  readonly isEnvironment?: boolean | undefined
  /** For people: what was chosen, if that is known. */
  readonly description: string | undefined
}

/** Reads the option; undefined where no request goes through a proxy. */
export const readProxies = (
  option: ProxyOption,
  environment: Environment,
  path = "proxy"
): ProxyChooser | ReadonlyArray<Problem> | undefined => {
  if (option === "none") return undefined
  if (option === "environment") return fromEnvironment(environment)
  if (typeof option === "function") {
    const read = remembering(path)
    const proxyOf = (origin: Origin, url: object | undefined) => {
      const given: unknown = option(url instanceof URL ? url : new URL(origin.href))
      if (given === undefined || given === "none") return undefined
      unawaited(given)
      if (!isProxyOption(given)) throw new Error(`the function proxy returned what is none: ${expectedProxy}`)
      const { noProxy, proxy } = read(given)
      return noProxy?.(origin.host, origin.port) === true ? undefined : proxy
    }
    return { proxyOf, varies: true, description: undefined }
  }
  const given = readProxy(option, path)
  if (Array.isArray(given)) return given
  const { noProxy, proxy } = given as ReadProxy
  return {
    proxyOf: ({ host, port }) => noProxy?.(host, port) === true ? undefined : proxy,
    varies: false,
    description: proxy.href
  }
}

const expectedProxy = "expected the URL of a proxy, an object with a url, or undefined; not a promise of one"

const isProxyOption = (given: unknown): given is string | ProxySettings =>
  typeof given === "string" ||
  (typeof given === "object" && given !== null && "url" in given && typeof given.url === "string")

const fromEnvironment = (environment: Environment): ProxyChooser | ReadonlyArray<Problem> | undefined => {
  const found = proxiesOf(environment, domainToASCII)
  if (found === undefined) return undefined
  if (!("noProxy" in found)) {
    return found.map(({ entry, expected, name }) => {
      const length = environment[name]!.length
      const which = entry === undefined ? "" : `, in which ${JSON.stringify(entry)} is none`
      const received = `a text of ${length} characters, from the environment${which} (proxy: "none" leaves it out)`
      return { _tag: "InvalidValue", option: name, received, expected }
    })
  }
  const plain = (proxy: typeof found.http) => proxy && { ...proxy, headers: undefined, tls: {} }
  const http = plain(found.http)
  // The same proxy for both shares what it can.
  const https = found.https === found.http ? http : plain(found.https)
  return {
    proxyOf: ({ host, port, scheme }) => found.noProxy(host, port) ? undefined : scheme === "http" ? http : https,
    varies: false,
    isEnvironment: true,
    description: [http && `http: ${http.href}`, https && `https: ${https.href}`].filter(Boolean).join(", ")
  }
}

interface ReadProxy {
  readonly proxy: KnownProxy
  readonly noProxy: NoProxy | undefined
}

const readProxy = (given: string | ProxySettings, path: string): ReadProxy | ReadonlyArray<Problem> => {
  const { headers, noProxy, password, tls = {}, url, username } = typeof given === "string"
    ? { url: given } as ProxySettings
    : given
  const here = typeof given === "string" ? path : `${path}.url`
  const received = `a text of ${String(url).length} characters`
  const proxy = parseProxy(url, domainToASCII)
  if ("invalid" in proxy) return [{ _tag: "InvalidValue", option: here, received, expected: proxy.invalid }]
  const credentials = username === undefined && password === undefined
    ? proxy.credentials
    : { username: username ?? "", password: password ?? "" }
  const unsendable = credentials && checkCredentials(proxy.scheme, credentials)
  if (unsendable !== undefined) {
    return [{ _tag: "InvalidValue", option: `${path}.username`, received: "a text", expected: unsendable }]
  }
  const excluded = noProxy === undefined
    ? undefined
    : parseNoProxy(typeof noProxy === "string" ? noProxy : noProxy.join(","), domainToASCII)
  if (excluded !== undefined && typeof excluded !== "function") {
    const expected = "names, addresses and ranges, as in .example.com,10.0.0.0/8"
    return [{ _tag: "InvalidValue", option: `${path}.noProxy`, received: showKey(excluded.invalid), expected }]
  }
  const unusable = checkTls(tls, `${path}.tls`)
  return unusable.length > 0 ? unusable : { proxy: { ...proxy, credentials, headers, tls }, noProxy: excluded }
}

/** How many proxies a function may name until the first of them is forgotten. */
const maxProxies = 1000

/**
 * The same proxy for the same value, whichever object it is in: else no connection would ever be used twice. What cannot be
 * compared by its text, a function or TLS options, is the same if it is the same object.
 */
const remembering = (path: string) => {
  const byText = new Map<string, ReadProxy>()
  const numbers = new WeakMap<object, number>()
  let last = 0
  const numberOf = (value: object): number => {
    if (!numbers.has(value)) numbers.set(value, ++last)
    return numbers.get(value)!
  }
  const textOf = (given: string | ProxySettings): string => {
    if (typeof given === "string") return given
    const { headers, noProxy, password, tls, url, username } = given
    const own = typeof headers === "function" ? numberOf(headers) : headers
    return JSON.stringify([url, username, password, noProxy, own, tls && numberOf(tls)])
  }
  return (given: string | ProxySettings): ReadProxy => {
    const text = textOf(given)
    const known = byText.get(text)
    if (known !== undefined) return known
    const read = readProxy(given, path)
    if (Array.isArray(read)) throw new Error(`the function proxy returned what is none: expected ${read[0].expected}`)
    if (byText.size >= maxProxies) byText.clear()
    byText.set(text, read as ReadProxy)
    return read as ReadProxy
  }
}
