import type { Cancel, HostTime } from "../Host.js"
import { Deadlines } from "./Deadlines.js"

/** A timer cannot be set for longer than 24.8 days in all runtimes; we wake once a day. */
const longestSleep = 24 * 60 * 60 * 1000

/** How long after the last deadline of a request was called off the process is still kept alive, in milliseconds. */
const linger = 100

/**
 * Lets deadlines pass, with one sleep until the earliest of them. So no request starts a timer or a fiber, and whoever
 * moves the host's clock moves them all.
 *
 * Deadlines are mostly called off. The sleep then ends for nothing, once per timeout and not once per request.
 *
 * A deadline that is found due lets the sockets be polled once before it passes: what they have by then, a response, a
 * connection that was given back, counts as in time, however late the event loop is.
 */
export class Timekeeper {
  readonly deadlines: Deadlines
  private cancelSleep: Cancel | undefined = undefined
  private cancelLinger: Cancel | undefined = undefined
  private isPolling = false
  private stopped = false

  constructor(
    private readonly host: HostTime,
    /** Called after deadlines have passed. */
    private readonly onPassed: () => void,
    /** Whether the sleep must not keep the process alive. */
    private readonly background: boolean
  ) {
    this.deadlines = new Deadlines((at) => this.sleepUntil(at), () => this.onEmpty())
  }

  now(): number {
    return this.host.elapsed()
  }

  /** Wakes nobody any more. */
  stop(): void {
    this.stopped = true
    this.wakeNoLonger()
    this.cancelLinger?.()
    this.cancelLinger = undefined
  }

  private sleepUntil(at: number): void {
    if (this.stopped || this.isPolling || at === Infinity) return
    this.wakeNoLonger()
    // Whole milliseconds: a sleep that ends a fraction too early would be followed by one of no length, for ever.
    const duration = Math.min(Math.max(0, Math.ceil(at - this.now())), longestSleep)
    this.cancelSleep = this.host.sleep(duration, this.wake, this.background)
  }

  private wakeNoLonger(): void {
    this.cancelSleep?.()
    this.cancelSleep = undefined
  }

  private readonly wake = (): void => {
    this.cancelSleep = undefined
    const now = this.now()
    if (this.deadlines.earliest() > now) return this.deadlines.expire(now)
    this.isPolling = true
    this.host.afterPoll(() => {
      this.isPolling = false
      if (this.stopped) return
      this.deadlines.expire(now, this.now())
      this.onPassed()
    })
  }

  /**
   * No request waits for anything. The sleep would keep the process alive for nothing; but the next request would start
   * it again, so it ends only when there is none for some time.
   */
  private onEmpty(): void {
    if (this.background || this.stopped || this.cancelLinger !== undefined || this.cancelSleep === undefined) return
    this.cancelLinger = this.host.sleep(linger, this.onLinger, true)
  }

  private readonly onLinger = (): void => {
    this.cancelLinger = undefined
    if (this.deadlines.size > 0 || this.isPolling) return
    this.wakeNoLonger()
    this.deadlines.silence()
  }
}
