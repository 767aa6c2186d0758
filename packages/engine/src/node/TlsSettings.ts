/** Text of one or several PEM blocks, or its bytes. */
export type Pem = string | Uint8Array | ReadonlyArray<string | Uint8Array>

/** What TLS connections are made with; the face documents it. */
export interface TlsSettings {
  readonly ca?: Pem | undefined
  readonly cert?: Pem | undefined
  readonly key?: Pem | undefined
  readonly passphrase?: string | undefined
  readonly servername?: string | undefined
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3" | undefined
  readonly rejectUnauthorized?: boolean | undefined
}

/** Certificates or keys that cannot be used. */
export interface UnusableTls {
  /** `ca`, or `cert` for what fails of `cert`, `key` and the versions together. */
  readonly option: "ca" | "cert"
  /** Never shows a key. */
  readonly detail: string
  readonly cause: unknown
}
