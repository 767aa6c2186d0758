import * as http2 from "node:http2"
import { Duplex } from "node:stream"
import type { Exchange, ExchangeHead, ExchangeReceiver, ExchangeRequest } from "../Connection.js"
import type * as Failure from "../Failure.js"
import { checkTrailers } from "../http1/index.js"
import { atEndOfTurn, type EndOfTurn } from "./endOfTurn.js"
import { invalidTrailers, type Progress } from "./errors.js"
import * as errors from "./http2Errors.js"
import * as headers from "./http2Headers.js"
import { queueMicrotask } from "./runtime.js"

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR } = http2.constants

/** Bytes in one piece are handed over in parts of this size, so that a server that takes no more shows. */
const partSize = 64 * 1024

/** As much of an answer is kept back at most, so that a reader that is slow is noticed. */
const mostHeld = 256 * 1024

/** What an exchange needs of its connection. */
export interface ExchangeOwner {
  readonly maxHeaderListSize: number
  /** Something was read. The mark changes each time. */
  readonly heard: () => number
  readonly readMark: number
  /** Why its stream has ended before the answer did. */
  readonly failureOf: (exchange: Http2Exchange, code: number) => Failure.Failure
  /** It has ended: the connection is done with it. */
  readonly onEnded: (exchange: Http2Exchange) => void
  /** Nothing was heard of its request since `mark`. */
  readonly onSilent: (mark: number) => void
}

/**
 * One stream of an HTTP/2 connection. What `node:http2` tells about it may come late and in several ways; here it ends
 * once, and then it tells nothing more.
 */
export class Http2Exchange implements Exchange, EndOfTurn {
  written = false
  sent = false
  private ended = false
  private isAnswered = false
  /** What has come of the answer in this turn of the event loop, until it is told. */
  private head: ExchangeHead | undefined = undefined
  private held: Array<Uint8Array> | undefined = undefined
  private heldBytes = 0
  private isTelling = false
  /** What CONNECT has opened (RFC 9113 §8.5). When the other side has ended, ours goes on until the stream is closed. */
  private tunnel: "None" | "Open" | "Ended" = "None"
  /** The server has ended its side in order. */
  isWhole = false
  private trailers: ReadonlyArray<string> = []
  private stream: http2.ClientHttp2Stream | undefined = undefined
  /** What Node says is wrong with the stream; about the session it says so later. */
  cause: Error | undefined = undefined
  private readMark = 0
  /** What is still to be written of a body in one piece. */
  private rest: Uint8Array | undefined = undefined

  constructor(
    private readonly owner: ExchangeOwner,
    readonly request: ExchangeRequest,
    private readonly receiver: ExchangeReceiver
  ) {}

  get streamId(): number {
    return this.stream?.id ?? Infinity
  }

  get progress(): Progress {
    return this.isAnswered ? "Body" : "Sent"
  }

