import * as table from "@sluice/engine/options"
import * as Effect from "effect/Effect"
import { checked } from "./checked.js"
import { certificate, type Issuer, newKey, type Subject } from "./x509/certificate.js"

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

const hour = 3_600_000

export const make = (name = "Test authority"): Effect.Effect<TestAuthority> =>
  Effect.sync(() => {
    checked("TestAuthority", table.certificate, { commonName: name })
    const issuer: Issuer = { commonName: name, ...newKey() }
    const now = Date.now()
    return {
      certificate: certificate({
        commonName: name,
        publicKey: issuer.publicKey,
        // Older than anything it signs, so that an expired leaf is at fault by itself.
        notBefore: new Date(now - 10 * 365 * 24 * hour),
        notAfter: new Date(now + 10 * 365 * 24 * hour),
        names: [],
        use: "authority"
      }, issuer),
      issue: (options) => identity(options, () => issuer)
    }
  })

export const selfSigned = (options?: IssueOptions): Effect.Effect<Identity> =>
  identity(options, (subject, privateKey) => ({
    commonName: subject.commonName,
    publicKey: subject.publicKey,
    privateKey
  }))

const identity = (
  given: IssueOptions = {},
  issuerOf: (subject: Subject, key: Issuer["privateKey"]) => Issuer
): Effect.Effect<Identity> =>
  Effect.sync(() => {
    const options = checked("TestAuthority", table.certificate, given)
    const { privateKey, publicKey } = newKey()
    const use = options.use ?? "server"
    const names = options.names ?? (use === "server" ? ["localhost", "127.0.0.1", "::1"] : [])
    const now = Date.now()
    const notAfter = options.validTo ?? new Date(now + 24 * hour)
    const subject: Subject = {
      commonName: options.commonName ?? names[0] ?? "test client",
      publicKey,
      notBefore: options.validFrom ?? new Date(Math.min(now, notAfter.getTime()) - hour),
      notAfter,
      names,
      use
    }
    return {
      certificate: certificate(subject, issuerOf(subject, privateKey)),
      key: privateKey.export({ type: "pkcs8", format: "pem" }).toString()
    }
  })
