import type { HostTime } from "../Host.js"

/** After so many drains in a row, one waits for the sockets to be polled. */
const drainsBeforePoll = 64

/**
 * What the engine hands out goes through here: grants, refusals, events. Nobody is called inside of a step of the pool;
 * all that a step adds is handed out in one microtask after it, and what that adds in the next one. So a waiter that asks
 * again as soon as it is notified finds the pool as it is, whatever its runtime does on our stack.
 *
 * Waiters that ask again without pause must not keep the sockets from being read: after 64 drains within one turn of the
 * event loop the next one follows a poll.
 */
export class Deliveries {
  private queue: Array<() => void> = []
  private isScheduled = false
  /** Drains since the sockets were polled, as far as that was looked for. */
  private drains = 0

  constructor(
    private readonly host: Pick<HostTime, "afterPoll" | "defer">,
    private readonly onDefect: (cause: unknown) => void
  ) {}

  get size(): number {
    return this.queue.length
  }

  add(deliver: () => void): void {
    this.queue.push(deliver)
  }

  /** To be called after each step. */
  schedule(): void {
    if (this.isScheduled || this.queue.length === 0) return
    this.isScheduled = true
    this.drains++
    // Whether a poll comes by itself is worth asking only when there may be a loop.
    if (this.drains === drainsBeforePoll / 2) this.host.afterPoll(this.onPolled)
    if (this.drains > drainsBeforePoll) this.host.afterPoll(this.drain)
    else this.host.defer(this.drain)
  }

  private readonly drain = (): void => {
    const due = this.queue
    this.queue = []
    this.isScheduled = false
    for (const deliver of due) {
      try {
        deliver()
      } catch (cause) {
        // What is one waiter's mistake is not to be another's.
        this.onDefect(cause)
      }
    }
  }

  private readonly onPolled = (): void => {
    this.drains = 0
  }
}
