import type { ClientHttp2Session } from "node:http2"
import type { Socket } from "node:net"
import type { HostTime } from "../Host.js"
import { Alarm } from "./Alarm.js"
import { hearing } from "./hearing.js"
import type { Http2Settings } from "./Http2Settings.js"

/** What it needs of its connection. */
export interface HealthOwner {
  readonly session: ClientHttp2Session
  readonly socket: Socket
  /** Whether anything of the server is awaited. */
  readonly isBusy: boolean
  /** Whether there are doubts has changed. */
  readonly onDoubt: () => void
  /** The other side is not there any more. */
  readonly onDead: () => void
  /** Node does not hear the other side any more, and will not say so. */
  readonly onUnheard: (why: "Deaf" | "Gone") => void
}

/** How long what Node keeps to itself goes unnoticed at most, in milliseconds. */
const lookoutInterval = 1000

/**
 * Finds out whether the server is still there: the network can be gone without a word, and TCP takes a quarter of an
 * hour to say so (Go #36026, OkHttp #3146). It asks (PING) when requests have waited for nothing, and only when nothing
 * at all was read meanwhile, since servers take a ping for each request amiss (Go #60818).
 *
 * And whether Node still listens: see `hearing`. Nobody is asked for that, and no request is slower for it.
 */
export class Http2Health {
  /** A PING is out. Until it is answered nothing new is put on the connection. */
  isDoubtful = false
  /** It changes whenever something is read. */
  mark = 0
  private seen = 0
  /** Since when nothing has been read while something was awaited. Kept only where `pingInterval` asks for it. */
  private silentSince = 0
  private readonly isTimed: boolean
  private readonly alarm: Alarm
  private readonly lookout: Alarm

  constructor(
    private readonly owner: HealthOwner,
    private readonly settings: Http2Settings,
    private readonly time: Pick<HostTime, "elapsed" | "sleep">
  ) {
    this.isTimed = settings.pingInterval !== Infinity
    this.alarm = new Alarm(time, () => this.onAlarm())
    this.lookout = new Alarm(time, () => this.onLookout())
  }

  /** Something was read, whatever it is and whichever request it is for. */
  heard(): number {
    if (this.isTimed) this.silentSince = this.time.elapsed()
    return ++this.mark
  }

  /** Something is awaited of the server, by a request that may be the `first` after a time without any. */
  watch(first: boolean): void {
    if (!this.lookout.isSet) this.lookout.set(lookoutInterval)
    if (!this.isTimed) return
    if (first) this.silentSince = this.time.elapsed()
    if (!this.alarm.isSet) this.alarm.set(this.settings.pingInterval)
  }

  /** A request has waited in vain since `mark`. */
  suspect(mark: number): void {
    if (mark === this.mark && !this.isDoubtful) this.ping()
  }

  stop(): void {
    this.alarm.cancel()
    this.lookout.cancel()
  }

  private ping(): void {
    this.isDoubtful = true
    this.seen = this.mark
    // The clock runs before anything is written: a write that blocks is part of the question (Go #48810).
    this.alarm.set(this.settings.pingTimeout)
    this.owner.onDoubt()
    if (!this.owner.session.destroyed) this.owner.session.ping((error) => error === null && this.onAnswer())
  }

  private onAnswer(): void {
    this.isDoubtful = false
    this.alarm.cancel()
    if (this.owner.isBusy) this.watch(true)
    this.owner.onDoubt()
  }

  private onAlarm(): void {
    if (this.isDoubtful) {
      const isSilent = this.seen === this.mark
      this.seen = this.mark
      if (isSilent) this.owner.onDead()
      // The answer is behind what is arriving.
      else this.alarm.set(this.settings.pingTimeout)
    } else if (this.isTimed && this.owner.isBusy) {
      const rest = this.silentSince + this.settings.pingInterval - this.time.elapsed()
      if (rest > 0) this.alarm.set(rest)
      else this.ping()
    }
  }

  private onLookout(): void {
    if (!this.owner.isBusy) return
    const heard = hearing(this.owner.socket)
    if (heard === "Good") this.lookout.set(lookoutInterval)
    else this.owner.onUnheard(heard)
  }
}
