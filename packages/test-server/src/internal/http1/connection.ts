import type { Socket } from "node:net"
import type * as net from "node:net"
import type { Breaking, Late, Options, TunnelOptions } from "../../Reply.js"
import { Intake } from "../intake.js"
import type { Account } from "../ledger.js"
import { Lifetime } from "../lifetime.js"
import type { BodyShape, Outlet } from "../outlet.js"
import { playRoute } from "../play.js"
import type { Received } from "../received.js"
import { headerList, toBytes } from "../reply.js"
import type { Route } from "../script.js"
import { breakOnceWritten, breakSocket } from "../sockets.js"
import type { Managed, Reading, Surroundings } from "../surroundings.js"
import { startTimer } from "../timer.js"
import { carry, drip, join } from "../tunnel.js"
import { afterTwoTurns } from "../turns.js"
import type { RequestHead } from "./requestReader.js"
import { RequestReader } from "./requestReader.js"
import { responseHead, writeHead } from "./responseHead.js"

type Fields = ReadonlyArray<readonly [string, string]>

/** How many requests wait behind the one in front before nothing more is read. */
const maxPipelined = 100

/** One HTTP/1 connection as the server has it: requests in, replies out, in order. */
export class Http1Connection implements Managed {
  private readonly exchanges: Array<Exchange> = []
  private readonly reader = new RequestReader({
    onHead: (head) => this.onHead(head),
    onBody: (bytes) => this.onBody(bytes),
    onEnd: (trailers) => this.onEnd(trailers),
    onMalformed: (reason) => this.onMalformed(reason)
  })
  private receiving: Exchange | undefined
  private stopIdleTimer = () => {}
  private saidGoodbye = false
  private far: net.Socket | undefined
  private readonly intake: Intake
  private readonly lifetime = new Lifetime()

  /** `socket` carries HTTP (it may be TLS), `tcp` is the connection underneath. */
  constructor(
    readonly socket: Socket,
    readonly tcp: Socket,
    readonly account: Account,
    readonly around: Surroundings
  ) {
    this.intake = new Intake(socket)
    socket.on("data", (bytes: Buffer) => this.reader.push(bytes))
    socket.on("end", () => this.onClientEnd())
    socket.on("close", () => this.onClose())
    this.setReading(around.reading)
    this.waitForRequest()
  }

  get isIdle(): boolean {
    return this.exchanges.length === 0 && this.reader.isBetweenRequests
  }

  closeGently(): void {
    this.saidGoodbye = true
    this.socket.end()
  }

  destroy(how: Breaking): void {
    breakSocket(this.socket, this.tcp, how)
  }

  /** Ends it once what was written before is out, as the script wants it: no client has to be blamed for that. */
  breakOff(how: Breaking): void {
    for (const exchange of this.exchanges) exchange.brokenOff = true
    breakOnceWritten(this.socket, this.tcp, how)
  }

  setReading({ bytesPerSecond, paused }: Reading): void {
    this.intake.hold("server", paused)
    this.intake.setRate(bytesPerSecond)
  }

  holdBody(hold: boolean): void {
    this.intake.hold("exchange", hold)
  }

  writeRaw(bytes: Uint8Array, close?: Breaking): void {
    this.socket.write(bytes)
    if (close !== undefined) this.breakOff(close)
  }

  /** Does what comes after a response, whatever the connection is doing by then. */
  async playLate(late: ReadonlyArray<Late>): Promise<void> {
    // What was written before has left, and a client of this process has read it by then.
    await this.lifetime.wait((resume) => {
      this.socket.write("", () => afterTwoTurns(() => resume()))
      return () => {}
    })
    for (const { bytes, close, delay, hold } of late) {
      if (hold !== undefined) await this.lifetime.pass(hold)
      if (delay !== undefined) await this.lifetime.sleep(delay)
      if (!this.socket.writable) return
      this.around.ledger.unaskedAction()
      this.writeRaw(toBytes(bytes ?? ""), close)
    }
  }

