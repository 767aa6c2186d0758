import type { Failure, SessionOptions, StreamFailure, StreamReceiver, StreamRequest } from "../../../src/http2/index.js"
import { defaultSessionOptions, Session } from "../../../src/http2/index.js"
import type { Stream } from "../../../src/http2/Stream.js"
import { ClientWire, latin1, show, type Written } from "./ClientWire.js"
import { concat, settings, settingsAck } from "./frames.js"

/** What one request has been notified of. */
export class Recorder implements StreamReceiver<StreamFailure> {
  readonly log: Array<string> = []
  content = Buffer.alloc(0)
  chunks = 0
  error: StreamFailure | undefined = undefined
  isComplete = false
  onEvent: ((event: string) => void) | undefined = undefined

  private add(event: string): void {
    this.log.push(event)
    this.onEvent?.(event.split(" ")[0])
  }

  onWritten = () => this.add("written")
  onSent = () => this.add("sent")
  onDrain = () => this.add("drain")
  onProgress = () => this.add("progress")
  onInformational: StreamReceiver<StreamFailure>["onInformational"] = (head) => this.add(`informational ${head.status}`)
  onHead: StreamReceiver<StreamFailure>["onHead"] = (head) =>
    this.add(`head ${head.status} ${head.rawHeaders.join(",")}`)
  onData = (bytes: Uint8Array) => {
    this.chunks++
    this.content = Buffer.concat([this.content, bytes])
    this.onEvent?.("data")
  }
  onComplete = (trailers: ReadonlyArray<string>) => {
    this.isComplete = true
    this.add(`complete ${trailers.join(",")}`)
  }
  onError = (error: StreamFailure) => {
    this.error = error
    this.add(`error ${error.failure._tag}`)
  }

  get text(): string {
    return this.content.toString("latin1")
  }

  /** The response, as far as it has come, without what depends on how the bytes were split. */
  get outcome(): ReadonlyArray<string> {
    return [
      ...this.log.filter((event) => event !== "progress" && event !== "sent" && event !== "written"),
      `content ${this.text}`
    ]
  }
}

interface HarnessOptions extends Partial<SessionOptions> {
  /** What the server's first SETTINGS say; `"none"` if they do not come by themselves. */
  readonly serverSettings?: ReadonlyArray<readonly [number, number]> | "none"
  /** Bytes come in pieces of this size. */
  readonly split?: number
  /** After each piece more may come in the same turn, as with records of TLS. */
  readonly more?: boolean
}

export const get: StreamRequest = {
  origin: { scheme: "https", authority: "example.com" },
  method: "GET",
  target: "/",
  headers: {},
  body: { _tag: "None" }
}

export const post = (body: string | Uint8Array, more: Partial<StreamRequest> = {}): StreamRequest => ({
  ...get,
  method: "POST",
  body: { _tag: "Bytes", bytes: typeof body === "string" ? Buffer.from(body) : body },
  ...more
})

/** A session, what its host is notified of, and the other end of the wire. */
export class Harness {
  now = 0
  readonly wire = new ClientWire()
  readonly events: Array<string> = []
  readonly session: Session<StreamFailure>
  closed: Failure | undefined = undefined
  deadline = Infinity
  wantsFlush = false
  private readonly split: number
  private readonly more: boolean

  constructor({ serverSettings = [], more = false, split = Infinity, ...options }: HarnessOptions = {}) {
    this.split = split
    this.more = more
    this.session = new Session<StreamFailure>({
      elapsed: () => this.now,
      onOutput: () => {
        this.wantsFlush = true
      },
      write: (bytes) => this.wire.write(bytes),
      setDeadline: (at) => {
        this.deadline = at
      },
      allocate: (size) => new Uint8Array(size),
      latin1,
      onReady: () => this.events.push("ready"),
      onCapacity: () => this.events.push(`capacity ${this.session.capacity}`),
      onDraining: () => this.events.push("draining"),
      onHttp1Required: (request) => this.events.push(`HTTP/1.1 for ${request?.target ?? "all"}`),
      onClosed: (failure) => {
        this.closed = failure
        this.events.push(`closed ${failure._tag}`)
      },
      toError: (failure) => failure
    }, { ...defaultSessionOptions, ...options })
    if (serverSettings !== "none") {
      this.flush()
      this.receive(settings(...serverSettings), settingsAck)
      this.flush()
      this.wire.frames.length = 0
    }
  }

  /** The server sends. */
  receive(...pieces: ReadonlyArray<Uint8Array>): void {
    const bytes = concat(pieces)
    for (let at = 0; at < bytes.length; at += this.split) {
      const stop = Math.min(bytes.length, at + this.split)
      // In a buffer that is used again, as a driver's is.
      const shared = bytes.slice(at, stop)
      this.session.receive(shared, 0, shared.length, this.more)
      shared.fill(0xee)
    }
  }

  /** The end of a turn. */
  flush(room = 64 * 1024): boolean {
    this.wantsFlush = false
    return this.session.flush(room)
  }

  request(request: StreamRequest = get): { readonly stream: Stream<StreamFailure>; readonly got: Recorder } {
    const got = new Recorder()
    return { stream: this.session.request(request, got), got }
  }

  /** The same, written. */
  send(request: StreamRequest = get): { readonly stream: Stream<StreamFailure>; readonly got: Recorder } {
    const sent = this.request(request)
    this.flush()
    return sent
  }

  /** Time passes, to each deadline on its way. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds
    for (let n = 0; this.deadline <= end; n++) {
      if (n > 10_000) throw new Error("a deadline that does not pass")
      this.now = Math.max(this.now, this.deadline)
      this.deadline = Infinity
      this.session.onDeadline()
      if (this.wantsFlush) this.flush()
    }
    this.now = end
  }

  /** What the client has written since this was asked last. */
  written(): ReadonlyArray<string> {
    return this.takeFrames().map(show)
  }

  takeFrames(): ReadonlyArray<Written> {
    if (this.wantsFlush) this.flush()
    return this.wire.frames.splice(0)
  }
}
