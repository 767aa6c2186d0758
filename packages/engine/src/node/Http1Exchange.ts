import type { Exchange, ExchangeReceiver, ExchangeRequest } from "../Connection.js"
import { chunkEnd, chunkHead, encodeLastChunk, type ProtocolError } from "../http1/index.js"
import type { DriverRuntime } from "./DriverRuntime.js"
import type { Transport } from "./Transport.js"

/** Bytes in one piece are handed to the socket in parts of this size, so that a server that stops reading shows. */
const partSize = 64 * 1024

/** Up to this size head and body go out as one buffer, which is cheaper than two. */
const joinedSize = 16 * 1024

/** Chunks of a body, and its end, that wait until the head has been written. */
interface Held {
  readonly chunks: Array<Uint8Array>
  end: { readonly trailers: Readonly<Record<string, string>> | undefined } | undefined
}

/** What an exchange needs of its connection. */
export interface ExchangeOwner {
  readonly socket: Transport
  readonly runtime: DriverRuntime
  /** The exchange is abandoned: the connection is of no use any more. */
  readonly abort: (exchange: Http1Exchange) => void
  readonly pause: () => void
  readonly resume: () => void
  /** What is to end the body cannot be sent. */
  readonly onInvalidEnd: (exchange: Http1Exchange, error: ProtocolError) => void
}

/**
 * The request's side of an exchange on an HTTP/1.1 connection: what has been written of it, and what waits. Once it has
 * ended it can do nothing to its connection, which may be serving somebody else.
 */
export class Http1Exchange implements Exchange {
  written = false
  sent = false
  /** The response is complete, or it has failed, or nobody wants it. */
  ended = false
  /** The response is complete, and the request is still being written. */
  hasResponse = false
  /** The connection speaks another protocol now: bytes are written as they are. */
  upgraded = false
  /** Writing has failed: nothing more is written, but what the server had sent before is still read. */
  broken = false
  /** Others were sent over its connection before. */
  isReused = false
  /** When the head was written, in milliseconds of real time. */
  writtenAt = 0
  /** What has been handed over before the head could be written. */
  private held: Held | undefined = undefined
  private chunked = false
  /** What is still to be written of a body in one piece. */
  private rest: Uint8Array | undefined = undefined

  constructor(
    private readonly owner: ExchangeOwner,
    readonly request: ExchangeRequest,
    readonly receiver: ExchangeReceiver
  ) {}

  get unwritten(): number {
    const { body } = this.request
    if (body._tag === "Bytes") return this.sent ? 0 : this.written ? this.rest?.length ?? 0 : body.bytes.length
    return this.held?.chunks.reduce((sum, chunk) => sum + chunk.length, 0) ?? 0
  }

  /**
   * Writes the head and, if it is there, the body. On a connection that has been idle nothing is written before the
   * event loop has polled it once: what the server had sent unasked, its end above all, is noticed while the request can
   * still go elsewhere, and is not taken for its response.
   *
   * What is written after that poll also goes out together with what others send: a server that sleeps is woken once.
   */
  send(head: string, isReused: boolean): void {
    if (!isReused) return this.writeHead(head)
    this.isReused = true
    if (this.request.body._tag === "Chunks") this.held = { chunks: [], end: undefined }
    this.owner.runtime.afterPoll(() => this.onPolled(head))
  }

  private onPolled(head: string): void {
    const held = this.held
    this.held = undefined
    if (this.ended || this.owner.socket.destroyed) return
    this.writeHead(head)
    if (this.request.body._tag === "Chunks") {
      let hasRoom = true
      for (const chunk of held?.chunks ?? []) hasRoom = this.write(chunk)
      if (held?.end === undefined && hasRoom && !this.ended) this.receiver.onDrain()
    }
    if (held?.end !== undefined) this.end(held.end.trailers)
    if (this.sent && !this.ended) this.receiver.onSent()
  }