  private onHead(head: RequestHead): void {
    this.receiving = undefined
    if (this.saidGoodbye) return
    this.stopIdleTimer()
    const pipelined = this.exchanges.length > 0
    const request = this.around.ledger.requestStarted(this.account, {
      protocol: `HTTP/${head.version}`,
      method: head.method,
      target: head.target,
      headers: head.headers
    }, pipelined)
    const route = this.around.script.find(request)
    const { maxRequestsPerConnection } = this.around.options
    const exchange = new Exchange(this, head, request, route, request.index + 1 >= maxRequestsPerConnection)
    this.receiving = exchange
    this.exchanges.push(exchange)
    if (!pipelined) exchange.arrive()
    this.intake.hold("pipeline", this.exchanges.length > maxPipelined)
  }

  private onBody(bytes: Uint8Array): void {
    if (this.receiving !== undefined) this.around.ledger.bodyReceived(this.receiving.request, bytes)
  }

  private onEnd(trailers: Fields): void {
    const exchange = this.receiving
    if (exchange === undefined) return
    this.around.ledger.requestComplete(exchange.request, trailers)
    if (this.exchanges[0] === exchange) exchange.arrive()
    this.advance()
  }

  private onMalformed(reason: string): void {
    if (this.saidGoodbye) return
    this.around.ledger.malformedInput(reason)
    this.saidGoodbye = true
    const text = `${reason}\n`
    this.socket.write(
      writeHead("1.1", 400, undefined, [
        ["content-type", "text/plain; charset=utf-8"],
        ["content-length", String(Buffer.byteLength(text))],
        ["connection", "close"]
      ]) + text
    )
    this.socket.end()
  }

  /** Called when a reply is out, or a request is complete: both must be so before the next one has its turn. */
  advance(): void {
    const front = this.exchanges[0]
    if (front === undefined || !front.replied) return
    if (!front.closes && !front.request.complete) return
    this.exchanges.shift()
    this.intake.hold("pipeline", this.exchanges.length > maxPipelined)
    this.around.ledger.requestEnded(this.account, front.request, "completed")
    if (front.closes) return this.closeGently()
    this.reader.release()
    if (this.exchanges.length > 0) this.exchanges[0].arrive()
    else this.waitForRequest()
  }

  /** From now on all bytes go to the sink. `far` is the other end of the tunnel, if it leads anywhere. */
  startTunnel(sink: (bytes: Uint8Array) => void, far?: net.Socket): void {
    this.far = far
    this.reader.tunnel(sink)
  }

  private waitForRequest(): void {
    const { keepAliveTimeout } = this.around.options
    if (keepAliveTimeout === Infinity) return
    this.stopIdleTimer()
    this.stopIdleTimer = startTimer(keepAliveTimeout, () => {
      if (this.isIdle) this.closeGently()
    })
  }

  private onClientEnd(): void {
    if (this.far !== undefined && this.around.options.halfOpen) return void this.far.end()
    if (this.around.options.halfOpen && this.exchanges.length > 0) {
      for (const exchange of this.exchanges) exchange.closes = true
      return
    }
    // A client that ends its side has left; whatever was still to be said to it is of no use.
    this.socket.destroy()
    this.onClose()
  }

  private onClose(): void {
    this.stopIdleTimer()
    this.reader.stop()
    this.lifetime.end()
    const { ledger } = this.around
    ledger.changed.batch(() => {
      for (const exchange of this.exchanges.splice(0)) {
        const how = exchange.brokenOff ? "broken off" : exchange.replied ? "completed" : "abandoned"
        exchange.lifetime.end()
        ledger.requestEnded(this.account, exchange.request, how)
      }
      ledger.connectionClosed(this.account)
    })
  }
}

/** One request and the reply to it. */
class Exchange implements Outlet {
  readonly lifetime = new Lifetime()
  replied = false
  brokenOff = false
  closes = false
  private started = false
  private chunked = false
  private hasBody = true

