import * as crypto from "node:crypto"
import * as net from "node:net"
import * as der from "./der.js"

/** What a certificate says. */
export interface Subject {
  readonly commonName: string
  readonly notBefore: Date
  readonly notAfter: Date
  readonly publicKey: crypto.KeyObject
  /** Names and addresses it is good for. An authority has none. */
  readonly names: ReadonlyArray<string>
  readonly use: "authority" | "server" | "client"
}

/** Who signs it. */
export interface Issuer {
  readonly commonName: string
  readonly privateKey: crypto.KeyObject
  readonly publicKey: crypto.KeyObject
}

export const newKey = (): crypto.KeyPairKeyObjectResult => crypto.generateKeyPairSync("ec", { namedCurve: "P-256" })

const ecdsaWithSha256 = der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"))

/** An X.509 version 3 certificate (RFC 5280), signed by ECDSA with SHA-256, as PEM. */
export const certificate = (subject: Subject, issuer: Issuer): string => {
  const body = der.sequence(
    der.context(0, der.integer(Buffer.from([2]))),
    der.integer(serialNumber()),
    ecdsaWithSha256,
    name(issuer.commonName),
    der.sequence(der.time(subject.notBefore), der.time(subject.notAfter)),
    name(subject.commonName),
    subject.publicKey.export({ type: "spki", format: "der" }),
    der.context(3, der.sequence(...extensions(subject, issuer)))
  )
  const signature = crypto.sign("sha256", body, issuer.privateKey)
  return der.pem("CERTIFICATE", der.sequence(body, ecdsaWithSha256, der.bitString(signature)))
}

// RFC 5280 section 4.1.2.2: positive, and unique for each issuer.
const serialNumber = (): Buffer => {
  const bytes = crypto.randomBytes(16)
  bytes[0] = (bytes[0] & 0x7f) | 0x40
  return bytes
}

const name = (commonName: string): Buffer =>
  der.sequence(der.set(der.sequence(der.objectIdentifier("2.5.4.3"), der.utf8String(commonName))))

const extension = (id: string, critical: boolean, content: Uint8Array): Buffer =>
  der.sequence(der.objectIdentifier(id), ...(critical ? [der.boolean(true)] : []), der.octetString(content))

const extensions = (subject: Subject, issuer: Issuer): ReadonlyArray<Buffer> => [
  // The identifiers distinguish one generated authority from another of the same name.
  extension("2.5.29.14", false, der.octetString(keyIdentifier(subject.publicKey))),
  extension("2.5.29.35", false, der.sequence(der.implicit(0, keyIdentifier(issuer.publicKey)))),
  ...(subject.use === "authority" ? authorityExtensions : leafExtensions(subject))
]

const authorityExtensions: ReadonlyArray<Buffer> = [
  extension("2.5.29.19", true, der.sequence(der.boolean(true))),
  // keyCertSign and cRLSign: bits 5 and 6.
  extension("2.5.29.15", true, der.bitString(Buffer.from([0b0000_0110]), 1))
]

const leafExtensions = (subject: Subject): ReadonlyArray<Buffer> => [
  extension("2.5.29.19", true, der.sequence()),
  // digitalSignature: bit 0.
  extension("2.5.29.15", true, der.bitString(Buffer.from([0b1000_0000]), 7)),
  extension(
    "2.5.29.37",
    false,
    der.sequence(der.objectIdentifier(subject.use === "client" ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1"))
  ),
  ...(subject.names.length === 0
    ? []
    : [extension("2.5.29.17", false, der.sequence(...subject.names.map(alternativeName)))])
]

const keyIdentifier = (key: crypto.KeyObject): Buffer =>
  crypto.createHash("sha1").update(key.export({ type: "spki", format: "der" })).digest()

const alternativeName = (host: string): Buffer =>
  net.isIP(host) === 0 ? der.implicit(2, Buffer.from(host, "latin1")) : der.implicit(7, addressBytes(host))

const addressBytes = (address: string): Buffer => {
  if (net.isIPv4(address)) return Buffer.from(address.split(".").map(Number))
  // The URL parser writes an address out in one form: groups without leading zeros, "::" at most once.
  const [head, tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::")
  const groups = (part: string | undefined) => part === undefined || part === "" ? [] : part.split(":")
  const missing = Array<string>(8 - groups(head).length - groups(tail).length).fill("0")
  const all = tail === undefined ? groups(head) : [...groups(head), ...missing, ...groups(tail)]
  return Buffer.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]))
}
