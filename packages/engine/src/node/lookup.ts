import * as net from "node:net"
import { type Address, rotate } from "../network/index.js"
import { unawaited } from "../unawaited.js"
import { type OnNamed, systemNames } from "./systemNames.js"

/** How a host becomes addresses, for a port. Calls back once, at once or later. */
export type Names = (host: string, port: number, onNamed: OnNamed) => void

/** How many hosts it is remembered of which address they begin with. */
const maxHosts = 1000

/**
 * An address is its own; a name is looked up. Each time the addresses begin with the next one, so that many connections go
 * to all of them.
 */
export const namesOf = (named: Names, family: 4 | 6 | undefined): Names => {
  const counts = new Map<string, number>()
  return (host, port, onNamed) =>
    named(host, port, (error, all) => {
      if (error !== undefined) return onNamed(error, [])
      const addresses = family === undefined ? all : all.filter((each) => each.family === family)
      if (addresses.length === 0) {
        const wanted = family === undefined ? "IP address" : `address of IPv${family}`
        return onNamed(Object.assign(new Error(`${host} has no ${wanted}`), { code: "ENOTFOUND" }), [])
      }
      if (addresses.length === 1) return onNamed(undefined, addresses)
      const count = counts.get(host) ?? 0
      if (counts.size >= maxHosts) counts.clear()
      counts.set(host, count + 1)
      onNamed(undefined, rotate(addresses, count))
    })
}

/** By a function as Node has it, or by the system. */
export const namesBy = (lookup: net.LookupFunction | undefined): Names => {
  const named = lookup === undefined ? systemNames : guarded(lookup)
  return (host, _port, onNamed) => {
    const literal = toAddress({ address: host })
    if (literal.length > 0) onNamed(undefined, literal)
    else named(host, onNamed)
  }
}

/**
 * A look-up of the caller's that may be wrong in any way. One that throws, rejects, gives no address (which ends the
 * process in Node) or something that is none, is an error of the dial; what it calls back after the first time is not
 * noticed. One that never calls back is bounded by the time for connecting.
 */
const guarded = (lookup: net.LookupFunction) => (host: string, onNamed: OnNamed): void => {
  let isOver = false
  const fail = (cause: unknown) => {
    if (isOver) return
    isOver = true
    onNamed(cause instanceof Error ? cause : new Error(`lookup failed: ${String(cause)}`), [])
  }
  const found = (given: unknown) => {
    const addresses = (Array.isArray(given) ? given : [{ address: given }]).flatMap(toAddress)
    if (addresses.length === 0) return fail(new Error(`lookup gave no IP address for ${host}`))
    if (isOver) return
    isOver = true
    onNamed(undefined, addresses)
  }
  try {
    const result: unknown = lookup(host, { all: true }, (error, addresses) => {
      if (error != null) fail(error)
      else found(addresses)
    })
    // An async function is taken for its callback alone.
    unawaited(result, fail)
  } catch (cause) {
    fail(cause)
  }
}

export const toAddress = (given: unknown): ReadonlyArray<Address> => {
  const address = typeof given === "object" && given !== null && "address" in given ? given.address : undefined
  if (typeof address !== "string") return []
  const family = net.isIP(address)
  return family === 0 ? [] : [{ address, family: family as 4 | 6 }]
}
