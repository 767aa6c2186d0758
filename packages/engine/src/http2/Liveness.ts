/** Between PINGs that nobody has asked for by an interval. */
const leastInterval = 10_000

/** After so many PINGs without HEADERS or DATA between them a server may end the connection (gRPC A8). */
const maxStrikes = 2

/** What such servers want between PINGs. */
const calmInterval = 300_000

export interface LivenessOptions {
  /** How long nothing may come, while something is awaited, until the server is asked. Infinity: never. */
  readonly pingInterval: number
  /** How long it may take to say that it is there. Infinity: it is never asked. */
  readonly pingTimeout: number
}

/**
 * Decides when to ask the server whether it is still there (PING), and when it is not: the network can be gone without a
 * word, and TCP takes a quarter of an hour to say so. It asks only when nothing at all was read since a request that has
 * waited in vain was written, and rarely, for servers count PINGs.
 *
 * It knows no timers: `deadline` says when to call `onDeadline`.
 */
export class Liveness {
  /** Changes whenever something is read, but for the acknowledgement of our SETTINGS: it says nothing of a request. */
  mark = 0
  /** A PING is out that a silent request has asked for: until it is acknowledged the connection takes nothing new. */
  isUnresponsive = false
  private pinged: { at: number; mark: number } | undefined = undefined
  private pingedAt = -Infinity
  /** PINGs since HEADERS or DATA have come. */
  private strikes = 0
  /** Since when nothing has come of what is awaited. It is not forgiven because its requests were abandoned. */
  private silentSince: number | undefined = undefined

  constructor(private readonly options: LivenessOptions) {}

  /** Whether the time of each read matters. */
  private get needsTime(): boolean {
    return this.options.pingInterval !== Infinity
  }

  get isPinging(): boolean {
    return this.pinged !== undefined
  }

  /** A frame is being read. */
  onFrame(): void {
    this.mark++
  }

  /** All that was read has been taken into account. */
  onRead(now: number, isAwaiting: boolean): void {
    if (this.needsTime) this.silentSince = isAwaiting ? now : undefined
  }

  /** HEADERS or DATA have come: servers that count PINGs begin anew. */
  onResponse(): void {
    this.strikes = 0
  }

  /** A request was written. */
  onRequest(now: number): void {
    if (this.needsTime) this.silentSince ??= now
  }

  /**
   * A request was abandoned, and nothing of it had been read since `mark`. Whether to send a PING now.
   *
   * @param isSilent the server kept it waiting for too long, rather than its caller being in a hurry
   */
  onAbandoned(mark: number, isSilent: boolean, now: number): boolean {
    if (mark !== this.mark || this.options.pingTimeout === Infinity) return false
    if (this.pinged !== undefined) {
      this.isUnresponsive ||= isSilent
      return false
    }
    if (now - this.pingedAt < (this.strikes < maxStrikes ? leastInterval : calmInterval)) return false
    this.ping(now)
    this.isUnresponsive = isSilent
    return true
  }

  /** The PING has been acknowledged. */
  onAcknowledged(now: number, isAwaiting: boolean): void {
    this.pinged = undefined
    this.isUnresponsive = false
    if (this.needsTime) this.silentSince = isAwaiting ? now : undefined
  }

  /** When `onDeadline` is to be called. */
  get deadline(): number {
    if (this.pinged !== undefined) return this.pinged.at + this.options.pingTimeout
    return this.silentSince === undefined ? Infinity : this.silentSince + this.options.pingInterval
  }

  /** What to do now. */
  onDeadline(now: number): "Nothing" | "Ping" | "Dead" {
    if (now < this.deadline) return "Nothing"
    if (this.pinged !== undefined) {
      if (this.pinged.mark === this.mark) return "Dead"
      // The acknowledgement is behind what is arriving.
      this.pinged = { at: now, mark: this.mark }
      return "Nothing"
    }
    this.ping(now)
    this.isUnresponsive = true
    return "Ping"
  }

  private ping(now: number): void {
    this.pinged = { at: now, mark: this.mark }
    this.pingedAt = now
    this.strikes++
  }
}
