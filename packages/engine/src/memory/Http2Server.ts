import { opensTunnel } from "../call/index.js"
import { type FrameHandler, FrameReader, FrameWriter, OutputBuffer, writeHeaders } from "../http2/frames/index.js"
import { HpackDecoder, HpackEncoder } from "../http2/hpack/index.js"
import { ErrorCode } from "../http2/index.js"
import * as http2Fields from "./http2Fields.js"
import type { PipeReader } from "./Pipe.js"
import { ReceivedContent } from "./ReceivedContent.js"
import { toLatin1 } from "./RequestReader.js"
import { hasContent } from "./responseHead.js"
import { contentOf, isWhole, type Served, type ServedReply, type ServedRequest, type ServerOptions } from "./Served.js"
import { ServedStream, type StreamEnd } from "./ServedStream.js"
import { neverTaken, type Taken } from "./ServerSocket.js"

export interface Http2ServerOptions<Request extends ServedRequest> extends ServerOptions<Request> {
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

/** The server of an HTTP/2 connection in memory: frames in, frames out. It is as strict as RFC 9113 lets it be. */
export class Http2Server<Request extends ServedRequest> implements PipeReader, FrameHandler {
  readonly requests: Array<Request> = []
  private readonly streams = new Map<number, ServedStream<Request>>()
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

