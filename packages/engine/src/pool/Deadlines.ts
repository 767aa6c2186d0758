import { Link, LinkedList } from "./LinkedList.js"

/** What happens to a value at its deadline. */
interface Passing<A> {
  onDeadline(value: A, now: number): void
}

/**
 * Something that happens to a value unless it is called off in time. One object per owner, set again and again; but
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
 * Durations whose lists are kept although nothing waits for them, so that a busy client does not make and drop its two or three
 * lists for every request. Beyond that number an empty list is dropped at once.
 */
const sparseLists = 32

/**
 * Deadlines of a pool: how long a request may wait, when an idle connection expires, when a read has taken too long.
 * Times are milliseconds of monotonic time.
 *
 * There is a list for each *duration*. Time only moves forward, so within a list the deadlines are in order: setting
 * and calling off are O(1), and the earliest deadline is the earliest of the lists' heads. A client uses a handful of
 * durations, whatever the number of requests.
 */
export class Deadlines {
  private readonly lists = new Map<number, LinkedList<unknown, Deadline>>()

  /** The earliest deadline that was announced. It may have been called off since. */
  private announced = Infinity
  /** How many are set. */
  size = 0

  /**
   * `onEarlier` learns of each deadline that comes before all that it knew of, `onEmpty` that the last one was called off.
   */
  constructor(
    private readonly onEarlier: (at: number) => void,
    private readonly onEmpty: () => void = () => {}
  ) {}

  /** Lets the deadline pass `duration` from `now`, whatever it was set to before. `Infinity` calls it off. */
  set(deadline: Deadline, duration: number, now: number): void {
    if (deadline.list !== undefined) this.remove(deadline)
    if (duration === Infinity) {
      if (this.size === 0) this.onEmpty()
      return
    }
    let list = this.lists.get(duration)
    if (list === undefined) {
      list = new LinkedList()
      this.lists.set(duration, list)
    }
    deadline.duration = duration
    deadline.at = now + duration
    list.pushBack(deadline)
    this.size++
    if (deadline.at < this.announced) {
      this.announced = deadline.at
      this.onEarlier(deadline.at)
    }
  }

  /** Harmless when it is not set, or was never made. */
  cancel(deadline: Deadline | undefined): void {
    if (deadline?.list === undefined) return
    this.remove(deadline)
    if (this.size === 0) this.onEmpty()
  }

  isSet(deadline: Deadline | undefined): boolean {
    return deadline?.list !== undefined
  }

  /** Lets every deadline pass that was due at `due`, earliest first in each list; announces the next one. */
  expire(due: number, now = due): void {
    this.announced = Infinity
    for (const list of this.lists.values()) {
      for (let first = list.head; first !== undefined && first.at <= due; first = list.head) {
        list.remove(first)
        this.size--
        first.at = Infinity
        first.onDeadline(first.value, now)
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

  /** Forgets what was announced: whoever sleeps until then no longer does. */
  silence(): void {
    this.announced = Infinity
  }

  private remove(deadline: Deadline): void {
    const list = deadline.list
    if (list === undefined) return
    list.remove(deadline)
    this.size--
    deadline.at = Infinity
    if (list.size === 0 && this.lists.size > sparseLists) this.lists.delete(deadline.duration)
  }

  private dropEmpty(): void {
    for (const [duration, list] of this.lists) {
      if (list.size === 0) this.lists.delete(duration)
    }
  }
}
