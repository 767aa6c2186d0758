import type { LookupAddress } from "node:dns"
import * as net from "node:net"

/**
 * A look-up of the caller's that may be wrong in any way. One that throws, rejects, gives no address (which ends the
 * process in Node) or something that is none, is an error of the dial; what it calls back after the first time is not
 * heard. One that never calls back is bounded by the time for connecting.
 */
export const guardLookup = (lookup: net.LookupFunction): net.LookupFunction => (host, options, callback) => {
  let isOver = false
  const fail = (cause: unknown) => {
    if (isOver) return
    isOver = true
    const error = cause instanceof Error ? cause : new Error(`lookup failed: ${String(cause)}`)
    callback(error, "", 0)
  }
  const found = (given: unknown, family: unknown) => {
    const addresses = (Array.isArray(given) ? given : [{ address: given, family }]).flatMap(toAddress)
    if (addresses.length === 0) return fail(new Error(`lookup gave no IP address for ${host}`))
    if (isOver) return
    isOver = true
    if (options.all === true) callback(null, addresses)
    else callback(null, addresses[0].address, addresses[0].family)
  }
  try {
    const result: unknown = lookup(host, options, (error, address, family) => {
      if (error != null) fail(error)
      else found(address, family)
    })
    // An async function is taken for its callback alone, but its rejection would end the process.
    if (result instanceof Promise) result.catch(fail)
  } catch (cause) {
    fail(cause)
  }
}

const toAddress = (given: unknown): ReadonlyArray<LookupAddress> => {
  const address = typeof given === "object" && given !== null && "address" in given ? given.address : undefined
  if (typeof address !== "string") return []
  const family = net.isIP(address)
  return family === 0 ? [] : [{ address, family }]
}
