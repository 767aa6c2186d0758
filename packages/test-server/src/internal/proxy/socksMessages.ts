import * as net from "node:net"

/** SOCKS5 (RFC 1928) and its user and password (RFC 1929), without I/O. */

export const version = 5
const authenticationVersion = 1

export const Method = { none: 0, password: 2, noneAcceptable: 255 } as const

export const Code = {
  succeeded: 0,
  failure: 1,
  networkUnreachable: 3,
  hostUnreachable: 4,
  refused: 5,
  commandNotSupported: 7,
  addressTypeNotSupported: 8
} as const

const AddressType = { ipv4: 1, name: 3, ipv6: 4 } as const

export class Malformed extends Error {}

/** What was read and how many bytes it took; `undefined` while it is not complete. */
export type Read<A> = { readonly value: A; readonly length: number } | undefined

/** The methods that a client offers. */
export const readMethods = (bytes: Buffer): Read<ReadonlyArray<number>> => {
  if (bytes.length > 0 && bytes[0] !== version) throw new Malformed(`SOCKS version ${bytes[0]}`)
  if (bytes.length < 2 || bytes.length < 2 + bytes[1]) return undefined
  if (bytes[1] === 0) throw new Malformed("no SOCKS method is offered")
  return { value: [...bytes.subarray(2, 2 + bytes[1])], length: 2 + bytes[1] }
}

export interface Credentials {
  readonly user: string
  readonly password: string
}

export const readCredentials = (bytes: Buffer): Read<Credentials> => {
  if (bytes.length > 0 && bytes[0] !== authenticationVersion) {
    throw new Malformed(`version ${bytes[0]} of SOCKS user and password`)
  }
  if (bytes.length < 2) return undefined
  const passwordAt = 2 + bytes[1]
  if (bytes.length <= passwordAt) return undefined
  const length = passwordAt + 1 + bytes[passwordAt]
  if (bytes.length < length) return undefined
  if (bytes[1] === 0 || bytes[passwordAt] === 0) throw new Malformed("an empty SOCKS user or password")
  const user = bytes.toString("utf8", 2, passwordAt)
  return { value: { user, password: bytes.toString("utf8", passwordAt + 1, length) }, length }
}

export interface Request {
  readonly command: number
  /** Undefined when the address type is not known. */
  readonly target: { readonly host: string; readonly port: number; readonly type: "name" | "ipv4" | "ipv6" } | undefined
}

export const readRequest = (bytes: Buffer): Read<Request> => {
  if (bytes.length > 0 && bytes[0] !== version) throw new Malformed(`SOCKS version ${bytes[0]} of the request`)
  if (bytes.length < 5) return undefined
  if (bytes[2] !== 0) throw new Malformed(`the reserved byte of a SOCKS request is ${bytes[2]}`)
  const command = bytes[1]
  const address = addressOf(bytes)
  if (address === undefined) return { value: { command, target: undefined }, length: bytes.length }
  const length = address.end + 2
  if (bytes.length < length) return undefined
  const host = address.type === "name"
    ? bytes.toString("latin1", address.start, address.end)
    : address.type === "ipv4"
    ? bytes.subarray(address.start, address.end).join(".")
    : ipv6(bytes.subarray(address.start, address.end))
  if (host === "") throw new Malformed("an empty name in a SOCKS request")
  if (address.type === "name" && net.isIP(host) !== 0) {
    throw new Malformed(`the name in a SOCKS request is the address ${host}`)
  }
  return { value: { command, target: { host, port: bytes.readUInt16BE(address.end), type: address.type } }, length }
}

const addressOf = (bytes: Buffer) => {
  switch (bytes[3]) {
    case AddressType.ipv4:
      return { type: "ipv4", start: 4, end: 8 } as const
    case AddressType.ipv6:
      return { type: "ipv6", start: 4, end: 20 } as const
    case AddressType.name:
      return { type: "name", start: 5, end: 5 + bytes[4] } as const
    default:
      return undefined
  }
}

const ipv6 = (bytes: Buffer): string => {
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(n * 2).toString(16))
  // The URL parser writes the shortest form.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1)
}

export const method = (chosen: number): Uint8Array => Uint8Array.of(version, chosen)

export const verdict = (granted: boolean): Uint8Array => Uint8Array.of(authenticationVersion, granted ? 0 : 1)

export const reply = (
  options: {
    readonly version?: number | undefined
    readonly code?: number | undefined
    readonly reserved?: number | undefined
    readonly addressType?: number | undefined
    readonly address?: Uint8Array | undefined
  } = {}
): Uint8Array =>
  Uint8Array.of(
    options.version ?? version,
    options.code ?? Code.succeeded,
    options.reserved ?? 0,
    options.addressType ?? AddressType.ipv4,
    ...(options.address ?? new Uint8Array(6))
  )

/** The code for an error of the system, as RFC 1928 has them. */
export const codeOf = (error: string): number => {
  switch (error) {
    case "ECONNREFUSED":
      return Code.refused
    case "ENETUNREACH":
      return Code.networkUnreachable
    case "EHOSTUNREACH":
    case "ENOTFOUND":
      return Code.hostUnreachable
    default:
      return Code.failure
  }
}
