import { createHash, X509Certificate } from "node:crypto"
import type { DetailedPeerCertificate, PeerCertificate } from "node:tls"

/** No key of the certificates that a server showed is pinned. */
export interface PinMismatch {
  readonly host: string
  /** The pins of what it showed, its own first: what would be pinned if it were right. */
  readonly shown: ReadonlyArray<string>
}

/** SHA-256 of a public key (SPKI), as `sha256/` and base64, or without the beginning. */
export const isPin = (pin: string): boolean => /^(sha256\/)?[A-Za-z0-9+/]{43}=$/.test(pin)

const plain = (pin: string): string => pin.replace(/^sha256\//, "")

const pinOf = (certificate: PeerCertificate): string => {
  const key = new X509Certificate(certificate.raw).publicKey.export({ type: "spki", format: "der" })
  return createHash("sha256").update(key).digest("base64")
}

/** Those of a server's chain, which ends with a certificate that is its own issuer, or is not there. */
const chainOf = (leaf: DetailedPeerCertificate): ReadonlyArray<string> => {
  const pins: Array<string> = []
  let certificate: DetailedPeerCertificate | undefined = leaf
  const seen = new Set<string>()
  while (certificate?.raw !== undefined && !seen.has(certificate.fingerprint256)) {
    seen.add(certificate.fingerprint256)
    pins.push(pinOf(certificate))
    certificate = certificate.issuerCertificate
  }
  return pins
}

/** Undefined if the server, or an authority above it, has a key that is pinned. */
export const mismatch = (
  host: string,
  certificate: PeerCertificate,
  pins: ReadonlyArray<string>
): PinMismatch | undefined => {
  const shown = chainOf(certificate as DetailedPeerCertificate)
  const known = new Set(pins.map(plain))
  return shown.some((pin) => known.has(pin)) ? undefined : { host, shown: shown.map((pin) => `sha256/${pin}`) }
}
