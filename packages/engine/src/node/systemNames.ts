import * as dns from "node:dns"
import type { Address } from "../network/index.js"
import { lookUpFailure } from "./descriptorLimit.js"

export type OnNamed = (error: Error | undefined, addresses: ReadonlyArray<Address>) => void

/**
 * How many names the system is asked for at once. It does that on the threads of libuv, of which there are four, also for
 * files; and a question that was asked cannot be taken back.
 */
const maxAsked = 2

const waiting: Array<() => void> = []
let asked = 0

/** The waiters for the addresses of a name that is being asked for. */
const askers = new Map<string, Array<OnNamed>>()

/** The addresses of a name as the system has them (`getaddrinfo`). Whoever asks meanwhile for the same gets the same. */
export const systemNames = (host: string, onNamed: OnNamed): void => {
  const others = askers.get(host)
  if (others !== undefined) return void others.push(onNamed)
  const own = [onNamed]
  askers.set(host, own)
  const ask = () => {
    asked++
    dns.lookup(host, { all: true }, (error, found) => {
      asked--
      askers.delete(host)
      waiting.shift()?.()
      const addresses = error === null ? found as ReadonlyArray<Address> : []
      const failure = error === null ? undefined : lookUpFailure(error)
      for (const each of own) each(failure, addresses)
    })
  }
  if (asked < maxAsked) ask()
  else waiting.push(ask)
}
