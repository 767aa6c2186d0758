import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import type { Socket } from "node:net"
import * as tls from "node:tls"
import type { TlsInfo } from "../ConnectionInfo.js"
import * as TestAuthority from "../TestAuthority.js"
import type { Identity } from "../TestAuthority.js"
import { offerOf } from "./clientHello.js"
import type { Account, Ledger } from "./ledger.js"
import { breakOnceWritten, breakSocket } from "./sockets.js"
import { afterTwoTurns } from "./turns.js"

/**
 * How a TLS handshake is spoiled once the client's first message has come: the server says nothing at all and stays
 * connected, ends the connection (FIN), resets it, responds in clear text as a plain HTTP server does, or sends a fatal
 * alert of that number (RFC 8446 section 6; 40 is handshake_failure, 80 internal_error).
 *
 * @since 0.1.0
 * @category models
 */
export type HandshakeFault = "silence" | "end" | "reset" | "clear-text" | { readonly alert: number }

/**
 * How the server does TLS.
 *
 * @since 0.1.0
 * @category models
 */
export interface TlsOptions {
  /** Who signs the server's certificate, and whose clients are welcome. Default: a new authority. */
  readonly authority?: TestAuthority.TestAuthority | undefined

  /**
   * What the server shows. Default `"valid"`: good for `localhost`, `127.0.0.1` and `::1`. `"expired"` ended a minute
   * ago; `"wrong-host"` is for another host; `"self-signed"` and `"unknown-authority"` come from nobody the client
   * knows; or an identity of one's own.
   */
  readonly certificate?:
    | "valid"
    | "expired"
    | "wrong-host"
    | "self-signed"
    | "unknown-authority"
    | Identity
    | undefined

  /** Whether clients are asked for a certificate of the authority. Default `"none"`. */
  readonly clientCertificate?: "none" | "optional" | "required" | undefined

  /** Spoils every handshake. Default: none is. */
  readonly handshake?: HandshakeFault | undefined

  /**
   * Spoils each handshake in which the client offers to resume an earlier session; full ones are done. So behaves a
   * server, or a middlebox in front of it, that chokes on resumption. Default: sessions are resumed.
   */
  readonly resumption?: HandshakeFault | undefined

  /**
   * The protocols to choose from, best first. Default: what `http1` and `http2` say. An empty list makes a server that
   * knows no ALPN and speaks HTTP/1.1.
   */
  readonly alpn?: ReadonlyArray<string> | undefined

  /** Default: Node's, TLS 1.2. */
  readonly minVersion?: tls.SecureVersion | undefined

  /** Default: Node's, TLS 1.3. */
  readonly maxVersion?: tls.SecureVersion | undefined
}

/** The TLS side of a server: it gets accepted connections and gives back those whose handshake is done. */
export interface TlsTerminator {
  /** The authority that a client should trust. */
  readonly ca: string
  readonly handshake: (tcp: Socket, account: Account, ledger: Ledger, done: (socket: tls.TLSSocket) => void) => void
}

export const terminator = (
  options: TlsOptions,
  defaultAlpn: ReadonlyArray<string>
): Effect.Effect<TlsTerminator> =>
  Effect.gen(function*() {
    const authority = options.authority ?? (yield* TestAuthority.make())
    const identity = yield* identityFor(options.certificate ?? "valid", authority)
    const alpn = options.alpn ?? defaultAlpn
    const clients = options.clientCertificate ?? "none"
    const handshakes = new Handshakes({
      cert: identity.certificate,
      key: identity.key,
      ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
      ...(options.minVersion === undefined ? {} : { minVersion: options.minVersion }),
      ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
      ...(clients === "none"
        ? {}
        : { requestCert: true, rejectUnauthorized: clients === "required", ca: authority.certificate })
    })
    return {
      ca: authority.certificate,
      handshake: (tcp, account, ledger, done) => {
        const proceed = () =>
          handshakes.start(tcp, (outcome) => {
            if (outcome instanceof tls.TLSSocket) {
              ledger.tlsCompleted(account, infoOf(outcome))
              return done(outcome)
            }
            ledger.tlsFailed(outcome)
            tcp.destroy()
          })
        if (options.handshake === undefined && options.resumption === undefined) return proceed()
        const left = () => ledger.tlsFailed(leftEarly)
        tcp.once("close", left)
        readOffer(tcp, (offer) => {
          tcp.off("close", left)
          const fault = offer === "resumption" ? options.resumption ?? options.handshake : options.handshake
          if (fault === undefined) return proceed()
          ledger.tlsFault()
          spoil(tcp, fault)
        })
      }
    }
  })