  private writeHead(head: string): void {
    const { socket } = this.owner
    const { body } = this.request
    this.written = true
    this.writtenAt = this.owner.runtime.recently()
    switch (body._tag) {
      case "None":
        socket.write(head, "latin1")
        // A connection that was idle has room for it. That TLS says so only in the next turn is Node's way: by then there
        // may be a response, and it would have come before the request was sent.
        this.sent = true
        return
      case "Bytes":
        if (body.bytes.length > joinedSize) return this.sendPiece(head, body.bytes)
        socket.write(joined(head, body.bytes))
        this.sent = true
        return
      case "Chunks":
        // They follow.
        this.chunked = body.length === undefined
        socket.write(head, "latin1")
    }
  }

  /** Head and first part in one call to the system, which usually takes them at once. */
  private sendPiece(head: string, bytes: Uint8Array): void {
    const { socket } = this.owner
    socket.cork()
    socket.write(head, "latin1")
    this.writePart(bytes)
    socket.uncork()
    if (socket.writableLength > 0) return
    if (this.rest === undefined) this.sent = true
    else this.writeRest(this.rest)
  }

  write(bytes: Uint8Array): boolean {
    if (this.ended) return true
    if (this.broken) return false
    if (this.held !== undefined) {
      this.held.chunks.push(bytes)
      return false
    }
    const { socket } = this.owner
    if (!this.chunked || this.upgraded) return socket.write(bytes)
    socket.cork()
    socket.write(chunkHead(bytes.length), "latin1")
    socket.write(bytes)
    const hasRoom = socket.write(chunkEnd, "latin1")
    socket.uncork()
    return hasRoom
  }

  end(trailers?: Readonly<Record<string, string>>): void {
    if (this.ended || this.broken) return
    if (this.held !== undefined) {
      this.held.end = { trailers }
      return
    }
    if (this.upgraded) return this.endTunnel()
    const last = this.chunked ? encodeLastChunk(trailers) : ""
    if (typeof last !== "string") return this.owner.onInvalidEnd(this, last)
    if (last === "" && this.owner.socket.writableLength === 0) this.sent = true
    else this.writeLast(last)
  }

  private endTunnel(): void {
    this.owner.socket.end((error?: Error | null) => {
      if (error == null && !this.ended) this.receiver.onSent()
    })
  }

  pause(): void {
    if (!this.ended) this.owner.pause()
  }

  resume(): void {
    if (!this.ended) this.owner.resume()
  }

  cancel(): void {
    if (this.ended) return
    this.ended = true
    this.owner.abort(this)
  }

  /** The socket has room again. */
  onDrain(): void {
    if (this.ended || this.broken) return
    if (this.rest !== undefined) {
      this.writeRest(this.rest)
      this.receiver.onWritten()
    } else {
      this.receiver.onDrain()
    }
  }

  /** As much as the socket has room for. When it has none, it says when to go on. */
  private writeRest(rest: Uint8Array): void {
    let hasRoom = this.writePart(rest)
    while (hasRoom && this.rest !== undefined) hasRoom = this.writePart(this.rest)
  }

  /** Whether there is room for another part. */
  private writePart(bytes: Uint8Array): boolean {
    if (bytes.length <= partSize) {
      this.rest = undefined
      return this.writeLast(bytes)
    }
    this.rest = bytes.subarray(partSize)
    return this.owner.socket.write(bytes.subarray(0, partSize))
  }

  /** Nothing follows it: the request is sent when the system has taken this, and with it all before it. */
  private writeLast(bytes: Uint8Array | string): boolean {
    const { socket } = this.owner
    const hasRoom = socket.write(bytes, "latin1", (error) => {
      if (error != null || this.sent) return
      this.sent = true
      if (!this.ended) this.receiver.onSent()
    })
    if (socket.writableLength === 0) this.sent = true
    return hasRoom
  }
}

const joined = (head: string, bytes: Uint8Array): Uint8Array => {
  const buffer = Buffer.allocUnsafe(head.length + bytes.length)
  buffer.write(head, "latin1")
  buffer.set(bytes, head.length)
  return buffer
}
