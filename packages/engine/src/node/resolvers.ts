// Not its names one by one: `dns.setServers` replaces its functions by others.
import dns, { type RecordWithTtl } from "node:dns"
import * as net from "node:net"
import { domainToASCII } from "node:url"
import type { HostTime } from "../Host.js"
import { type Address, NameCache, plainHost } from "../network/index.js"
import { type Problem, show, showKey } from "../options/index.js"
import { lookUpFailure } from "./descriptorLimit.js"
import type { Names } from "./lookup.js"
import { type OnNamed, systemNames } from "./systemNames.js"

/** Where a host leads: addresses, or other names, each with or without a port. */
export type Targets = string | ReadonlyArray<string>

/**
 * - `system`: as all programs of the machine.
 * - `dns`: by name servers alone, for as long as they say.
 * - a table from `host:port` or `host` to where it leads; what is not in it, as the system.
 * - a function.
 */
export type ResolveOption =
  | "system"
  | "dns"
  | Readonly<Record<string, Targets>>
  | ((host: string, port: number) => unknown)

export const resolverOf = (resolve: ResolveOption, time: Pick<HostTime, "elapsed">): Names => {
  const named: Names = resolve === "system"
    ? (host, _port, onNamed) => systemNames(host, onNamed)
    : resolve === "dns"
    ? byNameServer(time)
    : typeof resolve === "function"
    ? byFunction(resolve)
    : byTable(resolve)
  // In a table, and for a function, an address can lead elsewhere too.
  return resolve === "system" || resolve === "dns"
    ? (host, port, onNamed) => {
      const literal = addressOf(host)
      if (literal === undefined) named(host, port, onNamed)
      else onNamed(undefined, [literal])
    }
    : named
}

const expectedKey = "a host with or without a port, as api.example.com:443"
const expectedTarget = "an address or a name, with or without a port from 1 to 65535"
const expectedTargets =
  "an address or a name, or several, each with or without a port from 1 to 65535, as 127.0.0.1:8443"

/** What is wrong with a table; a function is found out when it is asked. */
export const checkResolve = (resolve: ResolveOption | undefined, path: string): ReadonlyArray<Problem> => {
  if (typeof resolve !== "object") return []
  return Object.entries(resolve).flatMap(([key, targets]): ReadonlyArray<Problem> => {
    const option = `${path}[${showKey(key)}]`
    const all: ReadonlyArray<unknown> = Array.isArray(targets) ? targets : [targets]
    const wrong = all.find((target) => !isTarget(target))
    return [
      ...(isTarget(key) ? [] : [{ _tag: "InvalidValue", option, received: "no host", expected: expectedKey } as const]),
      ...(wrong === undefined && all.every((target) => target !== undefined)
        ? []
        : [{ _tag: "InvalidValue", option, received: show(wrong), expected: expectedTargets } as const])
    ]
  })
}

/** A host as somebody may write it, with or without a port. */
const isTarget = (text: unknown): text is string => {
  if (typeof text !== "string") return false
  const { host, port } = split(text)
  return isHost(host) && (port === undefined || (port > 0 && port < 65_536))
}

