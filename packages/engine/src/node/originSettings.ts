import * as net from "node:net"
import { type AddressPolicySettings, type Environment, plainHost } from "../network/index.js"
import { describeAll, type Problem, show, showKey } from "../options/index.js"
import type { Origin } from "../Origin.js"
import type { OriginLimits } from "../OriginLimits.js"
import type { RequestTimeouts } from "../RequestTimeouts.js"
import { unawaited } from "../unawaited.js"
import { layTls } from "./layTls.js"
import type { OriginSettings } from "./OriginNetwork.js"
import { readPolicy } from "./policies.js"
import { readProxies } from "./proxies.js"
import type { ProxyOption } from "./ProxySettings.js"
import { checkResolve, type ResolveOption } from "./resolvers.js"
import { defaultTcp } from "./TcpSettings.js"
import { check as checkTls, withoutDot } from "./tls.js"
import type { TlsSettings } from "./TlsSettings.js"

/** What can be said for one origin, as the face has it. */
export interface OriginOptions {
  readonly tls?: TlsSettings | undefined
  readonly proxy?: ProxyOption | undefined
  readonly addressPolicy?: "public-only" | AddressPolicySettings | undefined
  readonly resolve?: ResolveOption | undefined
  readonly lookup?: net.LookupFunction | undefined
  readonly socketPath?: string | undefined
  readonly localAddress?: string | undefined
  readonly family?: 4 | 6 | undefined
  /** In milliseconds. */
  readonly keepAliveDelay?: number | undefined
  readonly keepAliveInterval?: number | undefined
  readonly noDelay?: boolean | undefined
  /** What was given of them, in numbers and milliseconds. */
  readonly limits?: Partial<OriginLimits> | undefined
  readonly timeouts?: Partial<RequestTimeouts> | undefined
}

/** Options by origin or host, or a function that has them. */
export type OriginsOption = Readonly<Record<string, OriginOptions>> | ((url: URL) => OriginOptions | undefined)

/** Reads options over others: what is not given is as there. */
export const readSettings = (
  options: OriginOptions,
  environment: Environment,
  base: OriginSettings | undefined,
  path = ""
): OriginSettings | ReadonlyArray<Problem> => {
  const within = (name: string) => path === "" ? name : `${path}.${name}`
  const tls = layTls(base?.tls, options.tls)
  const problems: Array<Problem> = options.tls === undefined ? [] : [...checkTls(tls, within("tls"))]
  problems.push(...checkResolve(options.resolve, within("resolve")))
  if (options.localAddress !== undefined && net.isIP(options.localAddress) === 0) {
    const expected = "an IP address of this machine, as 10.0.0.1; the name of an interface is none"
    const received = show(options.localAddress)
    problems.push({ _tag: "InvalidValue", option: within("localAddress"), received, expected })
  }
  const policy = options.addressPolicy === undefined
    ? base?.policy
    : take(readPolicy(options.addressPolicy, within("addressPolicy")), problems)
  // Who wants addresses judged does not want somebody else to look them up without having been asked.
  const isUnasked = options.proxy === undefined || options.proxy === "environment"
  const proxies = options.proxy === undefined && base !== undefined
    ? base.proxies?.isEnvironment === true && policy !== undefined ? undefined : base.proxies
    : isUnasked && policy !== undefined
    ? undefined
    : take(readProxies(options.proxy ?? "environment", environment, within("proxy")), problems)
  if (problems.length > 0) return problems
  const { family = base?.family, limits, localAddress = base?.localAddress, timeouts } = options
  const { keepAliveDelay, keepAliveInterval, noDelay } = base?.tcp ?? defaultTcp
  const tcp = {
    keepAliveDelay: options.keepAliveDelay ?? keepAliveDelay,
    keepAliveInterval: options.keepAliveInterval ?? keepAliveInterval,
    noDelay: options.noDelay ?? noDelay
  }
  return { ...namesOf(options, base), tls, policy, proxies, family, localAddress, tcp, limits, timeouts }
}

/** What says where connections go replaces all that said so before. */
const namesOf = (
  { lookup, resolve, socketPath }: OriginOptions,
  base: OriginSettings | undefined
): Pick<OriginSettings, "lookup" | "resolve" | "socketPath"> =>
  base === undefined || lookup !== undefined || resolve !== undefined || socketPath !== undefined
    ? { lookup, resolve, socketPath }
    : { lookup: base.lookup, resolve: base.resolve, socketPath: base.socketPath }

const take = <A extends object>(
  read: A | ReadonlyArray<Problem> | undefined,
  problems: Array<Problem>
): A | undefined => {
  if (!Array.isArray(read)) return read as A | undefined
  problems.push(...read as ReadonlyArray<Problem>)
  return undefined
}

export interface SettingsByOrigin {
  /** The settings of an origin that has its own; the same object for the same ones. It throws an `OriginsFault`. */
  readonly of: (origin: Origin) => OriginSettings | undefined
  /** Whether a proxy is chosen anew for each request. */
  readonly varies: boolean
  /** Whether one may have a `total` of its own. */
  readonly hasTotals: boolean
}

