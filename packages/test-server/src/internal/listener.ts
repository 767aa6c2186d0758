import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { AddressInfo, ListenOptions, Socket } from "node:net"
import * as net from "node:net"
import type { Http2Options, Options } from "../TestServer.js"
import { Http1Connection } from "./http1/connection.js"
import { Http2Connection } from "./http2/connection.js"
import type { Account } from "./ledger.js"
import { Ledger } from "./ledger.js"
import { Script } from "./script.js"
import type { Managed, Surroundings } from "./surroundings.js"
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

/** Which protocols the server speaks. */
export interface Protocols {
  readonly http1: boolean
  readonly http2: boolean
}

/** The listening socket and the connections it has accepted. */
export class Listener implements Surroundings {
  readonly ledger: Ledger
  readonly script = new Script()
  readonly options: Surroundings["options"]
  readingPaused = false
  private readonly server: net.Server
  private readonly sockets = new Set<Socket>()
  private readonly connections = new Set<Managed>()
  /** Accepted while reading was paused: nothing of them is read, not even a TLS handshake. */
  private readonly waiting = new Map<Socket, () => void>()
  private closing = false

  constructor(
    options: Options,
    private readonly protocols: Protocols,
    private readonly tls: TlsTerminator | undefined
  ) {
    this.ledger = new Ledger(options.maxRecordedRequests ?? 10_000, options.maxRecordedBody ?? 65_536)
    const http2: Http2Options = typeof options.http2 === "object" ? options.http2 : {}
    this.options = {
      maxRequestsPerConnection: options.maxRequestsPerConnection ?? Infinity,
      keepAliveTimeout: Duration.toMillis(options.keepAliveTimeout ?? Duration.infinity),
      halfOpen: options.halfOpen ?? false,
      http2
    }
    for (const [route, answering] of Object.entries(options.replies ?? {})) this.script.set(route, answering)
    const allowHalfOpen = this.options.halfOpen && tls === undefined
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

  /** The open connections that are as wanted. */
  select(which: (connection: Managed) => boolean): ReadonlyArray<Managed> {
    return [...this.connections].filter((one) => one.account.open && which(one))
  }

  pauseReading(paused: boolean): void {
    this.readingPaused = paused
    for (const connection of this.connections) connection.pauseReading(paused)
    if (paused) return
    const waiting = [...this.waiting.values()]
    this.waiting.clear()
    for (const start of waiting) start()
  }

  private accept(tcp: Socket): void {
    if (this.closing) return void tcp.destroy()
    this.sockets.add(tcp)
    const account = this.ledger.connectionOpened()
    tcp.on("error", () => {})
    tcp.on("close", () => {
      this.sockets.delete(tcp)
      this.waiting.delete(tcp)
      this.ledger.connectionClosed(account)
    })
    if (this.readingPaused) this.waiting.set(tcp, () => this.start(tcp, account))
    else this.start(tcp, account)
  }

  private start(tcp: Socket, account: Account): void {
    const { http1, http2 } = this.protocols
    if (this.tls !== undefined) {
      this.tls.handshake(tcp, this.ledger, (socket) => this.serve(socket, tcp, account, socket.alpnProtocol === "h2"))
    } else if (http1 && http2) {
      startsLikeHttp2(tcp, (isHttp2) => this.serve(tcp, tcp, account, isHttp2))
    } else {
      this.serve(tcp, tcp, account, http2)
    }
  }

  private serve(socket: Socket, tcp: Socket, account: Account, isHttp2: boolean): void {
    const connection = new (isHttp2 ? Http2Connection : Http1Connection)(socket, tcp, account, this)
    this.connections.add(connection)
    tcp.on("close", () => this.connections.delete(connection))
  }
}

const preface = "PRI"

/** Looks at the first bytes (RFC 9113 section 3.4) and puts them back. */
const startsLikeHttp2 = (socket: Socket, answer: (isHttp2: boolean) => void): void => {
  let seen = Buffer.alloc(0)
  const look = (bytes: Buffer) => {
    seen = Buffer.concat([seen, bytes])
    const start = seen.toString("latin1", 0, preface.length)
    if (start !== preface && preface.startsWith(start)) return
    socket.off("data", look)
    socket.off("end", left)
    socket.pause()
    socket.unshift(seen)
    answer(start === preface)
    socket.resume()
  }
  const left = () => socket.destroy()
  socket.on("data", look)
  socket.on("end", left)
}
