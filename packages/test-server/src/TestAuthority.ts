/**
 * Makes certificates for tests, on the fly and without any program besides Node.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as internal from "./internal/authority.js"

/**
 * A certificate with its private key, both as PEM, as `node:tls` and others take them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Identity {
  readonly certificate: string
  readonly key: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface IssueOptions {
  /**
   * Host names and addresses that the certificate is good for. Default `localhost`, `127.0.0.1` and `::1` for a server,
   * none for a client.
   */
  readonly names?: ReadonlyArray<string> | undefined

  /** What it is for. Default `"server"`. */
  readonly use?: "server" | "client" | undefined

  /** The common name of its subject. Default the first of the names, else `"test client"`. */
  readonly commonName?: string | undefined

  /** Default an hour ago. */
  readonly validFrom?: Date | undefined

  /** Default in a day. A date in the past makes an expired certificate. */
  readonly validTo?: Date | undefined
}

/**
 * A certificate authority that only the test knows.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestAuthority {
  /** The authority's own certificate as PEM: what a client has to trust, `ca` in `node:tls`. */
  readonly certificate: string

  /** A certificate by this authority with a new key (EC P-256). */
  readonly issue: (options?: IssueOptions) => Effect.Effect<Identity>
}

/**
 * A new authority with a new key. The name appears in its certificate.
 *
 * @example
 * ```ts
 * import { TestAuthority, TestServer } from "@sluice/test-server"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const authority = yield* TestAuthority.make()
 *   const server = yield* TestServer.make({ tls: { authority, clientCertificate: "required" } })
 *   const client = yield* authority.issue({ use: "client", commonName: "Ann" })
 *   return { url: server.url, ca: authority.certificate, cert: client.certificate, key: client.key }
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (name?: string) => Effect.Effect<TestAuthority> = internal.make

/**
 * A certificate that is signed by its own key and by nobody else.
 *
 * @since 0.1.0
 * @category constructors
 */
export const selfSigned: (options?: IssueOptions) => Effect.Effect<Identity> = internal.selfSigned
