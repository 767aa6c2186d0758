import * as http2 from "node:http2"
import type { Socket } from "node:net"
import type { Breaking } from "../../Reply.js"
import type { Account } from "../ledger.js"
import { breakOnceWritten, breakSocket } from "../sockets.js"
import type { Managed, Reading, Surroundings } from "../surroundings.js"
import { startTimer } from "../timer.js"
import { Http2Exchange, pairs } from "./exchange.js"
import type { GoAwayOptions, Http2Settings } from "./options.js"

/** One HTTP/2 connection as the server has it. nghttp2 does the framing; for frames of one's own there is FramePeer. */
export class Http2Connection implements Managed {
  private readonly session: http2.ServerHttp2Session
  private readonly exchanges = new Set<Http2Exchange>()
  private stopIdleTimer = () => {}

  /** `socket` carries HTTP (it may be TLS), `tcp` is the connection underneath. */
  constructor(
    readonly socket: Socket,
    readonly tcp: Socket,
    readonly account: Account,
    readonly around: Surroundings
  ) {
    const { connectionWindowSize, ...settings } = around.options.http2
    this.session = http2.performServerHandshake(socket, {
      settings: definedOnly(settings),
      // In megabytes. The default of 10 ends a connection with many large bodies on it.
      maxSessionMemory: 1000
    })
    // Node gives the raw list as well, which its types leave out.
    this.session.on(
      "stream",
      (stream, headers, _flags, raw?: ReadonlyArray<string>) => this.onStream(stream, headers, raw ?? [])
    )
    this.session.on("error", (error: NodeJS.ErrnoException) => {
      // A client that is gone is no malformed client.
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") around.ledger.malformedInput(error.message)
    })
    this.session.on("close", () => this.onClose())
    socket.on("end", () => socket.destroy())
    socket.on("close", () => this.onClose())
    if (connectionWindowSize !== undefined) this.session.setLocalWindowSize(connectionWindowSize)
    this.waitForRequest()
  }

  get isIdle(): boolean {
    return this.exchanges.size === 0
  }

  closeGently(): void {
    this.session.close()
  }

  destroy(how: Breaking): void {
    breakSocket(this.socket, this.tcp, how)
    this.session.destroy()
  }

  setReading(reading: Reading): void {
    for (const exchange of this.exchanges) exchange.setReading(reading)
  }

  writeRaw(bytes: Uint8Array, close?: Breaking): void {
    this.socket.write(bytes)
    if (close !== undefined) breakOnceWritten(this.socket, this.tcp, close)
  }

  goAway(options: GoAwayOptions): void {
    const { code = 0, debugData, lastStreamId = 0 } = options
    this.session.goaway(code, lastStreamId === "all" ? 2 ** 31 - 1 : lastStreamId, debugData)
  }

  changeSettings(settings: Http2Settings): void {
    this.session.settings(definedOnly(settings))
  }

  resetStreams(code: number): void {
    for (const exchange of [...this.exchanges]) {
      exchange.outcome = "broken off"
      exchange.reset(code)
    }
  }

  ping(done: () => void): void {
    this.session.ping(() => done())
  }

  private onStream(
    stream: http2.ServerHttp2Stream,
    headers: http2.IncomingHttpHeaders,
    raw: ReadonlyArray<string>
  ): void {
    const { ledger, script } = this.around
    const method = headers[":method"] ?? ""
    const target = headers[":path"] ?? headers[":authority"] ?? ""
    const head = { protocol: "HTTP/2" as const, method, target, headers: pairs(raw) }
    const request = ledger.requestStarted(this.account, head, false)
    this.stopIdleTimer()
    const exchange = new Http2Exchange(stream, request, script.find(request), this)
    this.exchanges.add(exchange)
    stream.on("close", () => {
      this.exchanges.delete(exchange)
      exchange.lifetime.end()
      ledger.requestEnded(this.account, request, exchange.outcome)
      if (this.exchanges.size === 0) this.waitForRequest()
    })
    exchange.begin(headers.expect === "100-continue")
    // Streams that are open go on after the GOAWAY that this sends.
    if (request.index + 1 >= this.around.options.maxRequestsPerConnection) this.closeGently()
  }

  private waitForRequest(): void {
    const { keepAliveTimeout } = this.around.options
    if (keepAliveTimeout === Infinity || !this.account.open) return
    this.stopIdleTimer()
    this.stopIdleTimer = startTimer(keepAliveTimeout, () => this.closeGently())
  }

  private onClose(): void {
    this.stopIdleTimer()
    this.around.ledger.connectionClosed(this.account)
  }
}

const definedOnly = (settings: Http2Settings): http2.Settings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