const isHost = (host: string): boolean =>
  net.isIP(host) !== 0 || (!/[\s:/?#@[\]*]/.test(host) && domainToASCII(plainHost(host)) !== "")

const byTable = (table: Readonly<Record<string, Targets>>): Names => {
  const targets = new Map(Object.entries(table).map(([host, targets]) => [plainKey(host), targets]))
  return (host, port, onNamed) => {
    const name = plainHost(host)
    const found = targets.get(`${name}:${port}`) ?? targets.get(name)
    lookUp(found ?? host, host, onNamed)
  }
}

/** `[::1]:443` and `Example.com.:443` as they are looked for. */
const plainKey = (key: string): string => {
  const { host, port } = split(key)
  const name = net.isIP(host) === 0 ? domainToASCII(plainHost(host)) : plainHost(host)
  return port === undefined ? name : `${name}:${port}`
}

/** A function of the caller's, which may be wrong in any way. */
const byFunction = (resolve: (host: string, port: number) => unknown): Names => (host, port, onNamed) => {
  const fail = (cause: unknown) =>
    onNamed(cause instanceof Error ? cause : new Error(`resolve failed: ${describe(cause)}`), [])
  const take = (given: unknown) => {
    const targets = typeof given === "string" ? [given] : given
    if (Array.isArray(targets) && targets.every(isTarget)) lookUp(targets, host, onNamed)
    else fail(new Error(`resolve gave no addresses for ${host}: expected an array, each item ${expectedTarget}`))
  }
  try {
    const given = resolve(host, port)
    if (given instanceof Promise) given.then(take, fail)
    else take(given)
  } catch (cause) {
    fail(cause)
  }
}

const describe = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "_tag" in cause ? String(cause._tag) : String(cause)

/** Addresses are their own; names are looked up by the system. */
const lookUp = (targets: Targets, host: string, onNamed: OnNamed): void => {
  const all = typeof targets === "string" ? [targets] : targets
  const found: Array<ReadonlyArray<Address>> = []
  let left = all.length
  let failure: Error | undefined = undefined
  if (left === 0) return onNamed(Object.assign(new Error(`${host} has no IP address`), { code: "ENOTFOUND" }), [])
  const end = () => {
    if (--left > 0) return
    const addresses = found.flat()
    onNamed(addresses.length === 0 ? failure : undefined, addresses)
  }
  all.forEach((target, n) => {
    const { host, port } = split(target)
    const literal = addressOf(host)
    if (literal !== undefined) {
      found[n] = [port === undefined ? literal : { ...literal, port }]
      return end()
    }
    systemNames(host, (error, addresses) => {
      failure ??= error
      found[n] = port === undefined ? addresses : addresses.map((each) => ({ ...each, port }))
      end()
    })
  })
}

/** `host:port`, `[::1]:port`, `host` or `::1`. */
const split = (target: string): { readonly host: string; readonly port: number | undefined } => {
  if (net.isIP(target) !== 0) return { host: target, port: undefined }
  const [, host = target, port] = /^(.*?)(?::(\d{1,5}))?$/.exec(target) ?? []
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: port === undefined ? undefined : Number(port) }
}

const addressOf = (host: string): Address | undefined => {
  const family = net.isIP(host)
  return family === 0 ? undefined : { address: host, family: family as 4 | 6 }
}

/** By name servers (`dns.resolve4`, `dns.resolve6`), and kept for as long as they say, one question for all who ask. */
const byNameServer = ({ elapsed }: Pick<HostTime, "elapsed">): Names => {
  const cache = new NameCache()
  const askers = new Map<string, Array<OnNamed>>()
  const ask = (name: string, onEnd: (error: Error | undefined, addresses: ReadonlyArray<Address>) => void) => {
    const found: Array<ReadonlyArray<Address>> = [[], []]
    let [ttl, left] = [Infinity, 2]
    let failure: NodeJS.ErrnoException | undefined = undefined
    const take = (family: 4 | 6) => (error: NodeJS.ErrnoException | null, records: ReadonlyArray<RecordWithTtl>) => {
      if (error === null) {
        found[family === 4 ? 1 : 0] = records.map(({ address }) => ({ address, family }))
        for (const record of records) ttl = Math.min(ttl, record.ttl * 1000)
      } else if (failure === undefined || isNegative(failure)) failure = error
      if (--left > 0) return
      const addresses = found.flat()
      // That a server did not respond says nothing about the name.
      if (addresses.length > 0 || failure === undefined || isNegative(failure)) {
        cache.set(name, { addresses, ttl }, elapsed())
      }
      onEnd(addresses.length > 0 || failure === undefined ? undefined : lookUpFailure(failure), addresses)
    }
    dns.resolve4(name, { ttl: true }, take(4))
    dns.resolve6(name, { ttl: true }, take(6))
  }
  return (host, _port, onNamed) => {
    const name = plainHost(host)
    const known = cache.get(name, elapsed())
    if (known !== undefined) return onNamed(undefined, known)
    const others = askers.get(name)
    if (others !== undefined) return void others.push(onNamed)
    const own = [onNamed]
    askers.set(name, own)
    ask(name, (error, addresses) => {
      askers.delete(name)
      for (const each of own) each(error, addresses)
    })
  }
}

const isNegative = ({ code }: NodeJS.ErrnoException): boolean => code === "ENOTFOUND" || code === "ENODATA"
