import type { Connection, ConnectionListener, Exchange, ExchangeReceiver, ExchangeRequest } from "../Connection.js"
import type * as Failure from "../Failure.js"
import type { Framing, ParseOutcome, ProtocolError, ResponseHandler, ResponseHead } from "../http1/index.js"
import { chunked, contentLength, encodeHead, noContent, ResponseParser } from "../http1/index.js"
import { hungUp, receivedInstead } from "../network/index.js"
import type { DriverRuntime } from "./DriverRuntime.js"
import * as errors from "./errors.js"
import { type ExchangeOwner, Http1Exchange } from "./Http1Exchange.js"
import * as readBuffer from "./readBuffer.js"
import { asksToClose, Quarantine, type ReusePolicy } from "./reuse.js"
import { destroyAsMade, type Transport } from "./Transport.js"

/**
 * One HTTP/1.1 connection: `http1` over a socket. It carries one exchange at a time (no
 * pipelining), reads at all times so that the end of an idle connection is noticed at once, and takes a byte that comes
 * unasked for what it is, the end of all trust in this connection.
 */
export class Http1Connection implements Connection, ResponseHandler, ExchangeOwner {
  readonly protocol = "http/1.1" as const
  /** 0 while it is in quarantine: see `Quarantine`. */
  capacity = 1
  readonly remoteAddress: string | undefined
  reusable = true
  keepAliveHint: number | undefined = undefined
  private current: Http1Exchange | undefined = undefined
  private head: ResponseHead | undefined = undefined
  /** The trailers, once the response is complete: the exchange ends when the bytes that it came in are used up. */
  private completed: ReadonlyArray<string> | undefined = undefined
  /** What was read last was nothing of the response. */
  private isMute = false
  private isPaused = false
  private hasServed = false
  readonly runtime: DriverRuntime
  private readonly quarantine: Quarantine
  private readonly parser: ResponseParser

  constructor(
    readonly socket: Transport,
    private readonly listener: ConnectionListener,
    readonly tlsTime: number | undefined,
    policy: ReusePolicy
  ) {
    this.remoteAddress = socket.remoteAddress
    this.runtime = policy.runtime
    this.parser = new ResponseParser(this, policy.parser)
    this.quarantine = new Quarantine(policy, (capacity) => this.setCapacity(capacity))
    const owned = socket as OwnedSocket
    owned[connectionOf] = this
    owned.destroy = destroy
    socket.on("end", onEnd)
    socket.on("error", onError)
    socket.on("close", onClose)
    socket.on("drain", onDrain)
    // Nobody waits for a connection that carries nothing: it must not keep the process alive.
    socket.unref()
  }