const leftEarly = "the connection ended during the handshake"

/**
 * TLS handshakes, each by a `tls.Server` that has no other meanwhile: the events of such a server do not say which of
 * its connections they are of.
 */
class Handshakes {
  private readonly idle: Array<tls.Server> = []

  /** Shared, so that a session of one server is resumed by the others. */
  private readonly ticketKeys = randomBytes(48)

  constructor(private readonly options: tls.TlsOptions) {}

  /** Calls back once: with the socket, or with the reason why there is none. */
  start(tcp: Socket, done: (outcome: tls.TLSSocket | string) => void): void {
    const server = this.idle.pop() ?? tls.createServer({ ...this.options, ticketKeys: this.ticketKeys })
    let settled = false
    const settle = (outcome: tls.TLSSocket | string) => {
      if (settled) return
      settled = true
      server.removeAllListeners("secureConnection").removeAllListeners("tlsClientError")
      tcp.off("close", left)
      this.idle.push(server)
      done(outcome)
    }
    // Whoever refused the client says so only after the connection has closed.
    const left = () => afterTwoTurns(() => settle(leftEarly))
    server.once("secureConnection", (socket) => {
      socket.on("error", () => {})
      settle(socket)
    })
    server.once("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      socket.on("error", () => {})
      settle(refusal(socket) ?? error.code ?? error.message)
    })
    tcp.on("close", left)
    server.emit("connection", tcp)
  }
}

/** Why the client's certificate was refused, by OpenSSL's name for it. Node's types have it as an error. */
const refusal = (socket: tls.TLSSocket): string | undefined => {
  const reason: unknown = socket.authorizationError
  return reason === undefined || reason === null ? undefined : `the client's certificate was refused: ${String(reason)}`
}

/** Calls back when the client's first message is complete, and has put its bytes back by then. */
const readOffer = (tcp: Socket, done: (offer: NonNullable<ReturnType<typeof offerOf>>) => void): void => {
  let seen = Buffer.alloc(0)
  const look = (bytes: Buffer) => {
    seen = Buffer.concat([seen, bytes])
    const offer = offerOf(seen)
    if (offer === undefined) return
    tcp.off("data", look)
    tcp.pause()
    tcp.unshift(seen)
    done(offer)
  }
  tcp.on("data", look)
}

const spoil = (tcp: Socket, fault: HandshakeFault): void => {
  // What still comes is read, so that the client's end is noticed and nothing that lies unread turns a FIN into a reset.
  tcp.resume()
  if (fault === "silence") return
  if (fault === "reset") return breakSocket(tcp, tcp, fault)
  if (fault === "clear-text") tcp.write("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
  else if (fault !== "end") tcp.write(Uint8Array.of(21, 3, 3, 0, 2, 2, fault.alert))
  breakOnceWritten(tcp, tcp, "end")
}

const infoOf = (socket: tls.TLSSocket): TlsInfo => {
  // Node's types leave out that it is an empty object when the client has shown none.
  const subject: tls.Certificate | undefined = socket.getPeerCertificate().subject
  return {
    servername: nonEmpty(socket.servername),
    alpn: nonEmpty(socket.alpnProtocol),
    version: socket.getProtocol() ?? undefined,
    resumed: socket.isSessionReused(),
    clientName: nonEmpty(subject?.CN),
    clientTrusted: socket.authorized
  }
}

const nonEmpty = (text: unknown): string | undefined => typeof text === "string" && text !== "" ? text : undefined

const identityFor = (
  wanted: NonNullable<TlsOptions["certificate"]>,
  authority: TestAuthority.TestAuthority
): Effect.Effect<TestAuthority.Identity> => {
  switch (wanted) {
    case "valid":
      return authority.issue()
    case "expired":
      return authority.issue({ validTo: new Date(Date.now() - 60_000) })
    case "wrong-host":
      return authority.issue({ names: ["elsewhere.invalid"] })
    case "self-signed":
      return TestAuthority.selfSigned()
    case "unknown-authority":
      return Effect.flatMap(TestAuthority.make("Unknown authority"), (unknown) => unknown.issue())
    default:
      return Effect.succeed(wanted)
  }
}
