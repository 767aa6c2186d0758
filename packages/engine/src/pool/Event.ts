import type { CloseReason } from "../CloseReason.js"
import type { Failure } from "../Failure.js"

/**
 * What happened in the pool. Times are milliseconds; `connection` is a number that stays the same for a connection's
 * life.
 */
export type Event =
  | { readonly _tag: "Waiting"; readonly origin: string; readonly waiting: number }
  | {
    readonly _tag: "Granted"
    readonly origin: string
    readonly connection: number
    /** Whether the connection had served a request before. */
    readonly reused: boolean
    readonly idleTime: number
    readonly waitTime: number
  }
  | { readonly _tag: "Refused"; readonly origin: string; readonly reason: string; readonly waitTime: number }
  | { readonly _tag: "DialStarted"; readonly origin: string; readonly connection: number }
  | {
    readonly _tag: "DialSucceeded"
    readonly origin: string
    readonly connection: number
    readonly duration: number
    readonly capacity: number
  }
  | { readonly _tag: "DialFailed"; readonly origin: string; readonly connection: number; readonly error: Failure }
  | { readonly _tag: "Released"; readonly origin: string; readonly connection: number; readonly reusable: boolean }
  | { readonly _tag: "Evicted"; readonly origin: string; readonly connection: number }
  | { readonly _tag: "Expired"; readonly origin: string; readonly connection: number }
  | {
    readonly _tag: "Closed"
    readonly origin: string
    readonly connection: number
    readonly reason: CloseReason
    /** How long it was open. */
    readonly duration: number
    readonly requests: number
  }
  /** A request failed on a reused connection and is sent again on another one. */
  | { readonly _tag: "Retried"; readonly origin: string; readonly connection: number; readonly attempt: number }
  /** The requests of an origin go over the connections of another one from now on, `connection` for one. */
  | {
    readonly _tag: "Coalesced"
    readonly origin: string
    /** The origin that the connections were made for. Other events and `PoolStats` have them under its name. */
    readonly with: string
    readonly connection: number
  }
  | { readonly _tag: "PoolClosed" }
