import type { PeerCertificate } from "node:tls"
import type { PinMismatch } from "./pins.js"

/** Text of one or several PEM blocks, or its bytes. */
export type Pem = string | Uint8Array | ReadonlyArray<string | Uint8Array>

/** What TLS connections are made with; the face documents it. */
export interface TlsSettings {
  readonly ca?: Pem | undefined
  readonly cert?: Pem | undefined
  readonly key?: Pem | undefined
  readonly passphrase?: string | undefined
  readonly servername?: string | undefined
  readonly checkServerIdentity?: ((host: string, certificate: PeerCertificate) => Error | undefined) | undefined
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3" | undefined
  readonly rejectUnauthorized?: boolean | undefined
  readonly files?: TlsFiles | undefined
  readonly pins?: ReadonlyArray<string> | undefined
  /** Called in place of failing. */
  readonly pinReport?: ((mismatch: PinMismatch) => void) | undefined
  /** The file that the keys of connections are written to. */
  readonly keyLog?: string | undefined
}

/** Paths of certificates and keys, which are read again when they change. */
export interface TlsFiles {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}
