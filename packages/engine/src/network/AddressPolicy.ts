import { isPromise, unawaited } from "../unawaited.js"
import { isLocalhost, plainHost } from "./hosts.js"
import { parseAddress } from "./IpAddress.js"
import { type NoProxy, parseNoProxy, type ToAscii } from "./NoProxy.js"
import { embedded, specialUse } from "./specialAddresses.js"

/** What is about to be connected to. */
export interface AddressTarget {
  /** The host of the URL. */
  readonly host: string
  readonly port: number
  /** One of its addresses; the path of a Unix socket; or undefined where a proxy resolves the name. */
  readonly address: string | undefined
  readonly family: 4 | 6 | "unix" | undefined
}

/** What may be reached, as the face has it. */
export interface AddressPolicySettings {
  readonly publicOnly?: boolean | undefined
  readonly allow?: ReadonlyArray<string> | undefined
  readonly deny?: ReadonlyArray<string> | undefined
  readonly check?: ((target: AddressTarget) => boolean) | undefined
  readonly throughProxy?: "literals-only" | "resolve-here" | undefined
}

/** Why a target may not be reached; undefined if it may. */
export type AddressJudge = (target: AddressTarget) => string | undefined

/** Reads the lists of a policy; or which entry of which list is none. */
export const readPolicy = (
  { allow, check, deny, publicOnly }: AddressPolicySettings,
  toAscii: ToAscii
): AddressJudge | { readonly list: "allow" | "deny"; readonly invalid: string } => {
  const denied = readList(deny ?? [], toAscii)
  if ("invalid" in denied) return { list: "deny", ...denied }
  const allowed = readList(allow ?? [], toAscii)
  if ("invalid" in allowed) return { list: "allow", ...allowed }
  const byList = (target: AddressTarget): string | undefined => {
    if (denied.has(target)) return "it is on the list addressPolicy.deny"
    if (allowed.has(target)) return undefined
    if (publicOnly === true) return notPublic(target)
    return allow === undefined ? undefined : "it is not on the list addressPolicy.allow"
  }
  return (target) => {
    const reason = byList(target)
    if (reason !== undefined || check === undefined) return reason
    try {
      const allowed: unknown = check(target)
      unawaited(allowed)
      if (allowed === true) return undefined
      return isPromise(allowed)
        ? "addressPolicy.check returned a promise: expected true or false"
        : "addressPolicy.check says so"
    } catch (cause) {
      return `addressPolicy.check threw${cause instanceof Error ? ` (${cause.message})` : ""}`
    }
  }
}

interface List {
  readonly has: (target: AddressTarget) => boolean
}

/** Hosts as `NO_PROXY` lists them, and paths of Unix sockets. */
const readList = (entries: ReadonlyArray<string>, toAscii: ToAscii): List | { readonly invalid: string } => {
  const isPath = (entry: string) => /^[/\\]/.test(entry)
  const hosts = parseNoProxy(entries.filter((entry) => !isPath(entry)).join(","), toAscii)
  if (typeof hosts !== "function") return hosts
  const paths = new Set(entries.filter(isPath))
  return { has: (target) => target.family === "unix" ? paths.has(target.address ?? "") : isListed(hosts, target) }
}

const isListed = (hosts: NoProxy, { address, host, port }: AddressTarget): boolean => {
  if (hosts(host, port)) return true
  if (address === undefined) return false
  if (hosts(address, port)) return true
  const parsed = parseAddress(address)
  if (parsed === undefined) return false
  // What an address of IPv6 leads to is listed as that; and what is no address leads to this machine.
  const inside = embedded(parsed)
  if (inside.every((octet) => octet === 0)) return hosts(inside.length === 4 ? "127.0.0.1" : "::1", port)
  return inside.length === 4 && hosts(inside.join("."), port)
}

const notPublic = ({ address, family, host }: AddressTarget): string | undefined => {
  if (family === "unix") return "it is a socket of this machine, and addressPolicy.publicOnly is set"
  const text = address ?? plainHost(host)
  const parsed = parseAddress(text)
  const use = parsed === undefined ? isLocalhost(text) ? "loopback" : undefined : specialUse(parsed)
  return use === undefined ? undefined : `it is no public address (${use}), and addressPolicy.publicOnly is set`
}
