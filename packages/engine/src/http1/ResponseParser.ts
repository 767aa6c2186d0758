import { type BlockReader, borrow, giveBack } from "./BlockReader.js"
import * as Characters from "./Characters.js"
import { ChunkedDecoder } from "./ChunkedDecoder.js"
import type { ParserLimits } from "./ParserLimits.js"
import { Failed as StepFailed, More } from "./Progress.js"
import type { ProtocolError } from "./ProtocolError.js"
import { limitPassed, protocolError } from "./ProtocolError.js"
import type { ResponseHead } from "./ResponseHead.js"
import { readFields, ReceivedHead } from "./ResponseHead.js"

/** What a response is made of, reported in order and at once, from within `execute` and `finish`. */
export interface ResponseHandler {
  /** A 1xx response other than 101; the final one is still to come. */
  onInformational(head: ResponseHead): void
  /** The final response, 101 and a 2xx to CONNECT among them. */
  onHead(head: ResponseHead): void
  /** Content is in `bytes[start, end)`, never empty. The range is valid only during the call: keep a copy. */
  onBody(bytes: Uint8Array, start: number, end: number): void
  /**
   * The message is complete on the wire. `trailers` is like `ResponseHead.rawHeaders`. The same input may go on with
   * bytes that nobody asked for, so the connection is free only once `execute` has returned `undefined`.
   */
  onComplete(trailers: ReadonlyArray<string>): void
}

export interface ResponseParserOptions {
  readonly limits: ParserLimits
  /** `bytes[start, end)` as a string of one character an octet. */
  readonly latin1: (bytes: Uint8Array, start: number, end: number) => string
}

/** Why `execute` did not take all of its input. */
export type ParseOutcome =
  | ProtocolError
  /** The response head of a 101 or of a 2xx to CONNECT has been read: what begins at `offset` is another protocol. */
  | { readonly _tag: "Upgraded"; readonly offset: number }
  /**
   * Bytes that belong to no request begin at `offset`. Whatever they say, they must not become the response to the next
   * request: the connection is to be closed.
   */
  | { readonly _tag: "Unexpected"; readonly offset: number }

export type ParserState =
  /** No request is waiting for a response. */
  | "idle"
  /** A response is due, or the response head is incomplete. */
  | "head"
  | "body"
  /** The last response is complete and the next request has not been announced: like `idle`. */
  | "complete"
  | "failed"
  | "upgraded"

const Idle = 0
const Head = 1
const Counted = 2
const Chunked = 3
const Trailers = 4
const UntilClose = 5
const Complete = 6
const Failed = 7
const Upgraded = 8
/** Bytes came that nobody asked for. */
const Poisoned = 9

const states: ReadonlyArray<ParserState> = [
  "idle",
  "head",
  "body",
  "body",
  "body",
  "body",
  "complete",
  "failed",
  "upgraded",
  "failed"
]

/** Stands for no index: `execute` returns `outcome`. */
const Stop = -1

/** Empty lines before a status line that are overlooked. */
const maxEmptyLines = 4

const noTrailers: ReadonlyArray<string> = []

/**
 * Turns the bytes of one connection into the responses they hold, one for each `start`. It does no I/O, it throws
 * nothing, and it makes the same events of the same bytes however they are split.
 */
export class ResponseParser {
  private phase = Idle
  private outcome: ParseOutcome | undefined = undefined
  private isHead = false
  private isConnect = false
  /** The bytes of the interim responses so far. */
  private informational = 0
  /** `Connection: close` has been received. */
  private closing = false
  private emptyLines = 0
  /** CR of an empty line before the status line has been read, its LF has not. */
  private emptyLineBegun = false
  private any = false
  /** Bytes of the body that are still to come. */
  private remaining = 0
  /** While a response head or a trailer section is being read. */
  private block: BlockReader | undefined = undefined
  /** While a chunked body is being read. */
  private chunks: ChunkedDecoder | undefined = undefined

  constructor(private readonly handler: ResponseHandler, private readonly options: ResponseParserOptions) {}

  get state(): ParserState {
    return states[this.phase]
  }

  /** Whether any byte has come since `start`. */
  get receivedAny(): boolean {
    return this.any
  }

