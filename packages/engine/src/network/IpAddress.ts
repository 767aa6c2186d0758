/** An IP address: 4 octets or 16. */
export type IpAddress = ReadonlyArray<number>

/** All addresses that begin with the same bits. */
export interface Cidr {
  readonly address: IpAddress
  readonly bits: number
}

/** An address as text; brackets around one of IPv6, and a zone behind it, are left out. Undefined for what is none. */
export const parseAddress = (text: string): IpAddress | undefined => {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text
  return bare.includes(":") ? parseIpv6(bare.replace(/%.*$/, "")) : parseIpv4(text)
}

/** Dotted decimals. What has leading zeros is octal to some and decimal to others, so it is no address. */
const parseIpv4 = (text: string): IpAddress | undefined => {
  const octets = text.split(".")
  const isAddress = octets.length === 4 &&
    octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256)
  return isAddress ? octets.map(Number) : undefined
}

const parseIpv6 = (text: string): IpAddress | undefined => {
  const halves = text.split("::")
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(groupsOf)
  if (head === undefined) return undefined
  if (halves.length === 1) return head.length === 16 ? head : undefined
  // `::` stands for at least one group.
  if (tail === undefined || head.length + tail.length > 14) return undefined
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail]
}

/** The octets of one side of `::`. */
const groupsOf = (text: string): IpAddress | undefined => {
  if (text === "") return []
  const octets: Array<number> = []
  const groups = text.split(":")
  for (let n = 0; n < groups.length; n++) {
    const group = groups[n]
    const embedded = n === groups.length - 1 && group.includes(".") ? parseIpv4(group) : undefined
    if (embedded !== undefined) octets.push(...embedded)
    else if (/^[\da-f]{1,4}$/i.test(group)) octets.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 255)
    else return undefined
  }
  return octets
}

/** `address/bits`, or an address, which is a range of one. */
export const parseCidr = (text: string): Cidr | undefined => {
  const [, base, bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = base === undefined ? undefined : parseAddress(base)
  if (address === undefined) return undefined
  const most = address.length * 8
  return bits !== undefined && Number(bits) > most
    ? undefined
    : { address, bits: bits === undefined ? most : Number(bits) }
}

export const contains = ({ address, bits }: Cidr, other: IpAddress): boolean => {
  if (address.length !== other.length) return false
  for (let n = 0, left = bits; left > 0; n++, left -= 8) {
    const mask = left >= 8 ? 255 : (255 << (8 - left)) & 255
    if ((address[n] & mask) !== (other[n] & mask)) return false
  }
  return true
}

const mapped: Cidr = { address: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0], bits: 96 }

/** The IPv4 address that an IPv6 one stands for where the system connects to that (`::ffff:0:0/96`, RFC 4291 §2.5.5.2). */
export const unmapped = (address: IpAddress): IpAddress => contains(mapped, address) ? address.slice(12) : address

/** Whether it is this machine: loopback, or no address at all, which connects to it too. */
export const isLoopback = (address: IpAddress): boolean => {
  const own = unmapped(address)
  return own.length === 4
    ? own[0] === 127 || own.every((octet) => octet === 0)
    : own.slice(0, 15).every((octet) => octet === 0) && own[15] < 2
}