  /** The stream is open: its HEADERS are on their way. */
  begin(stream: http2.ClientHttp2Stream): void {
    this.stream = stream
    this.written = true
    this.readMark = this.owner.readMark
    const owned = stream as OwnedStream
    owned[exchangeOf] = this
    owned.emit = emit
    owned.push = push
    const { body } = this.request
    if (body._tag === "None") {
      this.sent = true
      if (this.request.method !== "CONNECT") return
    }
    if (body._tag !== "Bytes") return
    if (body.bytes.length <= partSize) stream.end(body.bytes)
    else this.writeRest(body.bytes)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the request
  // ---------------------------------------------------------------------------------------------------------------

  write(bytes: Uint8Array): boolean {
    const stream = this.stream
    // A server that has answered may have said that it wants no more of it; then it is pulled and thrown away.
    if (this.ended || stream === undefined || !stream.writable) return true
    return stream.write(bytes)
  }

  end(trailers?: Readonly<Record<string, string>>): void {
    const { stream } = this
    if (this.ended || stream?.writable !== true) return
    if (trailers !== undefined) {
      const invalid = checkTrailers(trailers)
      if (invalid !== undefined) return this.abort(invalidTrailers(this.request, invalid))
      stream.on("wantTrailers", () => this.sendTrailers(stream, trailers))
    }
    stream.end()
  }

  private sendTrailers(stream: http2.ClientHttp2Stream, trailers: Readonly<Record<string, string>>): void {
    if (this.ended) return
    try {
      stream.sendTrailers(trailers)
    } catch (cause) {
      this.abort(errors.refusedByNode(this.request, cause))
    }
  }

  pause(): void {
    if (!this.ended) this.stream?.pause()
  }

  resume(): void {
    if (!this.ended) this.stream?.resume()
  }

  cancel(reason: "Unwanted" | "Silent"): void {
    if (this.ended) return
    this.leave()
    this.stream?.close(NGHTTP2_CANCEL)
    if (reason === "Silent") this.owner.onSilent(this.readMark)
  }

  /** It could not begin. The receiver hears of it when `exchange` has returned. */
  failLater(error: Failure.Failure): void {
    queueMicrotask(() => {
      if (!this.ended) this.fail(error)
    })
  }

  fail(error: Failure.Failure): void {
    this.tell()
    if (this.ended) return
    this.leave()
    this.receiver.onError(error)
  }

  /** Ends the stream as well. */
  private abort(error: Failure.Failure): void {
    this.stream?.close(NGHTTP2_CANCEL)
    this.fail(error)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The answer
  // ---------------------------------------------------------------------------------------------------------------

  onResponse(flags: number, raw: ReadonlyArray<string>): void {
    if (this.ended) return
    const stream = this.stream as http2.ClientHttp2Stream
    this.readMark = this.owner.heard()
    const limit = this.owner.maxHeaderListSize
    if (headers.sizeOf(raw) > limit) return this.abort(errors.headTooLarge(this.request, "Body", limit))
    this.isAnswered = true
    const head = this.head = headers.decode(raw)
    if (this.request.method === "CONNECT" && head.status >= 200 && head.status < 300) this.tunnel = "Open"
    if ((flags & NGHTTP2_FLAG_END_STREAM) !== 0) {
      stream.resume()
      return this.complete()
    }
    this.tellSoon()
    stream.on("data", onData)
  }

  /**
   * Frames that came together are told together: nobody has to wait for what is there, and each wait of a reader costs
   * as much as a request over HTTP/1.1. A small answer is head, data and end; a large one many parts of 16 KiB.
   */
  private tellSoon(): void {
    if (this.isTelling) return
    this.isTelling = true
    atEndOfTurn(this)
  }

  /** Tells what was kept back. Whatever else comes, comes after it. */
  tell(): void {
    const { head, held } = this
    this.head = undefined
    this.held = undefined
    this.heldBytes = 0
    if (head !== undefined && !this.ended) this.receiver.onHead(head)
    if (held !== undefined) { for (let i = 0; i < held.length && !this.ended; i++) this.receiver.onData(held[i]) }
  }

  onEndOfTurn(): void {
    this.isTelling = false
    this.tell()
  }

  onHeaders(raw: ReadonlyArray<string>): void {
    if (this.ended || this.isAnswered) return
    this.readMark = this.owner.heard()
    this.receiver.onInformational(headers.decode(raw))
  }

  onData(bytes: Buffer): void {
    if (this.ended) return
    this.readMark = this.owner.heard()
    if (this.held === undefined) this.held = [bytes]
    else this.held.push(bytes)
    this.heldBytes += bytes.length
    if (this.heldBytes >= mostHeld) this.tell()
    else this.tellSoon()
  }

  onTrailers(raw: ReadonlyArray<string>): void {
    this.trailers = raw
  }

  onEnd(): void {
    if (!this.ended && this.isWhole) this.complete()
  }

  private complete(): void {
    this.tell()
    if (this.ended) return
    if (this.tunnel !== "None") return this.completeTunnel()
    const stream = this.stream as http2.ClientHttp2Stream
    this.leave()
    // Nobody takes the rest of the request any more.
    if (!stream.writableEnded) stream.close(NGHTTP2_CANCEL)
    this.receiver.onComplete(this.trailers)
  }

  private completeTunnel(): void {
    const wasOpen = this.tunnel === "Open"
    this.tunnel = "Ended"
    if (this.stream?.closed === true) this.leave()
    if (wasOpen) this.receiver.onComplete([])
  }

  /** "close" comes after it, with the code. */
  onStreamError(error: Error): void {
    this.cause = error
  }

  /** The stream is gone: by its own end, by RST_STREAM from either side, or with its connection. */
  onClose(): void {
    if (this.ended) return
    const stream = this.stream as http2.ClientHttp2Stream
    const code = stream.rstCode
    if (!this.isAnswered || !this.isWhole || code !== NGHTTP2_NO_ERROR) {
      return this.fail(this.owner.failureOf(this, code))
    }
    // The answer was whole, but the connection went away while reading was paused. What had come is still there.
    for (let part = stream.read() as Buffer | null; part !== null; part = stream.read() as Buffer | null) {
      this.onData(part)
    }
    if (!this.ended) this.complete()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The request's body
  // ---------------------------------------------------------------------------------------------------------------

  onFinish(): void {
    if (this.sent && this.tunnel === "None") return
    this.sent = true
    if (!this.ended) this.receiver.onSent()
  }

  onDrain(): void {
    if (this.ended) return
    // The server, or only the socket, has taken what waited.
    this.readMark = this.owner.heard()
    if (this.rest === undefined) return this.receiver.onDrain()
    this.writeRest(this.rest)
    this.receiver.onWritten()
  }

  private writeRest(bytes: Uint8Array): void {
    const stream = this.stream as http2.ClientHttp2Stream
    let offset = 0
    while (offset < bytes.length && stream.writable) {
      const part = bytes.subarray(offset, offset + partSize)
      offset += part.length
      if (offset >= bytes.length) stream.end(part)
      else if (!stream.write(part)) break
    }
    this.rest = offset < bytes.length ? bytes.subarray(offset) : undefined
  }

  /** A frame of ours could not be sent. */
  onFrameError(code: number): void {
    this.abort(errors.notSendable(this.request, code) as Failure.LocalProtocolError)
  }

  private leave(): void {
    this.ended = true
    this.owner.onEnded(this)
  }
}

const exchangeOf = Symbol("exchange")

interface OwnedStream extends http2.ClientHttp2Stream {
  [exchangeOf]: Http2Exchange
}

function onData(this: http2.ClientHttp2Stream, bytes: Buffer): void {
  ;(this as OwnedStream)[exchangeOf].onData(bytes)
}

/**
 * What a stream tells, in place of its own `emit`: listeners for each event of every stream are more garbage than all
 * the rest of an exchange. Node listens to some of them itself.
 */
function emit(this: OwnedStream, event: string | symbol, ...args: ReadonlyArray<unknown>): boolean {
  const exchange = this[exchangeOf]
  switch (event) {
    case "response":
      exchange.onResponse(args[1] as number, args[2] as ReadonlyArray<string>)
      return true
    case "headers":
      exchange.onHeaders(args[2] as ReadonlyArray<string>)
      return true
    case "trailers":
      exchange.onTrailers(args[2] as ReadonlyArray<string>)
      return true
    case "error":
      exchange.onStreamError(args[0] as Error)
      return true
    case "frameError":
      exchange.onFrameError(args[1] as number)
      return true
    case "end":
      exchange.onEnd()
      break
    case "finish":
      exchange.onFinish()
      break
    case "drain":
      exchange.onDrain()
      break
    case "close":
      exchange.onClose()
      break
  }
  return Duplex.prototype.emit.call(this, event, ...args)
}

/** Node's stream says "end" for END_STREAM and for RST_STREAM(NO_ERROR) alike, in the second case after it is closed. */
function push(this: OwnedStream, chunk: unknown, encoding?: BufferEncoding): boolean {
  if (chunk === null && !this.closed) this[exchangeOf].isWhole = true
  return Duplex.prototype.push.call(this, chunk, encoding)
}
