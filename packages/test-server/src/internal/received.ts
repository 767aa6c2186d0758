import type { ReceivedRequest } from "../ReceivedRequest.js"

type Fields = ReadonlyArray<readonly [string, string]>

export interface ReceivedHead {
  readonly connection: number
  readonly index: number
  readonly protocol: ReceivedRequest["protocol"]
  readonly method: string
  readonly target: string
  readonly headers: Fields
}

/** A request that is being received: what the test sees, and what fills it in. */
export class Received implements ReceivedRequest {
  readonly connection: number
  readonly index: number
  readonly protocol: ReceivedRequest["protocol"]
  readonly method: string
  readonly target: string
  readonly headers: Fields
  trailers: Fields = []
  bodyLength = 0
  complete = false
  /** What was responded to, for the log. */
  status: number | undefined
  bodyBytesSent = 0
  readonly startedAt = performance.now()
  private recorded = 0
  private pieces: Array<Uint8Array> = []
  tap: BodyTap | undefined

  constructor(head: ReceivedHead, private readonly maxRecorded: number) {
    this.connection = head.connection
    this.index = head.index
    this.protocol = head.protocol
    this.method = head.method
    this.target = head.target
    this.headers = head.headers
  }

  get path(): string {
    return pathOf(this.target)
  }

  header(name: string): string | undefined {
    const wanted = name.toLowerCase()
    const values = this.headers.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value)
    return values.length === 0 ? undefined : values.join(", ")
  }

  get body(): Uint8Array {
    if (this.pieces.length !== 1) this.pieces = [Buffer.concat(this.pieces)]
    return this.pieces[0]
  }

  get text(): string {
    const text = new TextDecoder().decode(this.body)
    const cut = this.bodyLength - this.recorded
    return cut === 0 ? text : `${text}… (cut: ${cut} of ${this.bodyLength} bytes are beyond maxRecordedBody)`
  }

  append(bytes: Uint8Array): void {
    this.bodyLength += bytes.length
    const room = this.maxRecorded - this.recorded
    if (room > 0) {
      // A copy: the view would keep the whole read buffer alive, and may be reused by who handed it in.
      const kept = Buffer.from(bytes.subarray(0, room))
      this.recorded += kept.length
      this.pieces.push(kept)
    }
    this.tap?.push(bytes)
  }

  finish(trailers: Fields): void {
    this.trailers = trailers
    this.complete = true
    this.tap?.end()
  }

  /** From now on keeps the whole body for a reply that may pass it on. */
  openTap(): void {
    this.tap = new BodyTap()
  }

  closeTap(): void {
    this.tap = undefined
  }
}

/** A request body on its way through the server. */
export class BodyTap {
  private readonly queue: Array<Uint8Array> = []
  private ended = false
  private reader: (() => void) | undefined
  queued = 0
  onDrained: (() => void) | undefined

  push(bytes: Uint8Array): void {
    this.queue.push(bytes)
    this.queued += bytes.length
    this.wake()
  }

  end(): void {
    this.ended = true
    this.wake()
  }

  /** Calls back once there is something to take, or the end. */
  whenReady(go: () => void): () => void {
    this.reader = go
    if (this.queue.length > 0 || this.ended) this.wake()
    return () => {
      this.reader = undefined
    }
  }

  take(): Uint8Array | undefined {
    const bytes = this.queue.shift()
    if (bytes !== undefined) this.queued -= bytes.length
    if (this.queue.length === 0) this.onDrained?.()
    return bytes
  }

  private wake(): void {
    const reader = this.reader
    this.reader = undefined
    reader?.()
  }
}

const pathOf = (target: string): string => {
  // An absolute target, as sent to a proxy, has its path after the authority.
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*(.*)$/i.exec(target)?.[1] ?? target
  const query = path.indexOf("?")
  const bare = query === -1 ? path : path.slice(0, query)
  return bare === "" ? "/" : bare
}
