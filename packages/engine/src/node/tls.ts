import { appendFileSync } from "node:fs"
import * as net from "node:net"
import * as tls from "node:tls"
import type * as Failure from "../Failure.js"
import type { HostTime } from "../Host.js"
import { type Problem, show } from "../options/index.js"
import type { Origin } from "../Origin.js"
import { isPromise, unawaited, undisturbed } from "../unawaited.js"
import { readCertificates } from "./certificates.js"
import type { Dial } from "./Dial.js"
import * as errors from "./errors.js"
import { isPin, mismatch } from "./pins.js"
import { onceConnected, open, OpenSocket } from "./socket.js"
import { contextOf, readFiles, systemAuthorities, TlsContext } from "./TlsContext.js"
import { isTlsFailure, notVerified, tlsError } from "./tlsErrors.js"
import { TlsSessions } from "./TlsSessions.js"
import type { Pem, TlsSettings } from "./TlsSettings.js"

/** What becomes of a TLS dial. */
export interface SecureEvents {
  /** The handshake is done, the peer verified. `tlsTime` is how long the handshake took, in milliseconds. */
  readonly onConnected: (opened: OpenSocket<tls.TLSSocket>, tlsTime: number) => void
  readonly onFailed: (failure: Failure.Failure) => void
}

/**
 * TLS, always with the same options, so that the sessions of its connections can be resumed by later ones.
 */
export class TlsClient {
  private readonly sessions = new TlsSessions()
  /** Sockets that offer to resume a session, until that has gone well. */
  private readonly resuming = new WeakSet<tls.TLSSocket>()
  private readonly context: TlsContext
  private current: tls.SecureContext | undefined = undefined

  constructor(private readonly settings: TlsSettings, private readonly time: Pick<HostTime, "elapsed">) {
    this.context = new TlsContext(settings)
  }

  /**
   * Connects a socket whose handshake follows by itself. What Node does not take, it throws.
   *
   * @param resumes whether the session of an earlier connection is offered
   */
  connect(
    target: net.NetConnectOpts,
    origin: Origin,
    protocols: ReadonlyArray<string>,
    resumes: boolean
  ): OpenSocket<tls.TLSSocket> {
    const options = this.options(origin, protocols, resumes)
    return this.opened(
      open(target, (target) => tls.connect({ ...target, ...options } as tls.ConnectionOptions)),
      options
    )
  }

  /** The same over a socket that is connected: a tunnel. */
  over(
    socket: net.Socket,
    origin: Origin,
    protocols: ReadonlyArray<string>,
    resumes: boolean
  ): OpenSocket<tls.TLSSocket> {
    const options = this.options(origin, protocols, resumes)
    return this.opened(new OpenSocket(() => tls.connect({ host: origin.host, socket, ...options }), true), options)
  }

  private options(origin: Origin, protocols: ReadonlyArray<string>, resumes: boolean): tls.ConnectionOptions {
    const secureContext = this.context.get()
    // A session that is resumed has the certificates of when it began.
    if (secureContext !== this.current) this.sessions.clear()
    this.current = secureContext
    const session = resumes ? this.sessions.get(origin.key) : undefined
    return {
      secureContext,
      ALPNProtocols: [...protocols],
      rejectUnauthorized: this.settings.rejectUnauthorized ?? true,
      ...this.identity,
      ...this.serverName(origin),
      ...(session === undefined ? {} : { session })
    }
  }

  private opened(opened: OpenSocket<tls.TLSSocket>, { session }: tls.ConnectionOptions): OpenSocket<tls.TLSSocket> {
    if (session !== undefined) this.resuming.add(opened.socket)
    const { keyLog } = this.settings
    if (keyLog !== undefined) opened.socket.on("keylog", (line: Buffer) => logKey(keyLog, line))
    return opened
  }

  /**
   * A dial has ended on this socket. If it offered a session, that may be what the server, or something before it, chokes
   * on: it is forgotten, and true says that the dial is worth making once more without it.
   */
  forget(socket: tls.TLSSocket, { key }: Origin): boolean {
    if (!this.resuming.delete(socket)) return false
    this.sessions.delete(key)
    return true
  }

  isResuming(socket: tls.TLSSocket): boolean {
    return this.resuming.has(socket)
  }

  /** The session that this socket has offered did no harm. */
  resumed(socket: tls.TLSSocket): void {
    this.resuming.delete(socket)
  }

  /** Waits for the handshake of a socket that is connected. */
  secure(dial: Dial, opened: OpenSocket<tls.TLSSocket>, origin: Origin, events: SecureEvents): void {
    const { socket } = opened
    const started = this.time.elapsed()
    const verified = this.keepSession(socket, origin)
    const certificate = keepRejected(socket)
    onceConnected(
      socket,
      "secureConnect",
      () => {
        verified()
        certificate.accepted()
        if (!dial.isClosed) events.onConnected(opened, this.time.elapsed() - started)
      },
      (cause) => {
        if (dial.isClosed) return
        events.onFailed(
          isTlsFailure(cause)
            ? tlsError(origin, cause, "Other", certificate.rejected())
            : errors.notSecured(origin, cause)
        )
      }
    )
  }

  /**
   * Keeps the sessions of a socket, once its peer is verified: who resumes one does not look at the certificate again. It
   * listens as long as the socket is open, so nothing of the dial hangs on it. A session without a ticket cannot be resumed;
   * Node reports those too.
   */
  private keepSession(socket: tls.TLSSocket, { key }: Origin): () => void {
    const { current, sessions } = this
    let isVerified = false
    let early: Buffer | undefined = undefined
    socket.on("session", (session: Buffer) => {
      if (current !== this.current) return
      if (isVerified) sessions.set(key, session)
      else early = session
    })
    return () => {
      isVerified = true
      if (early !== undefined) sessions.set(key, early)
      early = undefined
    }
  }

