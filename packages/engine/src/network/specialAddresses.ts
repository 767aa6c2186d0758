import { type Cidr, contains, type IpAddress, parseCidr, unmapped } from "./IpAddress.js"

/**
 * The IANA registries of special-purpose addresses (RFC 6890; as of October 2025), but for those that are reachable
 * globally, and multicast. What is not listed and is an address of IPv6 has to be in what IANA gives out (`2000::/3`).
 */
const registry: ReadonlyArray<readonly [range: string, name: string]> = [
  ["0.0.0.0/8", "this network"],
  ["10.0.0.0/8", "private use"],
  ["100.64.0.0/10", "shared address space"],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link-local, where clouds keep their metadata"],
  ["172.16.0.0/12", "private use"],
  ["192.0.0.0/24", "IETF protocol assignments"],
  ["192.0.2.0/24", "documentation"],
  ["192.88.99.0/24", "6to4 relay"],
  ["192.168.0.0/16", "private use"],
  ["198.18.0.0/15", "benchmarking"],
  ["198.51.100.0/24", "documentation"],
  ["203.0.113.0/24", "documentation"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  ["::/128", "unspecified"],
  ["::1/128", "loopback"],
  ["::/96", "IPv4-compatible"],
  ["64:ff9b:1::/48", "local NAT64"],
  ["100::/64", "discard only"],
  ["2001::/23", "IETF protocol assignments, Teredo among them"],
  ["2001:db8::/32", "documentation"],
  ["3fff::/20", "documentation"],
  ["5f00::/16", "segment routing"],
  ["fc00::/7", "unique local"],
  ["fe80::/10", "link-local"],
  ["fec0::/10", "site-local"],
  ["ff00::/8", "multicast"]
]

const special = registry.map(([range, name]) => ({ range: parseCidr(range) as Cidr, name }))

const nat64: Cidr = { address: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], bits: 96 }
const sixToFour: Cidr = { address: [0x20, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], bits: 16 }
const globalUnicast: Cidr = { address: [0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], bits: 3 }

/**
 * What is special about an address; undefined for one that is anybody's on the Internet. An address of IPv6 that leads to
 * one of IPv4 (mapped, NAT64, 6to4) is what that is.
 */
export const specialUse = (given: IpAddress): string | undefined => {
  const address = embedded(given)
  const found = special.find(({ range }) => contains(range, address))
  if (found !== undefined) return found.name
  return address.length === 4 || contains(globalUnicast, address) ? undefined : "not given out by IANA"
}

/** The address of IPv4 inside of one of IPv6, where packets go to it; else the address itself. */
export const embedded = (address: IpAddress): IpAddress => {
  if (contains(nat64, address)) return address.slice(12)
  if (contains(sixToFour, address)) return address.slice(2, 6)
  return unmapped(address)
}
