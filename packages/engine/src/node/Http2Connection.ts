import type { Connection, ConnectionListener, Exchange, ExchangeReceiver, ExchangeRequest } from "../Connection.js"
import type * as Failures from "../Failure.js"
import type { HostTime } from "../Host.js"
import type {
  BufferedBytes,
  Failure,
  SessionHost,
  SessionOptions,
  StreamFailure,
  StreamRequest
} from "../http2/index.js"
import { defaultSessionOptions, Session } from "../http2/index.js"
import { looked } from "../network/index.js"
import type { Http2 } from "../options/index.js"
import type { Origin } from "../Origin.js"
import { Alarm } from "./Alarm.js"
import type { DriverRuntime } from "./DriverRuntime.js"
import type { EndOfTurn } from "./endOfTurn.js"
import { notReady, streamFailure } from "./http2Failures.js"
import type { Reader } from "./socket.js"
import { destroyAsMade, type Transport } from "./Transport.js"

/** More than this does not wait in the socket: what is urgent would come behind it. */
const maxWaiting = 64 * 1024

/**
 * As much is written at once while the system takes at once whatever it is given: then nothing waits, and each write of
 * many uploads costs less.
 */
const maxAtOnce = 256 * 1024

const nothing = new Uint8Array(0)

export interface Http2ConnectionOptions {
  readonly socket: Transport
  readonly origin: Origin
  readonly listener: ConnectionListener
  /** The same for all connections: see `sessionOptions`. */
  readonly session: SessionOptions
  readonly time: Pick<HostTime, "elapsed" | "sleep">
  readonly runtime: DriverRuntime
  readonly tlsTime: number | undefined
  /** The server wants HTTP/1.1 for that origin. */
  readonly onHttp1Required: (origin: Origin) => void
  /** The server's SETTINGS have come, or will not come any more. */
  readonly onPrefaceReceived: (failure?: Failures.Failure) => void
}

/**
 * @param limits as for HTTP/1.1
 * @param pooledBytes what all connections of the pool hold for slow readers, if that is counted
 */
export const sessionOptions = (
  settings: Partial<Http2>,
  limits: Pick<SessionOptions, "maxHeaderSize" | "maxInformationalSize">,
  pooledBytes: BufferedBytes | undefined
): SessionOptions => ({
  ...defaultSessionOptions,
  ...settings,
  ...limits,
  maxBufferedBytes: defaultSessionOptions.maxBufferedBytes,
  pooledBytes
})

/** One HTTP/2 connection: `http2` over a transport. */
export class Http2Connection implements Connection, Reader, EndOfTurn, SessionHost<Failures.Failure> {
  readonly protocol = "h2" as const
  readonly keepAliveHint = undefined
  readonly remoteAddress: string | undefined
  readonly tlsTime: number | undefined
  readonly origin: Origin
  readonly socket: Transport
  readonly session: Session<Failures.Failure>
  readonly elapsed: () => number
  private readonly listener: ConnectionListener
  private readonly runtime: DriverRuntime
  private readonly requireHttp1: (origin: Origin) => void
  /** What it took to make the connection hangs on it: it goes when it was called. */
  private onPrefaceReceived: ((failure?: Failures.Failure) => void) | undefined
  private readonly alarm: Alarm
  private isReady = false
  /** What came before SETTINGS were complete, as much of it as says what speaks there. */
  private first: Uint8Array = nothing
  private isShutDown = false
  /** A request begins after a time without any. */
  private isWaking = false
  /** How much is written at once. */
  private room = maxWaiting
  /** What the session writes in one flush. */
  private chunks: Array<Uint8Array> | undefined = undefined
  /** Node hands over one record of TLS after the other. */
  private readonly isTls: boolean
  /** Whether the socket keeps the process alive: while something is under way. */
  private isHeld = true
  /** Writing has failed; what the server had sent before is still read. */
  private writeFailure: Error | undefined = undefined

  constructor(options: Http2ConnectionOptions) {
    const { runtime, session, socket, time, tlsTime } = options
    this.socket = socket
    this.tlsTime = tlsTime
    this.isTls = tlsTime !== undefined
    this.remoteAddress = socket.remoteAddress
    this.origin = options.origin
    this.listener = options.listener
    this.runtime = runtime
    this.requireHttp1 = options.onHttp1Required
    this.onPrefaceReceived = options.onPrefaceReceived
    this.elapsed = time.elapsed
    this.alarm = new Alarm(time, () => runtime.afterPoll(() => this.session.onDeadline()))
    this.session = new Session(this, session)
    const owned = socket as OwnedSocket
    owned[connectionOf] = this
    owned.destroy = destroy
    socket.on("end", onEnd)
    socket.on("error", onError)
    socket.on("close", onEnd)
    socket.on("drain", onDrain)
  }

  get capacity(): number {
    return this.session.capacity
  }

  get streamLimit(): number | undefined {
    const { options, streamLimit } = this.session
    return streamLimit <= options.maxConcurrentStreams ? streamLimit : undefined
  }

  get reusable(): boolean {
    return this.session.state === "Open"
  }

  /**
   * On a connection that was idle nothing is written before a whole poll, as with HTTP/1.1: what the server had sent
   * meanwhile, GOAWAY or its end, is noticed while the request can still go elsewhere.
   */
  exchange(request: ExchangeRequest, receiver: ExchangeReceiver): Exchange {
    this.isWaking = this.session.isIdle
    return this.session.request(request, receiver)
  }

