/**
 * Makes certificates for tests, on the fly and without any program besides Node.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as internal from "./internal/authority.js"
import type { Identity, IssueOptions, TestAuthority } from "./internal/authority.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Identity, IssueOptions, TestAuthority } from "./internal/authority.js"

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
