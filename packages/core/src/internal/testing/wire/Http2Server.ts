import { opensTunnel } from "@sluice/engine/call"
import { ErrorCode } from "@sluice/engine/http2"
import { type FrameHandler, FrameReader, FrameWriter, OutputBuffer, writeHeaders } from "@sluice/engine/http2/frames"
import { HpackDecoder, HpackEncoder } from "@sluice/engine/http2/hpack"
import { fromLatin1, hasContent, http2Fields, type PipeReader, toLatin1 } from "@sluice/engine/memory"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Stream from "effect/Stream"
import type { TransportError } from "../../../TransportError.js"
import type * as models from "../memoryModels.js"
import { MemoryRequest } from "../MemoryRequest.js"
import type { ServerOptions } from "./Http1Server.js"
import { ServedStream } from "./ServedStream.js"

export interface Http2ServerOptions extends ServerOptions {
  /** How many streams the client may have open at once. */
  readonly capacity: number
}

const HEADER_TABLE_SIZE = 1
const MAX_CONCURRENT_STREAMS = 3
const INITIAL_WINDOW_SIZE = 4
const MAX_FRAME_SIZE = 5
const ENABLE_CONNECT_PROTOCOL = 8

/** What each side may send, and takes at least, before anything was said (RFC 9113 §6.5.2). */
const defaultWindow = 65_535
const frameSize = 16_384

/** The most that a setting can say, and a window can be (§6.5.1, §6.9.1). */
const maxSetting = 2 ** 32 - 1
const maxWindow = 2 ** 31 - 1

/** What a client sends first (RFC 9113 §3.4). */
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

const maxHeaderBytes = 1024 * 1024

const encode = (part: string | Uint8Array) => typeof part === "string" ? new TextEncoder().encode(part) : part

/** The server of an HTTP/2 connection in memory: frames in, frames out. It is as strict as RFC 9113 lets it be. */
export class Http2Server implements PipeReader, FrameHandler {
  readonly requests: Array<models.Request> = []
  private readonly streams = new Map<number, ServedStream>()
  private readonly fibers = new Set<Fiber.RuntimeFiber<void>>()
  private readonly reader = new FrameReader(this, { maxFrameSize: frameSize, maxHeaderBlockBytes: maxHeaderBytes })
  private readonly decoder = new HpackDecoder({
    maxListBytes: maxHeaderBytes,
    maxDecodedBytes: maxHeaderBytes,
    latin1: (bytes, start, end) => toLatin1(bytes.subarray(start, end))
  })
  private readonly encoder = new HpackEncoder()
  private readonly output = new OutputBuffer()
  /** How much of the preface has come. */
  private prefaced = 0
  /** The highest stream that the client has opened. */
  private newest = 0
  /** The last stream that is served: none after GOAWAY. */
  private lastServed = Infinity
  private capacity: number
  /** What the client takes: of all streams, of a new stream, and in one frame. */
  private sendWindow = defaultWindow
  private initialSendWindow = defaultWindow
  private maxFrameSize = frameSize
  /** What was received and not given back. */
  private owed = 0
  /** The DATA frame that is being read. */
  private data = { streamId: 0, padding: 0, endStream: false }

  constructor(private readonly options: Http2ServerOptions) {
    this.capacity = options.capacity
    FrameWriter.writeSettings(this.output, [
      // Without it there is no limit (RFC 9113 §6.5.2).
      ...(options.capacity === Infinity ? [] : [MAX_CONCURRENT_STREAMS, options.capacity]),
      INITIAL_WINDOW_SIZE,
      Math.min(options.window, maxWindow),
      ENABLE_CONNECT_PROTOCOL,
      1
    ])
    this.write()
    options.socket.onRoom = () => this.flush()
    options.socket.readWith(this)
  }

  get active(): number {
    let active = 0
    for (const { request } of this.streams.values()) if (request.state === "Running") active++
    return active
  }

  // ---------------------------------------------------------------------------------------------------------------
  // From the client
  // ---------------------------------------------------------------------------------------------------------------

  onBytes(bytes: Uint8Array): void {
    let start = 0
    while (this.prefaced < preface.length && start < bytes.length) {
      if (bytes[start++] !== preface.charCodeAt(this.prefaced++)) {
        return this.fail("what comes first is not the connection preface (RFC 9113 §3.4)")
      }
    }
    const error = this.reader.execute(bytes, start, bytes.length)
    if (error !== undefined) return this.fail(`${error.detail} (${error.section})`, error.errorCode)
    this.flush()
  }

  onEnd(): void {
    this.onReset()
  }

  /** The client is gone: nobody wants the responses. */
  onReset(): void {
    this.options.socket.reset()
    for (const stream of this.streams.values()) this.leave(stream, "Cancelled")
    this.streams.clear()
  }

