import type { CloseReason } from "../CloseReason.js"
import { Deadline } from "./Deadlines.js"
import { Link } from "./LinkedList.js"
import type { OriginState } from "./OriginState.js"

/**
 * The life of a connection, from the decision to dial until its permit is back:
 *
 * - `Planned`: a dial is decided; it starts as soon as the permit of a connection that is closing is back.
 * - `Dialing`: the permit is taken, the connection is being made.
 * - `Ready`: it takes requests, up to its capacity. Idle when it carries none.
 * - `Draining`: it takes nothing new; what it carries may finish.
 * - `Closing`: it is being closed. Its permit is still out, because its socket may still be open (httpcore 1.0.9
 *   counted it as gone, and real sockets exceeded the limit).
 * - `Closed`: the socket is gone and the permit is back.
 */
export type SlotState = "Planned" | "Dialing" | "Ready" | "Draining" | "Closing" | "Closed"

/**
 * What the core knows of one connection. `C` is the connection itself, which the core never looks into.
 */
export class Slot<C> {
  state: SlotState = "Planned"
  connection: C | undefined = undefined
  /** How many requests it can carry at once, now. */
  capacity = 0
  /** How many it carries. */
  busy = 0
  /** How many it was ever lent to. */
  served = 0
  idleSince = 0
  /** The same as wall time. */
  idleSinceDate = 0
  /** How long the server said that it keeps it idle, when it became idle. */
  keepFor = Infinity
  dialedAt = 0
  connectedAt = 0
  /** Since when it is with its origin although others wait, and how many requests it had served then. */
  quantumSince = -Infinity
  servedBefore = 0
  /** Why it drains or closes. */
  reason: CloseReason | undefined = undefined

  /** In one of its origin's lists: `dials`, `idle` or `shared`. */
  readonly originLink = new Link<Slot<C>>(this)
  /** In one of the pool's lists: `planned` or `idle`. */
  readonly poolLink = new Link<Slot<C>>(this)
  /** Of an idle connection. */
  readonly expiry: Deadline<Slot<C>>
  /** Of a connection that may grow too old. */
  age: Deadline<Slot<C>> | undefined = undefined
  /** By which part of `maxConnectionAge` it is closed earlier. */
  ageJitter = 0

  constructor(
    readonly id: number,
    readonly origin: OriginState<C>,
    /** How many calls of `warm` wait for it: it is wanted although no request waits. */
    public warming: number,
    onExpiry: (slot: Slot<C>, now: number) => void
  ) {
    this.expiry = new Deadline(this, onExpiry)
  }
}
