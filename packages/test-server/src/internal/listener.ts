import * as Duration from "effect/Duration"
import type { Socket } from "node:net"
import type { Breaking } from "../Reply.js"
import type { Replies } from "../Script.js"
import type { ServerEvent } from "../ServerEvent.js"
import { type Accepted, Acceptor } from "./acceptor.js"
import { Http1Connection } from "./http1/connection.js"
import { Http2Connection } from "./http2/connection.js"
import type { Http2Options } from "./http2/options.js"
import { type Account, Ledger } from "./ledger.js"
import { SocksConnection, type SocksProxy } from "./proxy/socksConnection.js"
import { version as socksVersion } from "./proxy/socksMessages.js"
import { Script } from "./script.js"
import { breakOnceWritten, breakSocket } from "./sockets.js"
import type { Managed, Reading, Surroundings } from "./surroundings.js"
import type { TlsOptions, TlsTerminator } from "./tls.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Replies from the start, by route (see {@link TestServer.reply}). Default none. */
  readonly replies?: Readonly<Record<string, Replies>> | undefined

  /** The address to listen on. Default `"127.0.0.1"`. */
  readonly host?: string | undefined

  /** Default 0: any free port. */
  readonly port?: number | undefined

  /** Listens on a Unix socket (a named pipe on Windows) at this path instead of host and port. Default none. */
  readonly unixPath?: string | undefined

  /** Serves HTTPS; `true` is with all defaults. Default false. */
  readonly tls?: boolean | TlsOptions | undefined

  /** Speaks HTTP/1.1. Default true. */
  readonly http1?: boolean | undefined

  /**
   * Speaks HTTP/2: over TLS when ALPN chooses it, over clear text to a client that begins with it. Default false.
   */
  readonly http2?: boolean | Http2Options | undefined

  /**
   * Takes at most so many bytes a second from each connection (HTTP/2: of each request's body), steadily and without a
   * pause: a slow network, in which something always moves. The kernel takes what its buffers hold beforehand, some
   * megabytes on loopback. Default Infinity.
   */
  readonly readBytesPerSecond?: number | undefined

  /** How many bytes of each request's body are kept for the test. Default 65,536. */
  readonly maxRecordedBody?: number | undefined

  /** How many requests, and how many connections, are kept for the test: the first ones. Default 10,000. */
  readonly maxRecordedRequests?: number | undefined

  /** Closes a connection, having said so, after that many requests (on HTTP/2 by GOAWAY). Default Infinity. */
  readonly maxRequestsPerConnection?: number | undefined

  /** Closes a connection that has been idle for that long, in real time. Default `"Infinity"`. */
  readonly keepAliveTimeout?: Duration.DurationInput | undefined

  /**
   * Whether a client that has ended its side of an HTTP/1.1 connection over clear text still gets its reply, as `nc`
   * wants it. Default false: such a client is taken to have left, and the connection is closed at once.
   */
  readonly halfOpen?: boolean | undefined

  /** Notified of each request that has ended and of each failure, for a log. It must not throw. Default none. */
  readonly onEvent?: ((event: ServerEvent) => void) | undefined
}

/** Which protocols the server speaks. */
export interface Protocols {
  readonly http1: boolean
  readonly http2: boolean
}

/** A scripted server: the connections it has, each with its protocol. */
export class Listener implements Surroundings {
  readonly ledger: Ledger
  readonly script = new Script()
  readonly options: Surroundings["options"]
  readonly acceptor: Acceptor
  reading: Reading
  private readonly connections = new Map<Account, Managed>()

  constructor(
    options: Options,
    private readonly protocols: Protocols,
    private readonly tls: TlsTerminator | undefined,
    private readonly socks: SocksProxy | undefined
  ) {
    this.ledger = new Ledger(options.maxRecordedRequests ?? 10_000, options.maxRecordedBody ?? 65_536, options.onEvent)
    const http2: Http2Options = typeof options.http2 === "object" ? options.http2 : {}
    this.options = {
      maxRequestsPerConnection: options.maxRequestsPerConnection ?? Infinity,
      keepAliveTimeout: Duration.toMillis(options.keepAliveTimeout ?? Duration.infinity),
      halfOpen: options.halfOpen ?? false,
      http2
    }
    this.reading = { paused: false, bytesPerSecond: options.readBytesPerSecond ?? Infinity }
    this.script.setAll(options.replies ?? {})
    this.acceptor = new Acceptor(
      this.ledger,
      tls,
      this.options.halfOpen,
      (accepted) => this.choose(accepted),
      (tcp, account) => {
        this.connections.set(account, new Undecided(tcp, account, tls === undefined))
        tcp.on("close", () => this.connections.delete(account))
      }
    )
  }

  /** The open connections that are as wanted. */
  select(which: (connection: Managed) => boolean): ReadonlyArray<Managed> {
    return [...this.connections.values()].filter((one) => one.account.open && which(one))
  }

  setReading(reading: Partial<Reading>): void {
    this.reading = { ...this.reading, ...reading }
    for (const connection of this.connections.values()) connection.setReading(this.reading)
    this.acceptor.pause(this.reading.paused)
  }

  private choose(accepted: Accepted): void {
    const { http1, http2 } = this.protocols
    const { socks } = this
    if (socks !== undefined) {
      startsLike(accepted.socket, Buffer.of(socksVersion), (isSocks) => {
        if (isSocks) this.serveSocks(accepted, socks)
        else this.serve(accepted, false)
      })
    } else if (this.tls !== undefined) this.serve(accepted, accepted.alpn === "h2")
    else if (http1 && http2) startsLike(accepted.socket, http2Start, (isHttp2) => this.serve(accepted, isHttp2))
    else this.serve(accepted, http2)
  }

  private serveSocks({ account, socket, tcp }: Accepted, proxy: SocksProxy): void {
    account.protocol = "SOCKS5"
    this.connections.set(account, new SocksConnection(socket, tcp, account, this.ledger, this.reading, proxy))
  }

  private serve({ account, socket, tcp }: Accepted, isHttp2: boolean): void {
    const connection = new (isHttp2 ? Http2Connection : Http1Connection)(socket, tcp, account, this)
    account.protocol = isHttp2 ? "HTTP/2" : "HTTP/1.1"
    this.connections.set(account, connection)
  }
}

/** A connection whose protocol is not known yet. It is idle, unless it is in a TLS handshake. */
class Undecided implements Managed {
  constructor(private readonly tcp: Socket, readonly account: Account, readonly isIdle: boolean) {}

  closeGently(): void {
    this.tcp.end()
  }

  destroy(how: Breaking): void {
    breakSocket(this.tcp, this.tcp, how)
  }

  setReading(): void {}

  writeRaw(bytes: Uint8Array, close?: Breaking): void {
    this.tcp.write(bytes)
    if (close !== undefined) breakOnceWritten(this.tcp, this.tcp, close)
  }
}

/** RFC 9113 section 3.4. */
const http2Start = Buffer.from("PRI")

/** Looks at the first bytes and puts them back. */
const startsLike = (socket: Socket, wanted: Buffer, done: (isLike: boolean) => void): void => {
  let seen = Buffer.alloc(0)
  const look = (bytes: Buffer) => {
    seen = Buffer.concat([seen, bytes])
    const start = seen.subarray(0, wanted.length)
    if (start.length < wanted.length && wanted.subarray(0, start.length).equals(start)) return
    socket.off("data", look)
    socket.off("end", left)
    socket.pause()
    socket.unshift(seen)
    done(start.equals(wanted))
  }
  const left = () => socket.destroy()
  socket.on("data", look)
  socket.on("end", left)
}