  constructor(private readonly options: Http2ServerOptions<Request>) {
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
        return this.failAll("what comes first is not the connection preface (RFC 9113 §3.4)")
      }
    }
    const error = this.reader.execute(bytes, start, bytes.length)
    if (error !== undefined) return this.failAll(`${error.detail} (${error.section})`, error.errorCode)
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
    if (error !== undefined) return this.failAll(`${error.detail} (${error.section})`, error.errorCode)
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
    const { makeRequest, onRequest, serve, window } = this.options
    const content = new ReceivedContent(window, (length) => this.onTaken(streamId, length))
    const request = makeRequest(head, content, streamId)
    const served = new ServedStream(streamId, head, request, this.initialSendWindow, window)
    this.streams.set(streamId, served)
    if (head.headers["expect"]?.toLowerCase() === "100-continue") {
      content.onFirstRead = () => {
        this.writeHead(served, http2Fields.responseFields(100), false)
        this.write()
      }
    }
    if (endStream) this.onRequestEnd(served, {})
    served.stop = serve(this.servedOf(served))
    this.requests.push(request)
    onRequest(request)
  }

  private onTrailers(stream: ServedStream<Request>, endStream: boolean): void {
    const trailers = http2Fields.requestTrailers(this.decoder.fields)
    if (stream.request.content.isComplete) return this.refuse(stream.id, "HEADERS after the end of a request")
    if (typeof trailers === "string") return this.refuse(stream.id, trailers)
    if (!endStream) return this.refuse(stream.id, "trailers that do not end the request")
    this.onRequestEnd(stream, trailers)
  }

  onDataHead(streamId: number, flowLength: number, endStream: boolean): void {
    this.data = { streamId, padding: flowLength, endStream }
    if (streamId > this.newest) return this.failAll(`DATA on stream ${streamId}, which was never opened`)
    this.owed += flowLength
    if (this.owed >= defaultWindow / 2) {
      FrameWriter.writeWindowUpdate(this.output, 0, this.owed)
      this.owed = 0
    }
    const stream = this.streams.get(streamId)
    if (stream === undefined) return
    if (stream.request.content.isComplete) return this.refuse(streamId, "DATA after the end of a request")
    stream.receiveWindow -= flowLength
    if (stream.receiveWindow < 0) {
      this.failAll(`DATA beyond the window of stream ${streamId}`, ErrorCode.FLOW_CONTROL_ERROR)
    }
  }

  onDataBytes(bytes: Uint8Array, start: number, end: number): void {
    this.data.padding -= end - start
    const stream = this.streams.get(this.data.streamId)
    if (stream === undefined) return
    stream.received += end - start
    stream.request.content.receive(bytes.slice(start, end))
  }

  onDataEnd(): void {
    const { endStream, padding, streamId } = this.data
    const stream = this.streams.get(streamId)
    if (stream === undefined) return
    if (endStream) this.onRequestEnd(stream, {})
    else if (padding > 0) this.onTaken(streamId, padding)
  }

  private onRequestEnd(stream: ServedStream<Request>, trailers: Readonly<Record<string, string>>): void {
    const { "content-length": length } = stream.head.headers
    if (length !== undefined && Number(length) !== stream.received) {
      return this.refuse(stream.id, `content-length is ${length}, the content ${stream.received} bytes`)
    }
    stream.request.content.complete(trailers)
    if (stream.hasReplied) this.streams.delete(stream.id)
  }

  onRstStream(streamId: number): void {
    const stream = this.streams.get(streamId)
    if (stream === undefined) {
      if (streamId > this.newest) this.failAll(`RST_STREAM on stream ${streamId}, which was never opened`)
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
    if (increment === 0) return this.failAll("WINDOW_UPDATE of 0")
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
  // From who responds
  // ---------------------------------------------------------------------------------------------------------------

  private servedOf(stream: ServedStream<Request>): Served<Request> {
    const isServed = () => this.streams.get(stream.id) === stream
    const hasContentWith = ({ status = 200 }: ServedReply) =>
      opensTunnel(stream.head.method, status) || hasContent(stream.head.method, status)
    const trailersOf = ({ trailers }: ServedReply) => ({ trailers: http2Fields.flatFields(trailers) })
    const send = (content: Uint8Array, end?: StreamEnd): Taken =>
      isServed() ? this.send(stream, content, end) : neverTaken
    return {
      request: stream.request,
      streamId: stream.id,
      get isServed() {
        return isServed()
      },
      isStreamed: (reply) => hasContentWith(reply) && !isWhole(reply.body),
      respond: (reply) => this.begin(stream, reply) ? undefined : send(contentOf(reply.body), trailersOf(reply)),
      begin: (reply) => {
        this.begin(stream, reply)
        this.write()
      },
      write: (content) => send(content),
      end: (reply) => send(new Uint8Array(), trailersOf(reply)),
      writeRaw: (octets) => this.options.socket.write(octets),
      // Whether the frames of the test have ended the stream is the test's to know.
      finish: () => {
        if (isServed() && !stream.hasReplied) this.finish(stream, () => {})
      },
      fail: () => this.failOne(stream)
    }
  }

  /** Writes the head of a response, with the interim ones before it; true when that is all of it. */
  private begin(stream: ServedStream<Request>, reply: ServedReply): boolean {
    const { body, headers, interim = [], status = 200, trailers } = reply
    const { method } = stream.head
    for (const { headers, status = 103 } of interim) {
      this.writeHead(stream, http2Fields.responseFields(status, headers), false)
    }
    stream.isTunnel = opensTunnel(method, status)
    const length = isWhole(body) ? contentOf(body).length : undefined
    const isSent = stream.isTunnel || hasContent(method, status)
    // A response to HEAD says what the one to GET would (RFC 9110 §9.3.2), or nothing.
    const isCounted = !stream.isTunnel && (isSent || (method === "HEAD" && body !== undefined))
    const head = http2Fields.responseFields(status, headers, isCounted ? length : undefined)
    const isAll = !isSent ||
      (length === 0 && http2Fields.flatFields(trailers).length === 0 && !stream.isTunnel)
    if (isAll) this.finish(stream, () => this.writeHead(stream, head, true))
    else this.writeHead(stream, head, false)
    return isAll
  }

  /** Content, and with `end` what follows it. */
  private send(stream: ServedStream<Request>, bytes: Uint8Array, end: StreamEnd | undefined): Taken {
    if (bytes.length > 0) stream.pending.push(bytes)
    stream.end = end
    this.flush()
    return stream.hasPending ? stream.whenFlushed : undefined
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
    for (const stream of this.streams.values()) if (!stream.hasPending) stream.notifyFlushed()
  }

  private writeFrame(stream: ServedStream<Request>): boolean {
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
  private finish(stream: ServedStream<Request>, writeLast: () => void): void {
    writeLast()
    stream.hasReplied = true
    stream.notifyFlushed()
    if (!stream.isTunnel) {
      if (stream.request.state === "Running") stream.request.state = "Responded"
      if (!stream.request.content.isComplete) this.reset(stream.id, ErrorCode.NO_ERROR)
      this.streams.delete(stream.id)
    } else if (stream.request.content.isComplete) {
      stream.request.state = "Responded"
      this.streams.delete(stream.id)
    }
    this.write()
  }

  /** Whoever responds has failed. */
  private failOne(stream: ServedStream<Request>): void {
    this.streams.delete(stream.id)
    stream.request.state = "Failed"
    this.reset(stream.id, ErrorCode.INTERNAL_ERROR)
    this.write()
  }

  /** The server has read so much of the request, which may send as much again. */
  private onTaken(streamId: number, length: number): void {
    const stream = this.streams.get(streamId)
    if (stream === undefined || stream.request.content.isComplete) return
    stream.receiveWindow += length
    FrameWriter.writeWindowUpdate(this.output, streamId, length)
    this.write()
  }

  private writeHead(stream: ServedStream<Request>, fields: ReadonlyArray<string>, endStream: boolean): void {
    if (writeHeaders(this.output, this.encoder, stream.id, fields, endStream, this.maxFrameSize)) return
    this.refuse(stream.id, "a field of the response is no octets")
  }

  private reset(streamId: number, errorCode: number): void {
    FrameWriter.writeRstStream(this.output, streamId, errorCode)
  }

  private write(): void {
    if (this.output.length > 0) this.options.socket.write(this.output.take())
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The ends
  // ---------------------------------------------------------------------------------------------------------------

  private leave(stream: ServedStream<Request>, state: "Cancelled" | "Failed"): void {
    const { hasReplied, request, stop } = stream
    // A tunnel ends so, and both sides may have ended before.
    if (request.state === "Running") request.state = hasReplied ? "Responded" : state
    stop()
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
  private failAll(why: string, errorCode: number = ErrorCode.PROTOCOL_ERROR): void {
    this.options.onFault(why)
    this.reader.stop()
    FrameWriter.writeGoAway(this.output, this.newest, errorCode, why)
    this.write()
    this.breakOff()
    this.options.socket.close()
  }
}
