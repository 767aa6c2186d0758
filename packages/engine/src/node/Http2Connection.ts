import * as http2 from "node:http2"
import type { Socket } from "node:net"
import type { Connection, ConnectionListener, Exchange, ExchangeReceiver, ExchangeRequest } from "../Connection.js"
import type * as Failure from "../Failure.js"
import type { HostTime } from "../Host.js"
import type { Origin } from "../Origin.js"
import type { Progress } from "./errors.js"
import * as http1Errors from "./errors.js"
import * as errors from "./http2Errors.js"
import { type ExchangeOwner, Http2Exchange } from "./Http2Exchange.js"
import * as headers from "./http2Headers.js"
import { type HealthOwner, Http2Health } from "./Http2Health.js"
import type { Http2Settings } from "./Http2Settings.js"
import { openStream } from "./openStream.js"

const { NGHTTP2_HTTP_1_1_REQUIRED, NGHTTP2_NO_ERROR } = http2.constants

/** The last stream that a client can open (RFC 9113 §5.1.1). */
const lastStreamId = 2 ** 31 - 1

/**
 * - `Greeting`: the server's SETTINGS have not come yet.
 * - `Open`: it takes requests.
 * - `Draining`: it takes nothing new; what it carries may finish.
 * - `Closed`: its end was told.
 */
type ConnectionState = "Greeting" | "Open" | "Draining" | "Closed"

export interface Http2ConnectionOptions {
  readonly socket: Socket
  readonly origin: Origin
  readonly listener: ConnectionListener
  readonly settings: Http2Settings
  readonly time: Pick<HostTime, "elapsed" | "sleep">
  readonly tlsTime: number | undefined
  /** The server wants HTTP/1.1 for that origin. */
  readonly onHttp1Required: (origin: Origin) => void
  /** The server has said hello, or will not any more. */
  readonly onGreeted: (error?: Failure.Failure) => void
}

/**
 * One HTTP/2 connection over `node:http2`, which does the framing. How many requests it carries, when it takes no more,
 * which of them fail when it ends, and whether it is still alive, is decided here.
 */
export class Http2Connection implements Connection, ExchangeOwner, HealthOwner {
  readonly protocol = "h2" as const
  readonly keepAliveHint = undefined
  readonly remoteAddress: string | undefined
  readonly tlsTime: number | undefined
  readonly socket: Socket
  readonly session: http2.ClientHttp2Session
  private state: ConnectionState = "Greeting"
  private readonly exchanges = new Set<Http2Exchange>()
  private readonly health: Http2Health
  /** The first thing that went wrong with the connection, from which everything else follows. */
  private cause: Error | undefined = undefined
  private remoteLimit = 0
  private toldCapacity = 0
  private isDead = false
  private isClosing = false
  /** Node is about to destroy the session because of a GOAWAY. */
  private isSpared = false

