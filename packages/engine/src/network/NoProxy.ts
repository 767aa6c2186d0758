import { isWithin, plainHost } from "./hosts.js"
import { type Cidr, contains, parseAddress, parseCidr, unmapped } from "./IpAddress.js"

/** Hosts that are reached without the proxy. */
export type NoProxy = (host: string, port: number) => boolean

type Entry =
  | { readonly _tag: "Any"; readonly port: number | undefined }
  | { readonly _tag: "Name"; readonly name: string; readonly port: number | undefined }
  | { readonly _tag: "Range"; readonly range: Cidr; readonly port: number | undefined }

/** What makes of a name the form that URLs have it in (`bücher.example` is `xn--bcher-kva.example`). */
export type ToAscii = (name: string) => string

/**
 * Reads a list as `NO_PROXY` has it; or what of it is none. Entries are separated by commas or spaces:
 *
 * - `*`: every host.
 * - `example.com`, `.example.com`, `*.example.com`: the name and all names below it.
 * - `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`, `[::1]`: addresses. A name is not looked up for them.
 * - each with `:port`, addresses of IPv6 in brackets then: this port only.
 */
export const parseNoProxy = (list: string, toAscii: ToAscii): NoProxy | { readonly invalid: string } => {
  const entries: Array<Entry> = []
  for (const text of list.split(/[\s,]+/)) {
    if (text === "") continue
    const entry = parseEntry(text, toAscii)
    if (entry === undefined) return { invalid: text }
    entries.push(entry)
  }
  return (host, port) => {
    const name = plainHost(host)
    const parsed = parseAddress(name)
    const address = parsed === undefined ? undefined : unmapped(parsed)
    return entries.some((entry) => {
      if (entry.port !== undefined && entry.port !== port) return false
      switch (entry._tag) {
        case "Any":
          return true
        case "Name":
          return address === undefined && isWithin(name, entry.name)
        case "Range":
          return address !== undefined && contains(entry.range, address)
      }
    })
  }
}

const parseEntry = (text: string, toAscii: ToAscii): Entry | undefined => {
  const whole = rangeOf(text)
  if (whole !== undefined) return { _tag: "Range", range: whole, port: undefined }
  const [, host, digits] = /^(.*?)(?::(\d+))?$/.exec(text) ?? []
  const port = digits === undefined ? undefined : Number(digits)
  if (host === undefined || host === "" || (port !== undefined && (port < 1 || port > 65_535))) return undefined
  if (host === "*") return { _tag: "Any", port }
  const range = rangeOf(host)
  if (range !== undefined) return { _tag: "Range", range, port }
  const name = plainHost(toAscii(host.replace(/^\*?\./, "")))
  // No name has these, and what ends in a number is an address to those who connect.
  return /^[a-z\d_-]+(\.[a-z\d_-]+)*$/.test(name) && !/(^|\.)\d+$/.test(name) ? { _tag: "Name", name, port } : undefined
}

/** The whole of a range of mapped addresses is one of IPv4. */
const rangeOf = (text: string): Cidr | undefined => {
  const range = parseCidr(text.replace(/^\[(.*)\](\/\d+)?$/, "$1$2"))
  if (range === undefined) return undefined
  const address = unmapped(range.address)
  return address.length === range.address.length || range.bits < 96 ? range : { address, bits: range.bits - 96 }
}
