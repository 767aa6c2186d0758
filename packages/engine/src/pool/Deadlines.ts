import { Link, LinkedList } from "./LinkedList.js"

/** What happens to a value at its deadline. */
interface Passing<A> {
  onDeadline(value: A, now: number): void
}

/**
 * Something that happens to a value unless it is called off in time. One object per holder, set again and again; but
 * `onDeadline` is one function for all of a kind, because each request and each connection has one of these.
 */
export class Deadline<A = unknown> extends Link<A> {
  at = Infinity
  duration = 0
  constructor(value: A, readonly onDeadline: Passing<A>["onDeadline"]) {
    super(value)
  }
}

/**
 * Durations kept apart although nothing waits for them, so that a busy client does not make and drop its two or three
 * lists for every request. Beyond that number an empty list is dropped at once.
 */
const sparseLists = 32

/**
 * All deadlines of a pool: how long a request may wait, when an idle connection expires, when a read has taken too
 * long. Times are milliseconds.
 *
 * There is a list for each *duration*. Time only moves forward, so within a list the deadlines are in order: setting
 * and calling off are O(1), and the earliest deadline is the earliest of the lists' heads. A client uses a handful of
 * durations, whatever the number of requests.
 */
export class Deadlines {
  private readonly lists = new Map<number, LinkedList<unknown, Deadline>>()

  /** The earliest deadline that somebody was told of. It may have been called off since. */
  private announced = Infinity

  /** `onEarlier` learns of each deadline that comes before all that it knew of. */
  constructor(private readonly onEarlier: (at: number) => void) {}

  /** Lets the deadline pass `duration` from `now`, whatever it was set to before. `Infinity` calls it off. */
  set(deadline: Deadline, duration: number, now: number): void {
    this.cancel(deadline)
    if (duration === Infinity) return
    let list = this.lists.get(duration)
    if (list === undefined) {
      list = new LinkedList()
      this.lists.set(duration, list)
    }
    // A wall clock that is set back must not break the order within the list.
    const last = list.tail
    deadline.duration = duration
    deadline.at = last === undefined ? now + duration : Math.max(now + duration, last.at)
    list.pushBack(deadline)
    if (deadline.at < this.announced) {
      this.announced = deadline.at
      this.onEarlier(deadline.at)
    }
  }

  /** Harmless when it is not set, or was never made. */
  cancel(deadline: Deadline | undefined): void {
    const list = deadline?.list
    if (deadline === undefined || list === undefined) return
    list.remove(deadline)
    if (list.size === 0 && this.lists.size > sparseLists) this.lists.delete(deadline.duration)
    deadline.at = Infinity
  }

  isSet(deadline: Deadline | undefined): boolean {
    return deadline?.list !== undefined
  }

  /** Lets every deadline pass that is due, earliest list first in each; announces the next one. */
  expire(now: number): void {
    this.announced = Infinity
    for (const list of this.lists.values()) {
      for (let due = list.head; due !== undefined && due.at <= now; due = list.head) {
        list.remove(due)
        due.at = Infinity
        due.onDeadline(due.value, now)
      }
    }
    this.dropEmpty()
    const next = this.earliest()
    if (next < this.announced) {
      this.announced = next
      this.onEarlier(next)
    }
  }

  /** The earliest deadline that is set, or `Infinity`. */
  earliest(): number {
    let earliest = Infinity
    for (const list of this.lists.values()) {
      const first = list.head
      if (first !== undefined && first.at < earliest) earliest = first.at
    }
    return earliest
  }

  /** How many are set. */
  get size(): number {
    let size = 0
    for (const list of this.lists.values()) size += list.size
    return size
  }

  private dropEmpty(): void {
    for (const [duration, list] of this.lists) {
      if (list.size === 0) this.lists.delete(duration)
    }
  }
}
