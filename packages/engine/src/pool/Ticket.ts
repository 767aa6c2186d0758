import type { Failure } from "../Failure.js"
import type { Deadline } from "./Deadlines.js"
import { Link } from "./LinkedList.js"
import type { OriginState } from "./OriginState.js"
import type { Slot } from "./Slot.js"

/**
 * Why a request gets no connection.
 */
export type Refusal =
  | { readonly _tag: "PoolTimeout"; readonly waited: number; readonly position: number }
  /** A connection was being made for it, for as long as it allows. */
  | { readonly _tag: "ConnectTimeout"; readonly timeout: number }
  | { readonly _tag: "PoolClosed" }
  | { readonly _tag: "PoolQueueFull" }
  | { readonly _tag: "DialFailed"; readonly failure: Failure }

/**
 * A request's claim on the pool. It is settled once: everything that could settle it looks at `state` first, so a
 * grant and a timeout in the same tick cannot both win (HC5 #649, vert.x #6169).
 *
 * - `New`: not yet asked for.
 * - `Waiting`: in the queue of its origin.
 * - `Granted`: it holds `slot`.
 * - `Refused`: it ended without a connection, `refusal` says why.
 * - `Settled`: given back, or given up by its owner.
 */
export type TicketState = "New" | "Waiting" | "Granted" | "Refused" | "Settled"

/** `O` is whose claim it is, which the core never looks into. */
export class Ticket<C, O = unknown> {
  state: TicketState = "New"
  slot: Slot<C> | undefined = undefined
  refusal: Refusal | undefined = undefined
  waitingSince = 0
  grantedAt = 0
  /** How long the granted connection had been idle, in milliseconds. */
  idleTime = 0
  /** Whether the connection had served another request before. */
  reused = false
  /** Its time is up, but a dial is under way for it: see `PoolCore.timedOut`. */
  overdue = false
  /** In the queue of its origin while it waits, in the list of leases while it holds. */
  readonly link: Link<Ticket<C>> = new Link<Ticket<C>>(this)
  /** Of its wait for the pool. */
  deadline: Deadline<Ticket<C>> | undefined = undefined
  /** Of its wait for a connection that is being made. */
  connectDeadline: Deadline<Ticket<C>> | undefined = undefined
  /** When that has taken too long; `Infinity` before a dial was first under way for it. */
  connectEnd = Infinity
  /** Whether a dial is under way for it, as `OriginState.connecting` counts. */
  isConnecting = false

  constructor(
    /** Whose connections it waits for: another origin's where the two share them. */
    public origin: OriginState<C>,
    readonly owner: O,
    /** How long it may wait, in milliseconds. */
    readonly timeout: number,
    /** How long it waits for a connection that is being made, in milliseconds. */
    readonly connectTimeout: number,
    /** It takes no connection that has carried requests and carries none now: such ones have failed it before. */
    readonly fresh = false
  ) {}
}
