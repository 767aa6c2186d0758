import type * as Runtime from "effect/Runtime"
import type { ClientHttp2Session } from "node:http2"
import type { Resolved } from "../Http2Options.js"
import { Alarm } from "./Alarm.js"

/** What it needs of its connection. */
export interface HealthOwner {
  readonly session: ClientHttp2Session
  readonly isBusy: boolean
  /** Whether there are doubts has changed. */
  readonly onDoubt: () => void
  /** The other side is not there any more. */
  readonly onDead: () => void
}

/**
 * Finds out whether the server is still there: the network can be gone without a word, and TCP takes a quarter of an
 * hour to say so (Go #36026, OkHttp #3146). It asks (PING) when requests have waited for nothing, and only when nothing
 * at all was read meanwhile, since servers take a ping for each request amiss (Go #60818).
 *
 * What counts are frames that made sense, not bytes: after most violations of the protocol `node:http2` says GOAWAY and
 * goes silent for ever, whatever arrives, unless the server closes the connection. Then the PING is not answered.
 */
export class Http2Health {
  /** A PING is out. Until it is answered nothing new is put on the connection. */
  isDoubtful = false
  /** It changes whenever something is read. */
  mark = 0
  private seen = 0
  private readonly alarm: Alarm

  constructor(
    private readonly owner: HealthOwner,
    private readonly options: Resolved,
    runtime: Runtime.Runtime<never>
  ) {
    this.alarm = new Alarm(runtime, () => this.onAlarm())
  }

  /** Something was read, whatever it is and whichever request it is for. */
  heard(): number {
    return ++this.mark
  }

  /** A request begins. */
  watch(): void {
    if (this.options.pingInterval === Infinity || this.alarm.isSet) return
    this.seen = this.mark
    this.alarm.set(this.options.pingInterval)
  }

  /** A request has waited in vain since `mark`. */
  suspect(mark: number): void {
    if (mark === this.mark && !this.isDoubtful) this.ping()
  }

  stop(): void {
    this.alarm.cancel()
  }

  private ping(): void {
    this.isDoubtful = true
    this.seen = this.mark
    // The clock runs before anything is written: a write that blocks is part of the question (Go #48810).
    this.alarm.set(this.options.pingTimeout)
    this.owner.onDoubt()
    if (!this.owner.session.destroyed) this.owner.session.ping((error) => error === null && this.onAnswer())
  }

  private onAnswer(): void {
    this.isDoubtful = false
    this.alarm.cancel()
    if (this.owner.isBusy) this.watch()
    this.owner.onDoubt()
  }

  private onAlarm(): void {
    const isSilent = this.seen === this.mark
    this.seen = this.mark
    if (this.isDoubtful) {
      if (isSilent) this.owner.onDead()
      // The answer is behind what is arriving.
      else this.alarm.set(this.options.pingTimeout)
    } else if (this.owner.isBusy) {
      if (isSilent) this.ping()
      else this.alarm.set(this.options.pingInterval)
    }
  }
}