  onHeaders(streamId: number, endStream: boolean, bytes: Uint8Array, start: number, end: number): void {
    const error = this.decoder.decode(bytes, start, end)
    if (error !== undefined) return this.fail(`${error.detail} (${error.section})`, error.errorCode)
    const stream = this.streams.get(streamId)
    if (stream !== undefined) return this.onTrailers(stream, endStream)
    // It has ended meanwhile: a reset of ours has crossed what is on its way.
    if (streamId <= this.newest) return
    this.newest = streamId
    if (streamId > this.lastServed) return
    // The client may have sent it before it knew of another limit.
    if (this.streams.size >= this.capacity) return this.reset(streamId, ErrorCode.REFUSED_STREAM)
    const head = http2Fields.requestHead(this.decoder.fields)
    if (typeof head === "string") return this.refuse(streamId, head)
    const { connection, onRequest, window } = this.options
    const request = new MemoryRequest(connection, head, window, (length) => this.onTaken(streamId, length), streamId)
    const served = new ServedStream(streamId, request, this.initialSendWindow, window)
    this.streams.set(streamId, served)
    if (head.headers["expect"]?.toLowerCase() === "100-continue") {
      request.onFirstRead = () => {
        this.writeHead(served, http2Fields.responseFields(100), false)
        this.write()
      }
    }
    if (endStream) this.onRequestEnd(served, {})
    this.start(served)
    this.requests.push(request)
    onRequest(request)
  }

  private onTrailers(stream: ServedStream, endStream: boolean): void {
    const trailers = http2Fields.requestTrailers(this.decoder.fields)
    if (stream.request.isComplete) return this.refuse(stream.id, "HEADERS after the end of a request")
    if (typeof trailers === "string") return this.refuse(stream.id, trailers)
    if (!endStream) return this.refuse(stream.id, "trailers that do not end the request")
    this.onRequestEnd(stream, trailers)
  }

  onDataHead(streamId: number, flowLength: number, endStream: boolean): void {
    this.data = { streamId, padding: flowLength, endStream }
    if (streamId > this.newest) return this.fail(`DATA on stream ${streamId}, which was never opened`)
    this.owed += flowLength
    if (this.owed >= defaultWindow / 2) {
      FrameWriter.writeWindowUpdate(this.output, 0, this.owed)
      this.owed = 0
    }
    const stream = this.streams.get(streamId)
    if (stream === undefined) return
    if (stream.request.isComplete) return this.refuse(streamId, "DATA after the end of a request")
    stream.receiveWindow -= flowLength
    if (stream.receiveWindow < 0) {
      this.fail(`DATA beyond the window of stream ${streamId}`, ErrorCode.FLOW_CONTROL_ERROR)
    }
  }

  onDataBytes(bytes: Uint8Array, start: number, end: number): void {
    this.data.padding -= end - start
    const stream = this.streams.get(this.data.streamId)
    if (stream === undefined) return
    stream.received += end - start
    stream.request.receive(bytes.slice(start, end))
  }

  onDataEnd(): void {
    const { endStream, padding, streamId } = this.data
    const stream = this.streams.get(streamId)
    if (stream === undefined) return
    if (endStream) this.onRequestEnd(stream, {})
    else if (padding > 0) this.onTaken(streamId, padding)
  }

  private onRequestEnd(stream: ServedStream, trailers: Readonly<Record<string, string>>): void {
    const { "content-length": length } = stream.request.headers
    if (length !== undefined && Number(length) !== stream.received) {
      return this.refuse(stream.id, `content-length is ${length}, the content ${stream.received} bytes`)
    }
    stream.request.complete(trailers)
    if (stream.hasReplied) this.streams.delete(stream.id)
  }

  onRstStream(streamId: number): void {
    const stream = this.streams.get(streamId)
    if (stream === undefined) {
      if (streamId > this.newest) this.fail(`RST_STREAM on stream ${streamId}, which was never opened`)
      return
    }
    this.streams.delete(streamId)
    this.leave(stream, "Cancelled")
  }

  onSettings(entries: ReadonlyArray<number>): void {
    for (let i = 0; i < entries.length; i += 2) this.onSetting(entries[i], entries[i + 1])
    FrameWriter.writeSettingsAck(this.output)
  }

  private onSetting(id: number, value: number): void {
    if (id === HEADER_TABLE_SIZE) this.encoder.setPeerTableSize(value)
    if (id === MAX_FRAME_SIZE) this.maxFrameSize = value
    if (id === INITIAL_WINDOW_SIZE) {
      for (const stream of this.streams.values()) stream.sendWindow += value - this.initialSendWindow
      this.initialSendWindow = value
    }
  }

  onSettingsAck(): void {}

  onPing(high: number, low: number): void {
    FrameWriter.writePing(this.output, true, high, low)
  }

  onPingAck(): void {}