  constructor(private readonly around: Http2ConnectionOptions) {
    const { origin, settings, socket, time, tlsTime } = around
    this.socket = socket
    this.tlsTime = tlsTime
    this.remoteAddress = socket.remoteAddress
    socket.on("error", this.onError)
    socket.on("end", this.onPeerEnd)
    socket.on("close", this.onPeerEnd)
    const session = this.session = http2.connect(origin.href, {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: settings.initialWindowSize,
        maxHeaderListSize: settings.maxHeaderListSize
      },
      maxSessionMemory,
      maxHeaderListPairs,
      maxSendHeaderBlockLength
    })
    session.on("error", this.onError)
    session.on("goaway", this.onGoAway)
    session.on("remoteSettings", this.onSettings)
    session.on("ping", this.onPing)
    session.on("frameError", ignore)
    session.on("close", this.onSessionClose)
    session.setLocalWindowSize(settings.connectionWindowSize)
    this.spareStreams()
    this.health = new Http2Health(this, settings, time)
    this.health.watch(true)
  }

  get origin(): Origin {
    return this.around.origin
  }

  get capacity(): number {
    return this.health.isDoubtful ? 0 : Math.min(this.around.settings.maxConcurrentStreams, this.remoteLimit)
  }

  get reusable(): boolean {
    return this.state === "Open" && this.canSend
  }

  get isBusy(): boolean {
    return this.exchanges.size > 0 || this.state === "Greeting"
  }

  get maxHeaderListSize(): number {
    return this.around.settings.maxHeaderListSize
  }

  get readMark(): number {
    return this.health.mark
  }

  heard(): number {
    return this.health.heard()
  }

  exchange(request: ExchangeRequest, receiver: ExchangeReceiver): Exchange {
    const exchange = new Http2Exchange(this, request, receiver)
    const fields = headers.encode(request)
    if ("_tag" in fields) {
      exchange.failLater(fields as unknown as Failure.Failure)
    } else if (!this.canSend) {
      exchange.failLater(http1Errors.ended(request, "Unsent", "the connection had been closed"))
    } else {
      this.open(exchange, request, fields)
    }
    return exchange
  }

  private open(exchange: Http2Exchange, request: ExchangeRequest, fields: http2.OutgoingHttpHeaders): void {
    try {
      const stream = openStream(this.session, fields, optionsOf(request))
      this.exchanges.add(exchange)
      exchange.begin(stream)
      this.health.watch(this.exchanges.size === 1)
      // The numbers of streams are used up, and never used again.
      if (exchange.streamId >= lastStreamId) this.drain()
    } catch (cause) {
      exchange.failLater(errors.refusedByNode(request, cause))
    }
  }

  private get canSend(): boolean {
    return !this.session.closed && !this.session.destroyed && !this.isDead
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the server
  // ---------------------------------------------------------------------------------------------------------------

  private readonly onSettings = (settings: http2.Settings): void => {
    this.heard()
    this.remoteLimit = settings.maxConcurrentStreams ?? Infinity
    if (this.state === "Greeting") {
      this.state = "Open"
      this.toldCapacity = this.capacity
      this.around.onGreeted()
    } else {
      this.tellCapacity()
    }
  }

  private readonly onPing = (): void => {
    this.heard()
  }

  private tellCapacity(): void {
    if (this.toldCapacity === this.capacity) return
    this.toldCapacity = this.capacity
    this.around.listener.onCapacity(this.capacity)
  }

  /**
   * The server takes no streams above that number, and says that it has not begun with those that are there (RFC 9113
   * §6.8). A number of 2^31-1 announces the real one.
   */
  private readonly onGoAway = (code: number, last: number): void => {
    this.heard()
    this.isSpared = code !== NGHTTP2_NO_ERROR
    this.drain()
    for (const exchange of [...this.exchanges]) {
      if (exchange.streamId > last) exchange.fail(errors.unprocessed(exchange.request, code))
    }
  }

  /**
   * Right after a GOAWAY with an error code Node destroys the session with all of its streams: those whose answers had
   * come in the same packet, and those that the server still finishes. We let them, until the connection ends.
   */
  private spareStreams(): void {
    const { session } = this
    const destroy = session.destroy
    session.destroy = (...args: Parameters<typeof destroy>) => {
      if (this.isSpared) {
        this.isSpared = false
        session.close()
      } else {
        destroy.apply(session, args)
      }
    }
  }

  private readonly onError = (cause: Error): void => {
    this.cause ??= cause
    this.drain()
  }

  /** The server has ended the connection. What had come of it is still to be told to the streams. */
  private readonly onPeerEnd = (): void => {
    this.drain()
  }

  private readonly onSessionClose = (): void => {
    for (const exchange of [...this.exchanges]) {
      exchange.fail(this.failureOf(exchange, NGHTTP2_NO_ERROR))
    }
    this.close(this.cause === undefined ? "ClosedByPeer" : "Failed")
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the exchanges
  // ---------------------------------------------------------------------------------------------------------------

  onEnded(exchange: Http2Exchange): void {
    this.exchanges.delete(exchange)
  }

  onSilent(mark: number): void {
    if (this.canSend) this.health.suspect(mark)
  }

  failureOf(exchange: Http2Exchange, code: number): Failure.Failure {
    const { progress, request } = exchange
    if (this.isClosing) return http1Errors.closed(request, progress)
    if (this.isDead) return errors.unresponsive(request, progress)
    const cause = this.cause ?? (errors.isViolation(exchange.cause) ? exchange.cause : undefined)
    if (cause !== undefined) {
      return errors.isViolation(cause)
        ? errors.violation(request, progress, cause)
        : http1Errors.broken(request, progress, cause)
    }
    if (this.session.destroyed || this.socket.destroyed) return this.ended(request, progress)
    if (code === NGHTTP2_HTTP_1_1_REQUIRED) {
      this.around.onHttp1Required(request.origin)
      if (request.origin.key === this.origin.key) this.drain()
    }
    return errors.reset(request, progress, code)
  }

  private ended(request: ExchangeRequest, progress: Progress): Failure.Failure {
    return http1Errors.ended(request, progress, "the server closed the connection before the answer was complete")
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the health
  // ---------------------------------------------------------------------------------------------------------------

  onDoubt(): void {
    this.tellCapacity()
  }

  onDead(): void {
    this.isDead = true
    for (const exchange of [...this.exchanges]) exchange.fail(errors.unresponsive(exchange.request, exchange.progress))
    this.close("Failed")
  }

  onUnheard(why: "Deaf" | "Gone"): void {
    this.cause ??= why === "Deaf" ? errors.deafness() : errors.gone()
    for (const exchange of [...this.exchanges]) exchange.fail(this.failureOf(exchange, NGHTTP2_NO_ERROR))
    this.close("Failed")
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------------------------------------------

  /** The connection's Scope ends: nothing of it is left when its socket, which is closed next, is gone. */
  shutdown(): void {
    this.isClosing = true
    this.isSpared = false
    for (const exchange of [...this.exchanges]) exchange.fail(http1Errors.closed(exchange.request, exchange.progress))
    this.state = "Closed"
    this.health.stop()
    // Node would read what has not been read yet in its next tick, of a session that is not there any more.
    if (this.socket.readableLength > 0) this.socket.read()
    // Sends GOAWAY, if that can be done at once.
    if (!this.session.destroyed) this.session.destroy()
  }

  private drain(): void {
    if (this.state === "Greeting") return this.greetingFailed()
    if (this.state !== "Open") return
    this.state = "Draining"
    this.around.listener.onDraining()
  }

  private close(reason: Parameters<ConnectionListener["onClosed"]>[0]): void {
    if (this.state === "Greeting") return this.greetingFailed()
    if (this.state === "Closed") return
    this.state = "Closed"
    this.health.stop()
    this.around.listener.onClosed(reason)
  }

  private greetingFailed(): void {
    this.state = "Closed"
    this.around.onGreeted(errors.noHandshake(this.around.origin, this.cause))
  }
}

const withoutBody: http2.ClientSessionRequestOptions = { endStream: true }
const withBody: http2.ClientSessionRequestOptions = { endStream: false }
const withTrailers: http2.ClientSessionRequestOptions = { endStream: false, waitForTrailers: true }

/** Methods that Node expects no body of. */
const bodiless = new Set(["GET", "HEAD", "DELETE"])

/** None where Node does the same without: it copies and completes them for each request, which takes 5 µs. */
const optionsOf = ({ body, method }: ExchangeRequest): http2.ClientSessionRequestOptions | undefined => {
  if (body._tag === "None") return bodiless.has(method) ? undefined : method === "CONNECT" ? withBody : withoutBody
  if (body._tag === "Chunks" && body.trailers) return withTrailers
  return bodiless.has(method) ? withBody : undefined
}

/**
 * What `node:http2` allows one connection, in units of a million bytes: all that waits to be sent counts, and when it
 * is more, Node refuses streams. Backpressure is what holds it down.
 */
const maxSessionMemory = 1000

/** The number of fields is bounded by the size of the list alone: the least that a field counts is 32 (RFC 9113 §6.5.2). */
const maxHeaderListPairs = 2 ** 16

/** As much as HTTP/1.1 lets through; the server has its own limit. */
const maxSendHeaderBlockLength = 2 ** 20

const ignore = (): void => {}
