import type { Origin } from "@sluice/core/Origin"
import type { Failure } from "@sluice/engine"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { X509Certificate } from "node:crypto"
import * as net from "node:net"
import * as tls from "node:tls"
import type { InvalidTlsOptions, Pem, TlsOptions } from "../TlsOptions.js"
import * as dial from "./dial.js"
import * as errors from "./errors.js"
import { isTlsFailure, tlsError } from "./tlsErrors.js"
import { TlsSessions } from "./TlsSessions.js"

/** A TLS connection, its handshake done and its peer verified. */
export interface SecureDialed extends dial.Dialed<tls.TLSSocket> {
  /** How long the handshake took, in milliseconds. */
  readonly tlsTime: number
}

/**
 * Dials TLS, always with the same options, so that the sessions of its connections can be resumed by later ones.
 */
export class TlsDialer {
  private readonly sessions = new TlsSessions()
  private context: tls.SecureContext | undefined = undefined

  constructor(private readonly options: TlsOptions, private readonly route: dial.Route) {}

  /**
   * A connection whose handshake is part of making it. Closing the Scope destroys the socket and waits until it is
   * gone, in the middle of the handshake too.
   */
  dial(
    origin: Origin,
    protocols: ReadonlyArray<string>
  ): Effect.Effect<SecureDialed, Failure.TlsError | Failure.ConnectError, Scope.Scope> {
    return Effect.gen(this, function*() {
      const context = yield* Effect.try({
        try: () => this.secureContext(),
        catch: (cause) => tlsError(origin, cause as Error, "Configuration")
      })
      const dialed = yield* dial.acquire(() =>
        dial.reading(this.route, origin, (target) =>
          tls.connect({
            ...target,
            secureContext: context,
            ALPNProtocols: [...protocols],
            rejectUnauthorized: this.options.rejectUnauthorized ?? true,
            ...this.serverName(origin),
            ...this.session(origin)
          } as tls.ConnectionOptions))
      )
      const { socket } = dialed
      const clock = yield* Effect.clock
      let started = clock.unsafeCurrentTimeMillis()
      socket.once("connect", () => {
        started = clock.unsafeCurrentTimeMillis()
      })
      // A session without a ticket cannot be resumed; Node tells of those too.
      socket.on("session", (session: Buffer) => this.sessions.set(origin.key, session))
      yield* dial.connected(socket, "secureConnect", (cause) => {
        // It may be the session that the server does not like.
        this.sessions.delete(origin.key)
        return isTlsFailure(cause) ? tlsError(origin, cause) : errors.notConnected(origin, cause)
      })
      return Object.assign(dialed, { tlsTime: clock.unsafeCurrentTimeMillis() - started })
    })
  }

  /** Reading the certificates takes milliseconds, so it is done once; what is wrong with them is told each time. */
  private secureContext(): tls.SecureContext {
    return this.context ??= contextOf(this.options)
  }

  /** An address is no name to ask for (RFC 6066 §3), and a name is written without the dot at its end. */
  private serverName({ host }: Origin): { readonly servername?: string } {
    const servername = this.options.servername ?? (net.isIP(host) === 0 ? withoutDot(host) : undefined)
    // Without one, Node verifies the address that it connects to.
    return servername === undefined ? {} : { servername }
  }

  private session({ key }: Origin): { readonly session?: Buffer } {
    const session = this.sessions.get(key)
    return session === undefined ? {} : { session }
  }
}

/**
 * Reads the certificates and keys that were given, once, to say what is wrong with them before anything is built. What
 * is no certificate at all Node would leave out of `ca` without a word, and then trust nobody.
 */
export const check = (options: TlsOptions): Effect.Effect<void, Unusable> => {
  const { ca, cert, key } = options
  if (ca === undefined && cert === undefined && key === undefined) return Effect.void
  return Effect.zipRight(
    Effect.try({
      try: () => {
        if (ca !== undefined) textsOf(ca).forEach(readCertificate)
      },
      catch: (cause) => invalid("ca", cause)
    }),
    Effect.try({ try: () => void contextOf(options), catch: (cause) => invalid("cert", cause) })
  )
}

type Unusable = Pick<InvalidTlsOptions, "option" | "detail" | "cause">

const invalid = (option: Unusable["option"], cause: unknown): Unusable => ({
  option,
  detail: (option === "ca" ? "not a certificate as PEM" : "certificate, key and passphrase cannot be used together") +
    ` (${cause instanceof Error ? cause.message : String(cause)})`,
  cause
})

const textsOf = (pem: Pem): ReadonlyArray<string | Uint8Array> =>
  typeof pem === "string" || pem instanceof Uint8Array ? [pem] : pem

/** It takes what is not PEM as well, which Node would not trust. */
const readCertificate = (pem: string | Uint8Array): X509Certificate => {
  if (!Buffer.from(pem).includes("-----BEGIN ")) throw new Error("it does not begin with -----BEGIN")
  return new X509Certificate(pem)
}

const contextOf = ({ ca, cert, key, maxVersion, minVersion, passphrase }: TlsOptions): tls.SecureContext => {
  const given = { ca, cert, key, passphrase, minVersion, maxVersion }
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return tls.createSecureContext(options)
}

/** As certificates have it. */
export const withoutDot = (host: string): string => host.replace(/\.$/, "")
