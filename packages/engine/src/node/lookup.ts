import * as net from "node:net"
import type { Address } from "../network/index.js"
import { type OnNamed, systemNames } from "./systemNames.js"

/** How a host becomes addresses. Calls back once, at once or later. */
export type Names = (host: string, onNamed: OnNamed) => void

/** An address is its own; a name is looked up, by default by the system. */
export const namesOf = (lookup: net.LookupFunction | undefined): Names => {
  const named = lookup === undefined ? systemNames : guarded(lookup)
  return (host, onNamed) => {
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
const guarded = (lookup: net.LookupFunction): Names => (host, onNamed) => {
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
    // An async function is taken for its callback alone, but its rejection would end the process.
    if (result instanceof Promise) result.catch(fail)
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