  /** An address is no name to ask for (RFC 6066 §3), and a name is written without the dot at its end. */
  private serverName({ host }: Origin): { readonly servername?: string } {
    const servername = this.settings.servername ?? (net.isIP(host) === 0 ? withoutDot(host) : undefined)
    // Without one, Node verifies the address that it connects to.
    return servername === undefined ? {} : { servername }
  }

  /**
   * Node asks once it has verified the chain, and not for a session that is resumed, whose certificate was asked about. What
   * the caller's function throws would be thrown out of Node's own listener, and end the process.
   */
  private get identity(): Pick<tls.ConnectionOptions, "checkServerIdentity"> {
    const { checkServerIdentity, pins } = this.settings
    return checkServerIdentity === undefined && pins === undefined ? {} : {
      checkServerIdentity: (host, certificate) => {
        let objection: Error | undefined
        try {
          objection = objectionOf((checkServerIdentity ?? tls.checkServerIdentity)(host, certificate)) ??
            this.checkPins(host, certificate)
        } catch (cause) {
          objection = cause instanceof Error ? cause : new Error(String(cause))
        }
        if (objection !== undefined) notVerified.add(objection)
        return objection
      }
    }
  }

  private checkPins(host: string, certificate: tls.PeerCertificate): Error | undefined {
    const { pinReport, pins } = this.settings
    const found = pins === undefined ? undefined : mismatch(host, certificate, pins)
    if (found === undefined) return undefined
    if (pinReport === undefined) {
      return Object.assign(new Error(`none of its keys is pinned: ${found.shown.join(", ")}`), { code: "ERR_TLS_PIN" })
    }
    undisturbed(() => pinReport(found))
    return undefined
  }
}

/** What a function of the caller's has returned, which may be anything. Who does not say yes has not said so. */
const objectionOf = (returned: unknown): Error | undefined => {
  if (returned == null) return undefined
  unawaited(returned)
  return returned instanceof Error ? returned : new Error(
    `checkServerIdentity returned ${show(returned)}: expected an Error, or undefined for a certificate that is right` +
      (isPromise(returned) ? "; not a promise of one" : "")
  )
}

/** For debugging: a file that cannot be written must not cost a connection. */
const logKey = (file: string, line: Buffer): void => {
  try {
    appendFileSync(file, line)
  } catch {}
}

/**
 * The certificate that Node rejects: of the socket that it destroys for it nothing can be asked afterwards. (Asking each
 * socket for it before Node verifies it would cost what verifying it does, and `getPeerX509Certificate` takes the
 * certificate out of the chain that Node then looks at.)
 */
const keepRejected = (socket: tls.TLSSocket) => {
  let shown: tls.DetailedPeerCertificate | undefined = undefined
  const accepted = () => delete (socket as Partial<tls.TLSSocket>).destroy
  socket.destroy = (error) => {
    accepted()
    if (error !== undefined) shown = socket.getPeerCertificate(true)
    return socket.destroy(error)
  }
  return { accepted, rejected: () => shown }
}

/**
 * Reads the certificates and keys that were given, once, to say what is wrong with them before anything is built. What
 * is no certificate at all Node would leave out of `ca` without a word, and then trust nobody.
 */
export const check = (settings: TlsSettings, path = "tls"): ReadonlyArray<Problem> => {
  const { ca, cert, files, pins } = settings
  const problems: Array<Problem> = []
  if (files !== undefined) {
    const expected = "paths of certificates and of a key that belong together"
    attempt(problems, `${path}.files`, expected, () => void contextOf({ ...settings, ...readFiles(files) }))
  }
  if (pins !== undefined && !pins.every(isPin)) {
    const expected = "SHA-256 of public keys (SPKI) in base64, as sha256/q4PO2G2cbkZhZ82+JgmRUyGMoAeozA+BSXVXQWB8XWQ="
    problems.push({ _tag: "InvalidValue", option: `${path}.pins`, received: "something else", expected })
  }
  if (ca === "system") {
    if (systemAuthorities() === undefined) {
      const expected = "PEM; what the system trusts is known to Node from 22.15 on"
      problems.push({ _tag: "InvalidValue", option: `${path}.ca`, received: "\"system\"", expected })
    }
  } else if (ca !== undefined) {
    attempt(problems, `${path}.ca`, "certificates as PEM", () => textsOf(ca).forEach(readCertificates))
  }
  if (cert !== undefined) {
    const expected = "a certificate as PEM that tls.key and tls.passphrase belong to"
    attempt(problems, `${path}.cert`, expected, () => void contextOf({ ...settings, ca: undefined }))
  }
  return problems
}

/** What OpenSSL says of a certificate or a key shows nothing of it. */
const attempt = (problems: Array<Problem>, option: string, expected: string, use: () => void): void => {
  try {
    use()
  } catch (cause) {
    const received = `not usable (${cause instanceof Error ? cause.message : String(cause)})`
    problems.push({ _tag: "InvalidValue", option, received, expected })
  }
}

const textsOf = (pem: Pem): ReadonlyArray<string | Uint8Array> =>
  typeof pem === "string" || pem instanceof Uint8Array ? [pem] : pem

/** As certificates have it. */
export const withoutDot = (host: string): string => host.replace(/\.$/, "")