  onGoAway(): void {}

  onWindowUpdate(streamId: number, increment: number): void {
    if (increment === 0) return this.fail("WINDOW_UPDATE of 0")
    if (streamId === 0) this.sendWindow += increment
    const stream = this.streams.get(streamId)
    if (stream !== undefined) stream.sendWindow += increment
  }

  onIgnored(): void {}

  onStreamError(streamId: number, { detail }: { readonly detail: string }): void {
    this.refuse(streamId, detail)
  }

  onProgress(): void {}

  // ---------------------------------------------------------------------------------------------------------------
  // From the test
  // ---------------------------------------------------------------------------------------------------------------

  /** Interrupts those who respond, and waits for them. */
  readonly end: Effect.Effect<void> = Effect.suspend(() => {
    const fibers = [...this.fibers]
    this.onReset()
    return Fiber.interruptAll(fibers)
  })

  /** What is under way has failed: the connection was closed or reset by the test. */
  breakOff(): void {
    for (const stream of this.streams.values()) this.leave(stream, "Failed")
    this.streams.clear()
  }

  goAway(): void {
    this.lastServed = this.newest
    FrameWriter.writeGoAway(this.output, this.newest, ErrorCode.NO_ERROR, "")
    this.write()
  }

  setCapacity(capacity: number): void {
    this.capacity = capacity
    FrameWriter.writeSettings(this.output, [MAX_CONCURRENT_STREAMS, Math.min(capacity, maxSetting)])
    this.write()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Responses
  // ---------------------------------------------------------------------------------------------------------------

  private start(stream: ServedStream): void {
    const run = Effect.suspend(() => this.options.respond(stream.request)).pipe(
      Effect.flatMap((reply) => this.reply(stream, reply)),
      Effect.catchAllCause((cause) => Effect.sync(() => this.onCause(stream, cause)))
    )
    const fiber = stream.fiber = this.options.runtime.fork(Effect.interruptible(run))
    this.fibers.add(fiber)
    fiber.addObserver(() => this.fibers.delete(fiber))
  }

  private reply(stream: ServedStream, reply: models.Reply): Effect.Effect<void, TransportError> {
    return Effect.suspend(() => {
      if (!this.isServed(stream)) return Effect.never
      const { body = "", headers, interim = [], raw, status = 200 } = reply
      if (raw !== undefined) return this.replyRaw(stream, raw)
      const { method } = stream.request
      for (const { headers, status = 103 } of interim) {
        this.writeHead(stream, http2Fields.responseFields(status, headers), false)
      }
      stream.isTunnel = opensTunnel(method, status)
      const trailers = http2Fields.flatFields(reply.trailers)
      const isSent = stream.isTunnel || hasContent(method, status)
      // A response to HEAD says what the one to GET would (RFC 9110 §9.3.2), or nothing.
      const isCounted = !stream.isTunnel && (isSent || (method === "HEAD" && reply.body !== undefined))
      const head = http2Fields.responseFields(status, headers, isCounted ? lengthOf(body) : undefined)
      if (!isSent || (lengthOf(body) === 0 && trailers.length === 0 && !stream.isTunnel)) {
        return Effect.sync(() => this.finish(stream, () => this.writeHead(stream, head, true)))
      }
      this.writeHead(stream, head, false)
      if (typeof body !== "string" && !(body instanceof Uint8Array)) {
        // The head goes out at once, however long the body takes.
        this.write()
        return Effect.zipRight(
          Stream.runForEach(body, (part) => this.send(stream, encode(part))),
          Effect.suspend(() => this.send(stream, noBytes, { trailers }))
        )
      }
      return this.send(stream, encode(body), { trailers })
    })
  }

  private replyRaw(stream: ServedStream, raw: NonNullable<models.Reply["raw"]>): Effect.Effect<void, TransportError> {
    const chunks = typeof raw === "string" || raw instanceof Uint8Array ? Stream.make(raw) : raw
    return Effect.zipRight(
      Stream.runForEach(
        chunks,
        (chunk) => this.options.socket.write(typeof chunk === "string" ? fromLatin1(chunk) : chunk)
      ),
      // Whether the frames of the test have ended the stream is the test's to know.
      Effect.sync(() => this.isServed(stream) && this.finish(stream, () => {}))
    )
  }

  /** Ends when the client and the wire have taken it all. */
  private send(stream: ServedStream, bytes: Uint8Array, end?: ServedStream["end"]): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.isServed(stream)) return Effect.never
      if (bytes.length > 0) stream.pending.push(bytes)
      stream.end = end
      this.flush()
      if (!stream.hasPending) return Effect.void
      return Effect.async<void>((resume) => {
        stream.onFlushed = () => resume(Effect.void)
      })
    })
  }

  /** Writes what there is, one frame of each stream after the other, while the wire takes it. */
  private flush(): void {
    this.write()
    let hasMoved = true
    while (hasMoved) {
      hasMoved = false
      for (const stream of this.streams.values()) {
        if (!this.options.socket.hasRoom || this.output.length >= frameSize) break
        if (stream.hasPending && this.writeFrame(stream)) hasMoved = true
      }
      this.write()
    }
    for (const stream of this.streams.values()) if (!stream.hasPending) notifyFlushed(stream)
  }

  private writeFrame(stream: ServedStream): boolean {
    const { end, pending } = stream
    const { output } = this
    if (pending.length > 0) {
      const length = Math.min(pending[0].length, this.maxFrameSize, frameSize, stream.sendWindow, this.sendWindow)
      if (length <= 0) return false
      const bytes = stream.take(length)
      const isLast = pending.length === 0 && end?.trailers.length === 0
      this.sendWindow -= length
      stream.sendWindow -= length
      FrameWriter.writeDataHead(output, stream.id, length, isLast)
      output.ensure(length)
      output.bytes.set(bytes, output.end)
      output.end += length
      if (isLast) this.finish(stream, () => {})
    } else if (end !== undefined) {
      this.finish(stream, () => {
        if (end.trailers.length > 0) this.writeHead(stream, end.trailers, true)
        else FrameWriter.writeDataHead(output, stream.id, 0, true)
      })
    }
    return true
  }

  /** Our side is complete. What is still to come of a request is not wanted any more (RFC 9113 §8.1). */
  private finish(stream: ServedStream, writeLast: () => void): void {
    writeLast()
    stream.hasReplied = true
    notifyFlushed(stream)
    if (!stream.isTunnel) {
      if (stream.request.state === "Running") stream.request.state = "Responded"
      if (!stream.request.isComplete) this.reset(stream.id, ErrorCode.NO_ERROR)
      this.streams.delete(stream.id)
    } else if (stream.request.isComplete) {
      stream.request.state = "Responded"
      this.streams.delete(stream.id)
    }
    this.write()
  }

  private onCause(stream: ServedStream, cause: Cause.Cause<TransportError>): void {
    if (Cause.isInterruptedOnly(cause) || !this.isServed(stream)) return
    this.options.onScripted(cause, stream.id)
    this.streams.delete(stream.id)
    stream.request.state = "Failed"
    this.reset(stream.id, ErrorCode.INTERNAL_ERROR)
    this.write()
  }

  private isServed(stream: ServedStream): boolean {
    return this.streams.get(stream.id) === stream
  }

  /** The server has read so much of the request, which may send as much again. */
  private onTaken(streamId: number, length: number): void {
    const stream = this.streams.get(streamId)
    if (stream === undefined || stream.request.isComplete) return
    stream.receiveWindow += length
    FrameWriter.writeWindowUpdate(this.output, streamId, length)
    this.write()
  }

  private writeHead(stream: ServedStream, fields: ReadonlyArray<string>, endStream: boolean): void {
    if (writeHeaders(this.output, this.encoder, stream.id, fields, endStream, this.maxFrameSize)) return
    this.refuse(stream.id, "a field of the response is no octets")
  }

  private reset(streamId: number, errorCode: number): void {
    FrameWriter.writeRstStream(this.output, streamId, errorCode)
  }

  private write(): void {
    if (this.output.length > 0) this.options.socket.unsafeWrite(this.output.take())
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The ends
  // ---------------------------------------------------------------------------------------------------------------

  private leave(stream: ServedStream, state: "Cancelled" | "Failed"): void {
    const { fiber, hasReplied, request } = stream
    // A tunnel ends so, and both sides may have ended before.
    if (request.state === "Running") request.state = hasReplied ? "Responded" : state
    fiber?.unsafeInterruptAsFork(FiberId.none)
  }

  /** The client broke a rule on this stream. */
  private refuse(streamId: number, why: string): void {
    this.options.onFault(why)
    const stream = this.streams.get(streamId)
    this.streams.delete(streamId)
    this.reset(streamId, ErrorCode.PROTOCOL_ERROR)
    if (stream !== undefined) this.leave(stream, "Failed")
  }

  /** The client broke a rule of the connection. */
  private fail(why: string, errorCode: number = ErrorCode.PROTOCOL_ERROR): void {
    this.options.onFault(why)
    this.reader.stop()
    FrameWriter.writeGoAway(this.output, this.newest, errorCode, why)
    this.write()
    this.breakOff()
    this.options.socket.close()
  }
}

const noBytes = new Uint8Array()

const notifyFlushed = (stream: ServedStream): void => {
  const { onFlushed } = stream
  stream.onFlushed = undefined
  onFlushed?.()
}

const lengthOf = (body: NonNullable<models.Reply["body"]>): number | undefined =>
  typeof body === "string" || body instanceof Uint8Array ? encode(body).length : undefined
