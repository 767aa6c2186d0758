import type { ReceiveWindow, SendWindow } from "./FlowWindow.js"
import type { HeldData } from "./HeldData.js"
import { OutgoingBody } from "./OutgoingBody.js"
import type { StreamReceiver, StreamRequest } from "./StreamRequest.js"

/**
 * The states of RFC 9113 §5.1 that a stream of a client can be in.
 *
 * - `Idle`: its HEADERS wait to be written; nobody else knows of it.
 * - `Open`: both sides send.
 * - `HalfClosedLocal`: our side is complete.
 * - `HalfClosedRemote`: the server's side is complete; a tunnel's other side, or the rest of a request, goes on.
 * - `Cancelled`: nobody wants it any more; it counts as open until its RST_STREAM is written.
 * - `Closed`.
 */
export type StreamState = "Idle" | "Open" | "HalfClosedLocal" | "HalfClosedRemote" | "Cancelled" | "Closed"

/**
 * How far the response is.
 *
 * - `Head`: no final head has come, though 1xx may have.
 * - `Body`: the head has come.
 * - `NoBody`: the head has come, and content must not follow (HEAD, 204, 304).
 * - `Tunnel`: it has opened a tunnel (CONNECT).
 */
export type ResponseProgress = "Head" | "Body" | "NoBody" | "Tunnel"

/** What a stream needs of its connection. */
export interface StreamOwner<E> {
  /** There is something new of its body. */
  readonly onBody: (stream: Stream<E>) => void
  readonly onTrailers: (stream: Stream<E>, trailers: Readonly<Record<string, string>>) => void
  /** Its reader takes bytes again. */
  readonly onResume: (stream: Stream<E>) => void
  readonly onCancel: (stream: Stream<E>, reason: "Unwanted" | "Silent") => void
}

/** One request with its response: what its side of the connection is, and what a request can do with it. */
export class Stream<E> {
  /** 0 while it is idle: numbers are given in the order of writing (RFC 9113 §5.1.1). */
  id = 0
  state: StreamState = "Idle"
  progress: ResponseProgress = "Head"
  written = false
  sent = false
  isPaused = false
  body: OutgoingBody | undefined = undefined
  /** Its header section, until it is written. */
  fields: Array<string> | undefined
  /** Made when it is first needed: most streams need none. */
  sendWindow: SendWindow | undefined = undefined
  receiveWindow: ReceiveWindow | undefined = undefined
  /** Nothing comes of it, and nothing goes out, until its reader takes something. */
  isStalled = false
  /** Content that waits for its reader. */
  held: HeldData | undefined = undefined
  /** The bytes of content so far, and what the head has said of them. */
  received = 0
  contentLength: number | undefined = undefined
  /** The size of the interim responses so far. */
  informationalBytes = 0
  /** What had been read of the connection when something was last read of this stream. See `Liveness`. */
  mark = 0
  /** When its HEADERS were written, and when its reader was last given credit. */
  since = 0
  /** It waits for its turn to send. The stream behind it is `next`. */
  isReady = false
  next: Stream<E> | undefined = undefined
  /** Credit for the server that waits to be written. */
  credit = 0
  /** What the request is to be notified of after the write that is being made; see `Outbound`. */
  due = 0

  constructor(
    private readonly owner: StreamOwner<E>,
    readonly request: StreamRequest,
    readonly receiver: StreamReceiver<E>,
    fields: Array<string> | undefined
  ) {
    this.fields = fields
    const { body, method } = request
    if (body._tag === "Bytes" && body.bytes.length > 0) {
      this.body = new OutgoingBody()
      this.body.push(body.bytes)
      this.body.ended = true
    } else if (body._tag === "Chunks" || method === "CONNECT") {
      this.body = new OutgoingBody()
    }
  }

  /** Whether it is over for the request: it is notified of nothing more. */
  get hasEnded(): boolean {
    return this.state === "Closed" || this.state === "Cancelled"
  }

  /** Whether a head has come. */
  get hasResponse(): boolean {
    return this.progress !== "Head"
  }

  /** How much of its content waits for the connection, or for the server to give credit. */
  get unwritten(): number {
    return this.body?.size ?? 0
  }

  private get canSend(): boolean {
    return this.state === "Open" || this.state === "Idle" || this.state === "HalfClosedRemote"
  }

  /** Hands over a chunk of the body. False: wait for `onDrain` before the next one. */
  write(bytes: Uint8Array): boolean {
    const { body } = this
    // A server that has responded may want no more of it; then it is pulled and thrown away.
    if (body === undefined || body.ended || !this.canSend) return true
    const hasRoom = body.push(bytes)
    this.owner.onBody(this)
    return hasRoom
  }

  end(trailers?: Readonly<Record<string, string>>): void {
    const { body } = this
    if (body === undefined || body.ended || !this.canSend) return
    if (trailers !== undefined) return this.owner.onTrailers(this, trailers)
    body.ended = true
    this.owner.onBody(this)
  }

  /** No `onData` until `resume`. */
  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    if (!this.hasEnded) this.owner.onResume(this)
  }

  /** Ends it, whatever its state; the receiver is notified of nothing more. */
  cancel(reason: "Unwanted" | "Silent"): void {
    if (!this.hasEnded) this.owner.onCancel(this, reason)
  }
}
