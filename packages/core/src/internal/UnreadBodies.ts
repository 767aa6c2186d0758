import { Deadline, Link, LinkedList } from "@sluice/engine/pool"
import type { Timekeeper } from "./Timekeeper.js"

/**
 * A body that is larger than the buffer and that nobody has begun to read, so that it holds its connection.
 */
export class Unread {
  readonly link = new Link<Unread>(this)
  constructor(readonly since: number, readonly giveWay: () => void) {}
}

/**
 * Lets unread bodies give way: when requests wait for a connection, the bodies that nobody has begun to read within the
 * grace time are given up, oldest first (undici and the platform's layers hang here for ever).
 */
export class UnreadBodies {
  private readonly bodies = new LinkedList<Unread>()
  private readonly deadline = new Deadline(this, (bodies) => bodies.check())

  constructor(
    private readonly time: Timekeeper,
    private readonly grace: number,
    /** How many requests wait that no connection is being made for. */
    private readonly waiting: () => number
  ) {}

  get size(): number {
    return this.bodies.size
  }

  add(unread: Unread): void {
    this.bodies.pushBack(unread.link)
    this.check()
  }

  remove(unread: Unread): void {
    this.bodies.remove(unread.link)
  }

  /** Somebody waits, or a body has become unread, or time has passed. */
  check(): void {
    const now = this.time.now()
    let first = this.bodies.first
    while (first !== undefined && this.waiting() > 0) {
      const remaining = first.since + this.grace - now
      if (remaining > 0) {
        if (!this.time.deadlines.isSet(this.deadline)) this.time.deadlines.set(this.deadline, remaining, now)
        return
      }
      this.bodies.remove(first.link)
      first.giveWay()
      first = this.bodies.first
    }
  }
}