/** How many origins are remembered that a function was asked for. */
const maxOrigins = 1000

/** `read` finds out whether options are right, and makes settings of them. */
export const settingsByOrigin = (
  origins: OriginsOption,
  read: (options: OriginOptions, path: string) => OriginSettings | ReadonlyArray<Problem>
): SettingsByOrigin | ReadonlyArray<Problem> => {
  if (typeof origins === "function") return byFunction(origins, read)
  const problems: Array<Problem> = []
  const entries: Array<Entry> = []
  for (const [pattern, options] of Object.entries(origins)) {
    const path = `origins[${showKey(pattern)}]`
    const matches = matcherOf(pattern)
    const settings = take(read(options, path), problems)
    if (matches === undefined) {
      const expected = "an origin or a host, as https://api.example.com, api.example.com:8443, *.example.com"
      problems.push({ _tag: "InvalidValue", option: "origins", received: "a name that is none", expected })
    } else if (settings !== undefined) entries.push({ ...matches, settings })
  }
  if (problems.length > 0) return problems
  // The one that says most is the one that counts.
  entries.sort((a, b) => b.weight - a.weight)
  return {
    of: (origin) => entries.find(({ matches }) => matches(origin))?.settings,
    varies: entries.some(({ settings }) => settings.proxies?.varies === true),
    hasTotals: entries.some(({ settings }) => settings.timeouts?.total !== undefined)
  }
}

interface Matcher {
  readonly matches: (origin: Origin) => boolean
  readonly weight: number
}

interface Entry extends Matcher {
  readonly settings: OriginSettings
}

const matcherOf = (pattern: string): Matcher | undefined => {
  if (pattern.includes("://")) {
    const url = URL.canParse(pattern) ? new URL(pattern) : undefined
    const isOrigin = url !== undefined && url.origin !== "null" && url.pathname === "/" && url.search + url.hash === ""
    return isOrigin ? { matches: ({ href }) => href === url.origin, weight: 3_000_000 } : undefined
  }
  // Without brackets a number behind an address of IPv6 is a part of it.
  const [, wildcard, name, digits] =
    /^(\*(?:\.|$))?([^*/\s]*?)(?::(\d+))?$/.exec(net.isIPv6(pattern) ? `[${pattern}]` : pattern) ?? []
  if (digits !== undefined && !(Number(digits) > 0 && Number(digits) < 65_536)) return undefined
  if (name === undefined || (name === "" && wildcard !== "*")) return undefined
  const port = digits === undefined ? undefined : Number(digits)
  const isPort = (origin: Origin) => port === undefined || port === origin.port
  if (name === "") return { matches: isPort, weight: port === undefined ? 0 : 1 }
  if (!URL.canParse(`http://${name}`)) return undefined
  const { hostname } = new URL(`http://${name}`)
  const host = plainHost(hostname)
  const weight = host.length * 10 + (port === undefined ? 0 : 1)
  return wildcard === undefined
    ? { matches: (origin) => withoutDot(origin.host) === host && isPort(origin), weight: 2_000_000 + weight }
    : {
      matches: (origin) => withoutDot(origin.host).endsWith(`.${host}`) && isPort(origin),
      weight: 1_000_000 + weight
    }
}

/** What the caller's function of origins has done wrong. */
export class OriginsFault extends Error {}

const asked = (origins: (url: URL) => OriginOptions | undefined, url: URL): OriginOptions | undefined => {
  try {
    const options = origins(url)
    unawaited(options)
    return options
  } catch (cause) {
    throw new OriginsFault(`the function origins threw: ${cause instanceof Error ? cause.message : typeof cause}`, {
      cause
    })
  }
}

/** It is asked once for each origin, so that its connections can be used again. */
const byFunction = (
  origins: (url: URL) => OriginOptions | undefined,
  read: (options: OriginOptions, path: string) => OriginSettings | ReadonlyArray<Problem>
): SettingsByOrigin => {
  const known = new Map<string, OriginSettings | undefined>()
  const byOptions = new WeakMap<OriginOptions, OriginSettings>()
  const settingsOf = (options: OriginOptions, href: string): OriginSettings => {
    const before = byOptions.get(options)
    if (before !== undefined) return before
    const settings = read(options, `origins(${href})`)
    if (Array.isArray(settings)) {
      throw new OriginsFault(`the function origins has returned what is not right: ${describeAll(settings)}`)
    }
    byOptions.set(options, settings as OriginSettings)
    return settings as OriginSettings
  }
  const of = ({ href }: Origin) => {
    if (known.has(href)) return known.get(href)
    const options = asked(origins, new URL(href))
    const settings = options === undefined ? undefined : settingsOf(options, href)
    if (known.size >= maxOrigins) known.clear()
    known.set(href, settings)
    return settings
  }
  return { of, varies: true, hasTotals: true }
}