  /**
   * The next response is to a request with this method; HEAD and CONNECT change how it is framed. To be called before
   * the request is written, while the parser is `idle` or `complete`; a failed or upgraded parser stays as it is.
   */
  start(method: string): void {
    if (this.phase !== Idle && this.phase !== Complete) {
      if (this.phase < Complete) {
        this.fail(protocolError("OverlappingExchange", "The last response is not complete", "RFC 9112 §9.3.2"))
      }
      return
    }
    this.phase = Head
    this.outcome = undefined
    this.isHead = method === "HEAD"
    this.isConnect = method === "CONNECT"
    this.informational = 0
    this.closing = false
    this.any = false
    this.beginHead()
  }

  /**
   * Takes in `bytes[start, end)`. Returns `undefined` when all of it was expected; otherwise why not, and then every
   * later call returns the same kind of outcome.
   */
  execute(bytes: Uint8Array, start: number, end: number): ParseOutcome | undefined {
    if (start < end) this.any = true
    let i = start
    while (i >= 0 && i < end) {
      switch (this.phase) {
        case Head:
          i = this.readHead(bytes, i, end)
          break
        case Counted: {
          const stop = Math.min(end, i + this.remaining)
          this.remaining -= stop - i
          this.handler.onBody(bytes, i, stop)
          i = this.remaining === 0 ? this.complete(noTrailers, stop, end) : stop
          break
        }
        case Chunked:
          i = this.readChunks(bytes, i, end)
          break
        case Trailers:
          i = this.readTrailers(bytes, i, end)
          break
        case UntilClose:
          this.handler.onBody(bytes, i, end)
          return undefined
        case Failed:
          return this.outcome
        case Upgraded:
          return { _tag: "Upgraded", offset: i }
        default:
          this.phase = Poisoned
          return { _tag: "Unexpected", offset: i }
      }
    }
    return i < 0 ? this.outcome : undefined
  }

  /** The peer has ended the stream. That completes a body which nothing else delimits; else it says what is missing. */
  finish(): ProtocolError | undefined {
    switch (this.phase) {
      case Head:
        return this.incomplete(
          this.any
            ? "The connection ended within a response head"
            : "The connection ended before any byte of a response"
        )
      case Counted:
        return this.incomplete(`The connection ended ${this.remaining} bytes before the body does`)
      case Chunked:
        return this.incomplete("The connection ended before the last chunk")
      case Trailers:
        return this.incomplete("The connection ended within the trailers")
      case UntilClose:
        this.complete(noTrailers, 0, 0)
        return undefined
      case Failed:
        return this.outcome as ProtocolError
      default:
        return undefined
    }
  }

  private beginHead(): void {
    this.emptyLines = 0
    this.emptyLineBegun = false
  }

  private readHead(bytes: Uint8Array, start: number, end: number): number {
    let from = start
    let block = this.block
    if (block === undefined) {
      from = this.skipEmptyLines(bytes, start, end)
      if (from < 0 || from === end) return from
      block = this.block = borrow()
      block.scanner.beginHead(this.options.limits)
    }
    const after = block.read(bytes, from, end)
    if (after === More) return end
    return after === StepFailed ? this.fail(block.scanner.error!) : this.headRead(block, after, end)
  }

  /**
   * Overlooks empty lines before a status line. RFC 9112 §2.2 asks that of servers only, for the sake of clients that
   * send one line end too many; servers that do so exist as well.
   */
  private skipEmptyLines(bytes: Uint8Array, start: number, end: number): number {
    let i = start
    for (; i < end; i++) {
      if (this.emptyLineBegun) {
        if (bytes[i] !== Characters.LF) {
          return this.fail(protocolError("InvalidLineEnd", "CR without LF before the status line", "RFC 9112 §2.2"))
        }
        this.emptyLineBegun = false
      } else if (bytes[i] === Characters.CR) {
        this.emptyLineBegun = true
        this.emptyLines++
        if (this.emptyLines > maxEmptyLines) {
          return this.fail(protocolError("InvalidStatusLine", "Empty lines instead of a status line", "RFC 9112 §4"))
        }
      } else {
        break
      }
    }
    return i
  }

