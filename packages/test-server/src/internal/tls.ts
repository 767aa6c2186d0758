import * as Effect from "effect/Effect"
import type { Socket } from "node:net"
import * as tls from "node:tls"
import type { TlsInfo } from "../ConnectionInfo.js"
import * as TestAuthority from "../TestAuthority.js"
import type { TlsOptions } from "../TestServer.js"
import type { Account, Ledger } from "./ledger.js"

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
    const server = tls.createServer({
      cert: identity.certificate,
      key: identity.key,
      ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
      ...(options.minVersion === undefined ? {} : { minVersion: options.minVersion }),
      ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
      ...(clients === "none"
        ? {}
        : { requestCert: true, rejectUnauthorized: clients === "required", ca: authority.certificate })
    })
    // A handshake is given a connection and reports by an event of the server, which knows the TLS socket only: the
    // peer's address tells which connection it was.
    const pending = new Map<string, Pending>()
    const settle = (socket: tls.TLSSocket) => {
      const address = addressOf(socket)
      const found = pending.get(address)
      pending.delete(address)
      return found
    }
    server.on("secureConnection", (socket) => {
      socket.on("error", () => {})
      settle(socket)?.done(socket)
    })
    server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      socket.on("error", () => {})
      settle(socket)?.failed(error.code ?? error.message)
    })
    return {
      ca: authority.certificate,
      handshake: (tcp, account, ledger, done) => {
        const address = addressOf(tcp)
        const entry: Pending = {
          done: (socket) => {
            ledger.tlsCompleted(account, infoOf(socket))
            done(socket)
          },
          failed: (reason) => {
            ledger.tlsFailed(reason)
            tcp.destroy()
          }
        }
        pending.set(address, entry)
        tcp.on("close", () => {
          if (pending.get(address) !== entry) return
          pending.delete(address)
          ledger.tlsFailed("the connection ended during the handshake")
        })
        server.emit("connection", tcp)
      }
    }
  })

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

interface Pending {
  readonly done: (socket: tls.TLSSocket) => void
  readonly failed: (reason: string) => void
}

const addressOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`

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
