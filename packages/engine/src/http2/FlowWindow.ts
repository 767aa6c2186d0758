import { maxWindow } from "./Settings.js"

/** How much we may still send: of a stream, or of the connection. It can be negative (RFC 9113 §6.9.2). */
export class SendWindow {
  constructor(public available: number) {}

  take(bytes: number): void {
    this.available -= bytes
  }

  /** False if the window would be larger than any may be, which is an error of the peer (RFC 9113 §6.9.1). */
  widen(bytes: number): boolean {
    this.available += bytes
    return this.available <= maxWindow
  }
}

/** At most so much is taken before the peer is given credit for it, however large the window is. */
const largestStep = 1024 * 1024

/** How much the peer may still send: of a stream, or over the connection. */
export class ReceiveWindow {
  /** What the peer may send before we give it more. */
  available: number
  /** Taken, and not given back yet. */
  private owed = 0
  private isClosed = false

  /** @param size what the peer may send without our taking any of it */
  constructor(public size: number) {
    this.available = size
  }

  /** Bytes have come. False if they are more than we allowed. */
  receive(bytes: number): boolean {
    this.available -= bytes
    return this.available >= 0
  }

  /**
   * Bytes have been taken. Returns the credit that is due now, or 0: one frame for half a window is enough.
   *
   * @param most what the peer may be allowed to send by now
   */
  take(bytes: number, most = Infinity): number {
    if (this.isClosed) return 0
    this.owed += bytes
    return this.isDue ? this.credit(most) : 0
  }

  /** A larger window. Returns the credit that is due now. */
  grow(size: number): number {
    this.owed += size - this.size
    this.size = size
    return this.credit()
  }

  /** The peer has applied another initial window: the difference counts for it (RFC 9113 §6.9.2). */
  shift(bytes: number): void {
    this.available += bytes
    this.size += bytes
  }

  /** Whether credit is due, and was withheld. */
  get isDue(): boolean {
    return this.owed >= Math.min(this.size / 2, largestStep)
  }

  /** The peer is given no more credit. */
  close(): void {
    this.isClosed = true
  }

  private credit(most = Infinity): number {
    const credit = Math.min(this.owed, Math.max(0, most - this.available))
    this.owed -= credit
    this.available += credit
    return credit
  }
}
