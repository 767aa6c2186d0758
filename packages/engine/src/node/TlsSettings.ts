import type { PeerCertificate } from "node:tls"

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
}
