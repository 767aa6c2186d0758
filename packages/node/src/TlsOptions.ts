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
 * import { HttpClientLayer } from "@sluice/node"
 * import * as FileSystem from "@effect/platform/FileSystem"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const withOurAuthority = Layer.unwrapEffect(
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
   * Mozilla's and what `NODE_EXTRA_CA_CERTS` names.
   */
  readonly ca?: Pem | undefined
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
}
