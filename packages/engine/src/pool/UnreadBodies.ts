import { Deadline } from "./Deadlines.js"
import { Link, LinkedList } from "./LinkedList.js"
import type { Timekeeper } from "./Timekeeper.js"

/**
 * A body that is larger than the buffer and that nobody has begun to read, so that it holds its connection.
 */
export class UnreadBody {
  readonly link = new Link<UnreadBody>(this)
  constructor(readonly since: number, readonly abandon: () => void) {}
}

/**
 * Abandons unread bodies: when requests wait for a connection, the bodies that nobody has begun to read within the grace
 * time are abandoned, oldest first (undici and the platform's layers hang here for ever).
 */
export class UnreadBodies {
  private readonly bodies = new LinkedList<UnreadBody>()
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

  add(body: UnreadBody): void {
    this.bodies.pushBack(body.link)
    this.check()
  }

  remove(body: UnreadBody): void {
    this.bodies.remove(body.link)
  }

  /** A request waits, or a body has become unread, or time has passed. */
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
      first.abandon()
      first = this.bodies.first
    }
  }
}
