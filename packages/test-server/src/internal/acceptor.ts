import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { AddressInfo, ListenOptions, Socket } from "node:net"
import * as net from "node:net"
import type * as tls from "node:tls"
import type { Account, Ledger } from "./ledger.js"
import type { TlsTerminator } from "./tls.js"

export class ListenError extends Data.TaggedError("ListenError")<{
  readonly address: string
  readonly code: string
  readonly cause: unknown
}> {
  override get message(): string {
    switch (this.code) {
      case "EADDRINUSE":
        return `${this.address} is in use by another program`
      case "EACCES":
        return `${this.address} may not be listened on without more rights`
      case "EADDRNOTAVAIL":
        return `${this.address} is no address of this machine`
      default:
        return `${this.address} can't be listened on (${this.code})`
    }
  }
}

/** A connection that is ready for its protocol. */
export interface Accepted {
  /** Carries the protocol. */
  readonly socket: Socket | tls.TLSSocket
  /** The connection underneath; the same as `socket` over clear text. */
  readonly tcp: Socket
  readonly account: Account
  /** What ALPN chose. */
  readonly alpn: string | undefined
}

/** Listens, accepts, counts, and does TLS. */
export class Acceptor {
  private readonly server: net.Server
  private readonly sockets = new Set<Socket>()
  /** Accepted while reading was paused: nothing of them is read, not even a TLS handshake. */
  private readonly waiting = new Map<Socket, () => void>()
  private closing = false
  private paused = false

  constructor(
    private readonly ledger: Ledger,
    private readonly terminator: TlsTerminator | undefined,
    halfOpen: boolean,
    private readonly serve: (accepted: Accepted) => void,
    /** Notified of every connection before its handshake. */
    private readonly onConnection: (tcp: Socket, account: Account) => void = () => {}
  ) {
    const allowHalfOpen = halfOpen && terminator === undefined
    this.server = net.createServer({ allowHalfOpen, noDelay: true }, (tcp) => this.accept(tcp))
  }

  listen(where: ListenOptions): Effect.Effect<AddressInfo | string, ListenError> {
    return Effect.async((resume) => {
      const failed = (error: NodeJS.ErrnoException) => {
        const address = where.path ?? `${where.host}:${where.port}`
        resume(Effect.fail(new ListenError({ address, code: error.code ?? "unknown", cause: error })))
      }
      this.server.once("error", failed)
      this.server.listen(where, () => {
        this.server.off("error", failed)
        resume(Effect.succeed(this.server.address()!))
      })
    })
  }

  get isListening(): boolean {
    return this.server.listening
  }

  /** Stops listening. Does not wait for connections. */
  stop(): void {
    this.server.close()
  }

  readonly closeAll: Effect.Effect<void> = Effect.async((resume) => {
    this.closing = true
    this.stop()
    let left = this.sockets.size
    if (left === 0) return resume(Effect.void)
    for (const socket of [...this.sockets]) {
      socket.once("close", () => {
        if (--left === 0) resume(Effect.void)
      })
      socket.destroy()
    }
  })

  /** Holds new connections back before anything of them is read. */
  pause(paused: boolean): void {
    this.paused = paused
    if (paused) return
    const waiting = [...this.waiting.values()]
    this.waiting.clear()
    for (const start of waiting) start()
  }

  private accept(tcp: Socket): void {
    if (this.closing) return void tcp.destroy()
    this.sockets.add(tcp)
    const account = this.ledger.connectionOpened(tcp.remotePort)
    tcp.on("error", () => {})
    tcp.on("close", () => {
      this.sockets.delete(tcp)
      this.waiting.delete(tcp)
      this.ledger.connectionClosed(account)
    })
    this.onConnection(tcp, account)
    if (this.paused) this.waiting.set(tcp, () => this.start(tcp, account))
    else this.start(tcp, account)
  }

  private start(tcp: Socket, account: Account): void {
    if (this.terminator === undefined) return this.serve({ socket: tcp, tcp, account, alpn: undefined })
    this.terminator.handshake(tcp, account, this.ledger, (socket) => {
      this.serve({ socket, tcp, account, alpn: account.tls?.alpn })
    })
  }
}