  private headRead(block: BlockReader, after: number, end: number): number {
    const { framing, minorVersion, reasonEnd, status } = block.scanner
    const informational = status < 200 && status !== 101
    if (informational) {
      this.informational += block.length
      if (this.informational > this.options.limits.maxInformationalSize) return this.failInformational()
    }
    const upgraded = status === 101 || (this.isConnect && status >= 200 && status < 300)
    const bodiless = informational || upgraded || this.isHead || status === 204 || status === 304
    const invalid = framing.check(status, minorVersion, !bodiless)
    if (invalid !== undefined) return this.fail(invalid)
    const untilClose = !bodiless && framing.transferEncoding === "none" && framing.contentLength < 0
    // 204 and 205 must not announce content, and 304 frames none (RFC 9110 §8.6, §15.3.6, RFC 9112 §6.1); and a coding
    // that is unknown here, or a list with empty elements, may not be framed as we think. Nobody knows what such a server
    // sends next.
    const dubious = status === 204 || status === 205 || status === 304
      ? framing.transferEncoding !== "none" || (status !== 304 && framing.contentLength > 0)
      : framing.transferEncoding === "other" || framing.isUnusualEncoding
    // Close is said of the whole response, the informational ones that precede it included (RFC 9112 §9.6).
    this.closing ||= framing.close
    const persistent = !this.closing && (minorVersion === 1 || framing.keepAlive)
    const head = new ReceivedHead(
      status,
      minorVersion,
      persistent && !untilClose && !upgraded && !dubious,
      framing.contentLength < 0 ? undefined : framing.contentLength,
      framing.isCoded,
      block.text(this.options.latin1),
      reasonEnd,
      framing.keepAliveStart,
      framing.keepAliveEnd
    )
    this.endBlock(block)

    if (informational) {
      this.beginHead()
      this.handler.onInformational(head)
      return after
    }
    if (upgraded) {
      this.phase = Upgraded
      this.outcome = { _tag: "Upgraded", offset: after }
      this.handler.onHead(head)
      return Stop
    }
    if (bodiless || framing.contentLength === 0) {
      this.handler.onHead(head)
      return this.complete(noTrailers, after, end)
    }
    if (untilClose) {
      this.phase = UntilClose
    } else if (framing.contentLength > 0) {
      this.phase = Counted
      this.remaining = framing.contentLength
    } else {
      this.phase = Chunked
      this.chunks = new ChunkedDecoder()
    }
    this.handler.onHead(head)
    return after
  }

  private readChunks(bytes: Uint8Array, start: number, end: number): number {
    const chunks = this.chunks!
    const after = chunks.decode(bytes, start, end, this.handler)
    if (after === StepFailed) return this.fail(chunks.error!)
    if (chunks.finished) {
      this.phase = Trailers
      this.chunks = undefined
    }
    return after
  }

  private readTrailers(bytes: Uint8Array, start: number, end: number): number {
    let block = this.block
    if (block === undefined) {
      block = this.block = borrow()
      block.scanner.beginTrailers(this.options.limits)
    }
    const after = block.read(bytes, start, end)
    if (after === More) return end
    if (after === StepFailed) return this.fail(block.scanner.error!)
    const trailers = block.scanner.count === 0 ? noTrailers : readFields(block.text(this.options.latin1), 0)
    this.endBlock(block)
    return this.complete(trailers, after, end)
  }

  /** What is still to be seen of the scanner is to be seen in this step: the next block is another connection's. */
  private endBlock(block: BlockReader): void {
    this.block = undefined
    giveBack(block)
  }

  /**
   * The message ends at `after`. If the input does not, the rest is unexpected, even if the handler has announced the
   * next request: a response that was there before its request is not its response.
   */
  private complete(trailers: ReadonlyArray<string>, after: number, end: number): number {
    this.phase = Complete
    this.handler.onComplete(trailers)
    if (after >= end) return after
    this.phase = Poisoned
    this.outcome = { _tag: "Unexpected", offset: after }
    return Stop
  }

  private failInformational(): number {
    return this.fail(
      limitPassed(
        "InformationalTooLarge",
        "The interim responses before the final one are too large",
        "RFC 9110 §15.2",
        this.options.limits,
        "maxInformationalSize"
      )
    )
  }

  private incomplete(message: string): ProtocolError {
    const missing = protocolError("IncompleteMessage", message, "RFC 9112 §8")
    this.fail(missing)
    return missing
  }

  private fail(why: ProtocolError): number {
    this.phase = Failed
    this.outcome = why
    this.block = undefined
    return Stop
  }
}