  /** The connection's Scope ends: what it carries fails, and its socket is closed next. */
  shutdown(): void {
    this.isShutDown = true
    this.session.shutdown()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the socket
  // ---------------------------------------------------------------------------------------------------------------

  onBytes(bytes: Uint8Array, length: number): void {
    if (!this.isReady) this.keepFirst(bytes, length)
    this.session.receive(bytes, 0, length, this.isTls)
    if (this.isHeld !== this.session.isBusy) this.hold()
  }

  private keepFirst(bytes: Uint8Array, length: number): void {
    const { first } = this
    if (first.length < looked) this.first = Buffer.concat([first, bytes.subarray(0, length)]).subarray(0, looked)
  }

  onEnd(): void {
    if (this.writeFailure === undefined) this.session.receiveEnd()
    else this.session.receiveError(this.writeFailure)
  }

  onError(cause: Error): void {
    this.session.receiveError(cause)
  }

  /** There is room again. */
  onDrain(): void {
    if (!this.isWaking) this.flush()
  }

  /**
   * Node destroys a socket when a write fails. But the server may have said why it closes (GOAWAY), and its last responses
   * have arrived by now: they are lost if they are not read first.
   */
  readRest(failure: Error, end: () => void): void {
    this.writeFailure = failure
    const before = this.socket.bytesRead
    this.runtime.afterPoll(() =>
      this.socket.bytesRead > before && !this.socket.readableEnded ? this.readRest(failure, end) : end()
    )
  }

  isWriteFailure(error: NodeJS.ErrnoException | undefined): error is NodeJS.ErrnoException {
    return error?.syscall === "write" && this.writeFailure === undefined && this.session.state !== "Closed"
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the session
  // ---------------------------------------------------------------------------------------------------------------

  onOutput(): void {
    const { runtime } = this
    if (this.isWaking) runtime.afterPoll(() => this.flush())
    else runtime.atEndOfTurn(this)
    this.isWaking = false
  }

  onEndOfTurn(): void {
    // A flush that was asked for before the request that wakes the connection, as by the end of the response before it.
    if (this.isWaking) this.onOutput()
    else this.flush()
  }

  private flush(): void {
    const { socket } = this
    this.isWaking = false
    const chunks: Array<Uint8Array> = this.chunks = []
    const isFull = this.session.flush(this.writeFailure === undefined ? this.room - socket.writableLength : 0)
    this.chunks = undefined
    if (this.isHeld !== this.session.isBusy) this.hold()
    if (chunks.length === 1) {
      socket.write(chunks[0])
    } else if (chunks.length > 1) {
      socket.cork()
      for (const chunk of chunks) socket.write(chunk)
      socket.uncork()
    }
    if (isFull) this.room = socket.writableLength > 0 ? maxWaiting : Math.min(2 * this.room, maxAtOnce)
  }

  private hold(): void {
    this.isHeld = this.session.isBusy
    if (this.isHeld) this.socket.ref()
    else this.socket.unref()
  }

  write(bytes: Uint8Array): void {
    if (this.chunks !== undefined) this.chunks.push(bytes)
    else if (!this.socket.destroyed && this.writeFailure === undefined) this.socket.write(bytes)
  }

  setDeadline(at: number): void {
    this.alarm.set(at === Infinity ? Infinity : at - this.elapsed())
  }

  allocate(size: number): Uint8Array {
    return Buffer.allocUnsafe(size)
  }

  latin1(bytes: Uint8Array, start: number, end: number): string {
    return Buffer.prototype.latin1Slice.call(bytes, start, end)
  }

  onReady(): void {
    this.isReady = true
    this.first = nothing
    const received = this.onPrefaceReceived
    this.onPrefaceReceived = undefined
    received?.()
  }

  onCapacity(): void {
    this.listener.onCapacity(this.capacity)
  }

  onDraining(): void {
    if (this.isReady) this.listener.onDraining()
  }

  onHttp1Required(request: StreamRequest | undefined): void {
    const { origin } = this
    const required = request === undefined ? origin : requestOf(request).origin
    this.requireHttp1(required)
    if (required.key === origin.key) this.session.drain()
  }

  onClosed(failure: Failure): void {
    if (this.isShutDown) return
    if (this.isReady) this.listener.onClosed(failure._tag === "Ended" ? "ClosedByPeer" : "Failed")
    else this.onPrefaceReceived?.(notReady(this.origin, failure, this.first))
  }

  toError(failure: StreamFailure, request: StreamRequest): Failures.Failure {
    return streamFailure(failure, requestOf(request))
  }
}

/** All requests of a session have come by `exchange`. */
const requestOf = (request: StreamRequest): ExchangeRequest => request as ExchangeRequest

/** Listeners that each socket has of its own are a good part of what an idle connection holds. */
const connectionOf = Symbol("connection")

interface OwnedSocket extends Transport {
  [connectionOf]: Http2Connection
}

function onEnd(this: Transport): void {
  ;(this as OwnedSocket)[connectionOf].onEnd()
}

function onError(this: Transport, cause: Error): void {
  ;(this as OwnedSocket)[connectionOf].onError(cause)
}

function onDrain(this: Transport): void {
  ;(this as OwnedSocket)[connectionOf].onDrain()
}

function destroy(this: OwnedSocket, error?: Error): OwnedSocket {
  const end = () => destroyAsMade(this, error)
  const connection = this[connectionOf]
  if (connection.isWriteFailure(error)) connection.readRest(error, end)
  else end()
  return this
}