  constructor(
    private readonly connection: Http1Connection,
    private readonly requestHead: RequestHead,
    readonly request: Received,
    private readonly route: Route,
    private readonly lastOfConnection: boolean
  ) {
    if (route.keepsBody) request.openTap()
  }

  /** It is this request's turn, and something of it has come. */
  arrive(): void {
    if (this.started) return
    if (!this.route.early && !this.request.complete) {
      if (this.requestHead.expectsContinue && this.route.sendContinue) this.informational(100, [])
      return
    }
    this.started = true
    void playRoute(this.route, this, (reason) => this.connection.around.ledger.scriptError(reason))
  }

  informational(status: number, headers: Fields): void {
    this.connection.socket.write(writeHead("1.1", status, undefined, headers), "latin1")
  }

  head(options: Options, body: BodyShape): boolean {
    const head = responseHead(options, body, this.requestHead, this.lastOfConnection)
    this.chunked = head.chunked
    this.hasBody = head.hasBody
    this.request.status = options.status ?? 200
    this.closes = this.closes || head.close
    // The head goes out together with the first of the body, if that follows in the same turn.
    this.connection.socket.cork()
    process.nextTick(() => this.connection.socket.uncork())
    this.connection.socket.write(head.text, "latin1")
    return head.hasBody
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length === 0) return undefined
    const { socket } = this.connection
    this.request.bodyBytesSent += bytes.length
    if (!this.chunked) return this.raw(bytes)
    socket.write(`${bytes.length.toString(16)}\r\n`, "latin1")
    socket.write(bytes)
    return socket.write("\r\n") ? undefined : this.drained()
  }

  raw(bytes: Uint8Array): Promise<void> | undefined {
    return this.connection.socket.write(bytes) ? undefined : this.drained()
  }

  late(actions: ReadonlyArray<Late>): void {
    // It ends early only with the connection.
    this.connection.playLate(actions).catch(() => {})
  }

  finish(trailers: Fields): void {
    if (this.chunked && this.hasBody) {
      const fields = trailers.map(([name, value]) => `${name}: ${value}\r\n`).join("")
      this.connection.socket.write(`0\r\n${fields}\r\n`, "latin1")
    }
    this.finishRaw(false)
  }

  finishRaw(close: boolean): void {
    if (close) this.closes = true
    this.replied = true
    this.connection.advance()
  }

  cut(how: Breaking): void {
    this.connection.breakOff(how)
  }

  async tunnel(options: TunnelOptions, far: net.Socket | undefined): Promise<void> {
    const { socket } = this.connection
    const status = options.status ?? 200
    const upgrade = this.request.header("upgrade") ?? "echo"
    const fields: Fields = status === 101 && options.headers === undefined
      ? [["connection", "upgrade"], ["upgrade", upgrade]]
      : headerList(options.headers)
    const head = Buffer.from(writeHead("1.1", status, options.reason, fields), "latin1")
    await drip(
      Buffer.concat([toBytes(options.before ?? ""), head, toBytes(options.first ?? "")]),
      options.drip,
      this.lifetime,
      (bytes) => socket.write(bytes)
    )
    this.replied = true
    this.request.status = status
    if (options.then === "end" || options.then === "reset") return this.cut(options.then)
    if (options.then === "silence") return this.connection.startTunnel(() => {})
    const hold = (held: boolean) => this.holdBody(held)
    const { ledger } = this.connection.around
    this.connection.startTunnel(far === undefined ? carry(socket, hold) : join(socket, far, hold), far)
    ledger.tunnelOpened()
    socket.once("close", () => ledger.tunnelClosed())
  }

  holdBody(hold: boolean): void {
    this.connection.holdBody(hold)
  }

  private drained(): Promise<void> {
    return this.lifetime.wait((resume) => {
      const { socket } = this.connection
      socket.once("drain", resume)
      return () => socket.off("drain", resume)
    })
  }
}
