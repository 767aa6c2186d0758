import type { Cancel } from "../Host.js"

/** The content of a request as a server has received it so far. It waits here until the server reads it. */
export class ReceivedContent {
  /** The chunks that have come, read or not. */
  readonly parts: Array<Uint8Array> = []
  isComplete = false
  /** The server has begun to read. */
  onFirstRead: (() => void) | undefined = undefined
  trailers: Readonly<Record<string, string>> = {}
  private readonly unread: Array<Uint8Array> = []
  private unreadBytes = 0
  private onArrival: (() => void) | undefined = undefined

  constructor(
    private readonly window: number,
    /** So many bytes have been read. */
    private readonly onRead: (length: number) => void
  ) {}

  /** Whether all of it has come and been read. */
  get isRead(): boolean {
    return this.isComplete && this.unread.length === 0
  }

  /** Whether nothing waits outside the window. */
  get hasRoom(): boolean {
    return this.unreadBytes <= this.window
  }

  receive(part: Uint8Array): void {
    this.parts.push(part)
    this.unread.push(part)
    this.unreadBytes += part.length
    this.onArrival?.()
  }

  complete(trailers: Readonly<Record<string, string>> = {}): void {
    this.isComplete = true
    this.trailers = trailers
    this.onArrival?.()
  }

  /** What comes from now on goes through a tunnel. */
  reopen(): void {
    this.isComplete = false
  }

  /** The next part, now or when it comes; none after the last. */
  read(then: (part: Uint8Array | undefined) => void): Cancel {
    if (!this.isComplete && this.parts.length === 0) this.onFirstRead?.()
    this.onFirstRead = undefined
    this.onArrival = () => {
      const part = this.unread.shift()
      if (part === undefined && !this.isComplete) return
      this.onArrival = undefined
      if (part === undefined) return then(undefined)
      this.unreadBytes -= part.length
      this.onRead(part.length)
      then(part)
    }
    this.onArrival()
    return () => {
      this.onArrival = undefined
    }
  }
}
