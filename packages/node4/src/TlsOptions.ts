/**
 * How connections to `https:` origins are secured.
 *
 * @since 0.1.0
 */
import type { PeerCertificate } from "node:tls"

/**
 * Text of one or several PEM blocks, or its bytes.
 *
 * @since 0.1.0
 * @category models
 */
export type Pem = string | Uint8Array | ReadonlyArray<string | Uint8Array>

/**
 * What a TLS connection is made with. All of it has a default; what they lead to is a connection to a server whose
 * certificate was verified, and nothing else.
 *
 * The options hold for every connection of a layer. Origins that need other ones need another layer.
 *
 * @example
 * ```ts
 * import { HttpClientLayer } from "@sluice/node4"
 * import * as FileSystem from "effect/FileSystem"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const withOurAuthority = Layer.unwrap(
 *   Effect.gen(function*() {
 *     const files = yield* FileSystem.FileSystem
 *     const ca = yield* files.readFileString("/etc/ssl/our-authority.pem")
 *     return HttpClientLayer.layer({ tls: { ca } })
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface TlsOptions {
  /**
   * The certificates of the authorities to trust, instead of those that Node trusts. Default: Node's, which are
   * Mozilla's and what `NODE_EXTRA_CA_CERTS` names. `"system"`: those that the system trusts (Node 22.15 and later).
   */
  readonly ca?: "system" | Pem | undefined
  /** The client's certificate, with those between it and its authority, for servers that ask for one. Default none. */
  readonly cert?: Pem | undefined
  /** The private key of `cert`. Default none. */
  readonly key?: Pem | undefined
  /** What the key is encrypted with. Default none. */
  readonly passphrase?: string | undefined
  /**
   * The name that the server is asked for (SNI, RFC 6066 §3) and that its certificate must cover. Default: the host of
   * the URL; a host that is an address is not sent, as the RFC has it, but verified.
   */
  readonly servername?: string | undefined
  /**
   * Decides whether a certificate that was verified is the host's, instead of comparing its names: undefined when it is,
   * else an error, which is the cause of the `TlsError`. It is where a certificate is pinned; call `tls.checkServerIdentity`
   * of `node:tls` in it to compare the names too. It is not called for a TLS session that is resumed, whose certificate it
   * has seen. Turns `http2.coalescing` off. Default: Node's.
   */
  readonly checkServerIdentity?: ((host: string, certificate: PeerCertificate) => Error | undefined) | undefined
  /** The lowest version of TLS to accept. Default `"TLSv1.2"`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined
  /** The highest version of TLS to offer. Default `"TLSv1.3"`. */
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3" | undefined
  /**
   * Whether a certificate that cannot be verified ends the connection. Default true. With `false` anybody on the way
   * can read and change everything: prefer `ca`.
   */
  readonly rejectUnauthorized?: boolean | undefined
  /**
   * Paths in place of `ca`, `cert` and `key`. They are read again when they have changed, for the connections made from then
   * on; those that are open go on. Files that cannot be used, as while they are being written, change nothing. Default none.
   */
  readonly files?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined
  /**
   * Public keys of which the server, or an authority above it, must have one: the SHA-256 of the SPKI in base64, with or
   * without `sha256/` before it. Pin the next key too, or nobody can renew the certificate. It comes on top of all else that
   * is verified; a server without one of them is a `TlsError` that names the keys it has. Turns `http2.coalescing` off.
   * Default none.
   */
  readonly pins?: ReadonlyArray<string> | undefined
  /** Told of a server that has none of `pins`, instead of failing: to try pins out. Default none. */
  readonly pinReport?:
    | ((mismatch: { readonly host: string; readonly shown: ReadonlyArray<string> }) => void)
    | undefined
  /**
   * A file that the secrets of all connections are appended to, as Wireshark reads them: who has it reads everything. For
   * debugging; a warning is logged when the layer is built. Default none.
   */
  readonly keyLog?: string | undefined
}
