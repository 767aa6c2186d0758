import type { Cancel, HostTime } from "../Host.js"
import { Deadlines } from "./Deadlines.js"

/** A timer cannot be set for longer than 24.8 days in all runtimes; we wake once a day. */
const longestSleep = 24 * 60 * 60 * 1000

/**
 * Lets the deadlines of a pool pass, with one sleep until the earliest of them. So no request starts a timer or a fiber,
 * and whoever moves the host's clock moves them all.
 *
 * Deadlines are mostly called off. The sleep then ends for nothing, once per timeout and not once per request.
 */
export class Timekeeper {
  readonly deadlines: Deadlines
  private cancelSleep: Cancel | undefined = undefined
  private stopped = false

  constructor(
    private readonly host: HostTime,
    /** Called after deadlines have passed. */
    private readonly onPassed: () => void
  ) {
    this.deadlines = new Deadlines((at) => this.sleepUntil(at))
  }

  now(): number {
    return this.host.elapsed()
  }

  /** Wakes nobody any more. */
  stop(): void {
    this.stopped = true
    this.wakeNoLonger()
  }

  private sleepUntil(at: number): void {
    if (this.stopped || at === Infinity) return
    this.wakeNoLonger()
    // Whole milliseconds: a sleep that ends a fraction too early would be followed by one of no length, for ever.
    const duration = Math.min(Math.max(0, Math.ceil(at - this.now())), longestSleep)
    this.cancelSleep = this.host.sleep(duration, this.wake, false)
  }

  private wakeNoLonger(): void {
    this.cancelSleep?.()
    this.cancelSleep = undefined
  }

  private readonly wake = (): void => {
    this.cancelSleep = undefined
    this.deadlines.expire(this.now())
    this.onPassed()
  }
}
