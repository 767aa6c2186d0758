import * as Effect from "effect/Effect"
import type { Identity, IssueOptions, TestAuthority } from "../TestAuthority.js"
import type { Issuer, Subject } from "./x509/certificate.js"
import { certificate, newKey } from "./x509/certificate.js"

const hour = 3_600_000

export const make = (name = "Test authority"): Effect.Effect<TestAuthority> =>
  Effect.sync(() => {
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
  options: IssueOptions = {},
  issuerOf: (subject: Subject, key: Issuer["privateKey"]) => Issuer
): Effect.Effect<Identity> =>
  Effect.sync(() => {
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
