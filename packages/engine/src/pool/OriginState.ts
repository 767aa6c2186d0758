import type { Failure } from "../Failure.js"
import type { Deadline } from "./Deadlines.js"
import { Link, LinkedList } from "./LinkedList.js"
import type { Slot } from "./Slot.js"
import type { Ticket } from "./Ticket.js"

/**
 * What is known of the protocol that an origin speaks. It outlives the connections, so that the next cold start dials
 * at once what it needs (Go #27753).
 *
 * - `Unknown`: the first dial decides, the others wait for it.
 * - `Exclusive`: one request at a time on each connection.
 * - `Shared`: a connection carries `capacity` requests at once.
 */
export type Sharing =
  | { readonly _tag: "Unknown" }
  | { readonly _tag: "Exclusive" }
  | { readonly _tag: "Shared"; readonly capacity: number }

export const unknown: Sharing = { _tag: "Unknown" }
export const exclusive: Sharing = { _tag: "Exclusive" }

/**
 * The connections and waiters of one origin.
 */
export class OriginState<C> {
  /** First come, first served. */
  readonly waiters = new LinkedList<Ticket<C>>()
  /** Connections without a request that can take one, least recently used first. */
  readonly idle = new LinkedList<Slot<C>>()
  /** Connections with requests that can take more. */
  readonly shared = new LinkedList<Slot<C>>()
  /** Dials planned and under way, those that `warm` asked for first. */
  readonly dials = new LinkedList<Slot<C>>()
  /** Dials that have no permit yet. */
  planned = 0
  /** Dials that `warm` asked for. */
  warming = 0
  /** Permits out: dialing, ready, draining and closing connections. */
  open = 0
  /** Connections that take requests, or will when they have a free place. */
  ready = 0
  closing = 0
  /** Waiters that no dial under way is meant for. */
  pending = 0
  /** Dials that it would start if the limit over all origins let it. */
  want = 0
  /** Waiters past their deadline for whom a dial is under way. */
  overdue = 0
  /** A dial failed while other connections serve: those who wait hope for these, and no new dial starts. */
  hopes = false
  /** Whether it can share connections of another origin is being found out. Whoever waits, waits for that. */
  probing = false
  /** Waiters, from the front of the queue, whose time to connect runs: a dial is under way for them. */
  connecting = 0
  /** The first waiter that is not one of these. */
  nextToConnect: Link<Ticket<C>> | undefined = undefined
  /** In the list of those whose `connecting` is not what it should be. */
  readonly connectingLink = new Link<OriginState<C>>(this)
  /** How long its last dial took that succeeded, in milliseconds. */
  lastDialTime = 0
  /** Dials that failed in a row, and what the last one failed with. */
  failedDials = 0
  lastFailure: Failure | undefined = undefined
  /** It takes no connection from others for now, and dials once at a time where there is room. */
  isBackingOff = false
  backoff: Deadline<OriginState<C>> | undefined = undefined
  readonly modestLink = new Link<OriginState<C>>(this)
  readonly turnLink = new Link<OriginState<C>>(this)
  readonly surplusLink = new Link<OriginState<C>>(this)
  readonly vacantLink = new Link<OriginState<C>>(this)

  constructor(readonly key: string, public sharing: Sharing) {}

  /** How many waiters one more connection would serve. */
  get expectedCapacity(): number {
    switch (this.sharing._tag) {
      case "Unknown":
        return Infinity
      case "Exclusive":
        return 1
      case "Shared":
        return Math.max(1, this.sharing.capacity)
    }
  }

  /** How many dials it takes to serve all who wait. */
  get dialsNeeded(): number {
    if (this.probing) return 0
    return Math.ceil(this.waiters.size / this.expectedCapacity) || (this.waiters.size > 0 ? 1 : 0)
  }

  /** How many of those who wait a dial is meant for, from the front of the queue. */
  get covered(): number {
    return this.servedBy(this.dials.size)
  }

  /** The same, for dials that have their permit. */
  get underWay(): number {
    return this.servedBy(this.dials.size - this.planned)
  }

  /** How many waiters a dial is under way for. To find out whose connections can be shared is no dial. */
  get shouldConnect(): number {
    return this.probing ? 0 : Math.min(this.waiters.size, this.underWay)
  }

  /** Connections that it has or is about to have. */
  get share(): number {
    return this.open - this.closing + this.planned
  }

  /** The connection that a request takes: a shared one first, then the one used last. */
  get available(): Slot<C> | undefined {
    return this.shared.first ?? this.idle.last
  }

  get isVacant(): boolean {
    return this.open === 0 && this.waiters.size === 0 && this.dials.size === 0 && !this.probing && !this.isBackingOff
  }

  private servedBy(dials: number): number {
    if (this.probing) return Infinity
    return dials === 0 ? 0 : dials * this.expectedCapacity
  }
}