  exchange(request: ExchangeRequest, receiver: ExchangeReceiver): Exchange {
    const exchange = new Http1Exchange(this, request, receiver)
    const head = encodeHead({
      method: request.method,
      target: request.target,
      host: request.method === "CONNECT" ? request.target : request.origin.authority,
      headers: request.headers,
      framing: framingOf(request.body),
      keepAlive: !asksToClose(request.headers)
    })
    if (typeof head !== "string") {
      this.fail(exchange, errors.invalidRequest(request, head))
    } else if (this.socket.destroyed) {
      this.fail(exchange, errors.ended(request, "Unsent", "the connection had been closed"))
    } else {
      this.reusable = false
      this.current = exchange
      this.parser.start(request.method)
      this.socket.ref()
      exchange.send(head, this.hasServed)
      this.hasServed = true
    }
    return exchange
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the socket
  // ---------------------------------------------------------------------------------------------------------------

  /** Bytes have arrived. They are the socket's: valid during this call only. */
  onBytes(bytes: Uint8Array, length: number): void {
    const exchange = this.current
    if (exchange === undefined) {
      // Nobody has asked for them, and they must not become the response of the next request (undici CVE-2026-6733).
      this.quarantine.onLateBytes()
      this.close("Failed")
    } else if (!exchange.written) {
      this.break(exchange, errors.unasked(exchange.request, bytes, length))
    } else if (exchange.upgraded) {
      exchange.receiver.onData(readBuffer.keep(bytes, 0, length))
    } else {
      this.isMute = true
      const outcome = this.parser.execute(bytes, 0, length)
      if (outcome !== undefined) this.interpret(exchange, outcome, bytes, length)
      else if (this.completed !== undefined && !exchange.ended) this.complete(exchange, this.completed)
      else if (this.isMute) exchange.receiver.onProgress()
    }
  }

  private interpret(exchange: Http1Exchange, outcome: ParseOutcome, bytes: Uint8Array, length: number): void {
    switch (outcome._tag) {
      case "ProtocolError": {
        const received = this.head === undefined
          ? receivedInstead(outcome, bytes, length, exchange.isReused)
          : undefined
        return this.break(exchange, errors.invalidResponse(exchange.request, outcome, this.progress, received))
      }
      case "Upgraded":
        exchange.upgraded = true
        // Each side of a tunnel ends by itself.
        this.socket.allowHalfOpen = true
        if (outcome.offset < length) exchange.receiver.onData(readBuffer.keep(bytes, outcome.offset, length))
        return
      case "Unexpected":
        // The response itself was whole; what follows it is nobody's.
        this.head = undefined
        return this.complete(exchange, this.completed ?? [])
    }
  }

  onEnd(): void {
    const exchange = this.current
    if (exchange === undefined) return this.close("ClosedByPeer")
    if (exchange.upgraded) return exchange.receiver.onComplete([])
    if (exchange.hasResponse) return this.onClose()
    const missing = this.parser.finish()
    if (missing === undefined) {
      this.complete(exchange, this.completed ?? [])
    } else {
      const { request } = exchange
      const hint = this.socket.bytesRead === 0 && request.origin.scheme === "http" ? hungUp : ""
      this.break(exchange, errors.ended(request, this.progress, missing.message + hint))
    }
  }

  onError(cause: Error): void {
    const exchange = this.current
    if (exchange !== undefined) this.break(exchange, errors.broken(exchange.request, this.progress, cause))
    else this.close("Failed")
  }

  /**
   * Node destroys a socket when a write fails. But a server that does not want the rest of a request may have responded
   * before it closed (413, RFC 9112 §9.3): what it sent has arrived by now, and is lost if it is not read first.
   */
  isWriteFailure(error: NodeJS.ErrnoException | undefined): boolean {
    const exchange = this.current
    if (error?.syscall !== "write" || exchange === undefined || exchange.broken || exchange.upgraded) return false
    exchange.broken = true
    return true
  }

  readRest(end: () => void): void {
    const before = this.socket.bytesRead
    this.runtime.afterPoll(() => this.socket.bytesRead > before ? this.readRest(end) : end())
  }

  onClose(): void {
    const exchange = this.current
    if (exchange?.upgraded === true && this.socket.readableEnded && this.socket.writableFinished) {
      // Both sides of the tunnel had ended, and were notified.
      exchange.cancel()
    } else if (exchange !== undefined) {
      this.break(exchange, errors.closed(exchange.request, this.progress))
    } else {
      this.close("ClosedByPeer")
    }
  }

  private get progress(): errors.Progress {
    return this.head !== undefined ? "Body" : this.current?.written === false ? "Unsent" : "Sent"
  }

  onDrain(): void {
    this.current?.onDrain()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the parser
  // ---------------------------------------------------------------------------------------------------------------

  onInformational(head: ResponseHead): void {
    this.isMute = false
    this.current?.receiver.onInformational(head)
  }

  onHead(head: ResponseHead): void {
    this.isMute = false
    this.head = head
    this.current?.receiver.onHead(head)
  }

  onBody(bytes: Uint8Array, start: number, end: number): void {
    this.isMute = false
    this.current?.receiver.onData(readBuffer.keep(bytes, start, end))
  }

  onComplete(trailers: ReadonlyArray<string>): void {
    this.completed = trailers
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the exchange
  // ---------------------------------------------------------------------------------------------------------------

  pause(): void {
    this.isPaused = true
    this.socket.pause()
  }

  resume(): void {
    this.isPaused = false
    this.socket.resume()
  }

  onInvalidEnd(exchange: Http1Exchange, error: ProtocolError): void {
    this.break(exchange, errors.invalidTrailers(exchange.request, error))
  }

  abort(exchange: Http1Exchange): void {
    if (this.current === exchange) this.current = undefined
    this.close("NotReusable")
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The end of an exchange
  // ---------------------------------------------------------------------------------------------------------------

  private complete(exchange: Http1Exchange, trailers: ReadonlyArray<string>): void {
    if (exchange.hasResponse) return this.break(exchange, errors.closed(exchange.request, "Body"))
    if (!exchange.sent && !exchange.broken) return this.completeEarly(exchange, trailers)
    const head = this.head
    const reuse = head === undefined || exchange.broken ? "Never" : this.quarantine.reuseAfter(exchange, head)
    this.reusable = reuse !== "Never"
    this.keepAliveHint = head?.keepAliveTimeout === undefined ? undefined : head.keepAliveTimeout * 1000
    this.current = undefined
    this.head = undefined
    this.completed = undefined
    exchange.ended = true
    readBuffer.rest()
    // An idle connection is always being read.
    if (this.isPaused) this.resume()
    this.socket.unref()
    if (reuse === "Quarantined") this.quarantine.begin(this.runtime.now() - exchange.writtenAt)
    exchange.receiver.onComplete(trailers)
    // Writing has failed: whoever would go on sending learns that there is nothing to send it on.
    if (!exchange.sent) exchange.receiver.onError(errors.closed(exchange.request, "Body"))
  }

  /** The request has not been written whole. If its owner wants it to be, it goes on; the connection serves nobody else. */
  private completeEarly(exchange: Http1Exchange, trailers: ReadonlyArray<string>): void {
    this.completed = undefined
    exchange.hasResponse = true
    // What comes now ends it, and so does the end of the connection.
    if (this.isPaused) this.resume()
    exchange.receiver.onComplete(trailers)
  }

  /** The exchange has failed, and the connection with it. */
  private break(exchange: Http1Exchange, error: Failure.Failure): void {
    this.current = undefined
    exchange.ended = true
    exchange.receiver.onError(error)
    this.close("Failed")
  }

  /** The exchange cannot begin; the connection is not touched. */
  private fail(exchange: Http1Exchange, error: Failure.Failure): void {
    exchange.ended = true
    this.runtime.queueMicrotask(() => exchange.receiver.onError(error))
  }

  private setCapacity(capacity: number): void {
    this.capacity = capacity
    this.listener.onCapacity(capacity)
  }

  private close(reason: Parameters<ConnectionListener["onClosed"]>[0]): void {
    this.reusable = false
    this.quarantine.end()
    this.socket.destroy()
    this.listener.onClosed(reason)
  }
}

/** Listeners that each socket has of its own are a good part of what an idle connection holds. */
const connectionOf = Symbol("connection")

interface OwnedSocket extends Transport {
  [connectionOf]: Http1Connection
}

function onEnd(this: Transport): void {
  ;(this as OwnedSocket)[connectionOf].onEnd()
}

function onError(this: Transport, cause: Error): void {
  ;(this as OwnedSocket)[connectionOf].onError(cause)
}

function onClose(this: Transport): void {
  ;(this as OwnedSocket)[connectionOf].onClose()
}

function onDrain(this: Transport): void {
  ;(this as OwnedSocket)[connectionOf].onDrain()
}

function destroy(this: OwnedSocket, error?: Error): OwnedSocket {
  const end = () => destroyAsMade(this, error)
  if (this[connectionOf].isWriteFailure(error)) this[connectionOf].readRest(end)
  else end()
  return this
}

const framingOf = (body: ExchangeRequest["body"]): Framing => {
  switch (body._tag) {
    case "None":
      return noContent
    case "Bytes":
      return contentLength(body.bytes.length)
    case "Chunks":
      return body.length === undefined ? chunked : contentLength(body.length)
  }
}
