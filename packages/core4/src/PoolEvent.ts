/**
 * What happens in a pool, as a stream of events. They are made only while somebody listens.
 *
 * @since 0.1.0
 */
import type * as Engine from "@sluice/engine"
import type { Event } from "@sluice/engine/pool"
import type { TransportError } from "./TransportError.js"

/**
 * An event, distinguished by `_tag`: `Waiting`, `Granted`, `Refused`, `DialStarted`, `DialSucceeded`, `DialFailed`,
 * `Released`, `Evicted`, `Expired`, `Closed`, `Retried`, `Coalesced`, `PoolClosed`. Times are milliseconds. Its JSON form
 * says `"Infinity"`, and of an error what it says. Connections are numbered over all of the pool, those that are reserved
 * for some origins too.
 *
 * @since 0.1.0
 * @category models
 */
export type PoolEvent =
  | Exclude<Event, { readonly _tag: "DialFailed" }>
  | (Extract<Event, { readonly _tag: "DialFailed" }> & { readonly error: TransportError })

/**
 * Why a connection was closed.
 *
 * @since 0.1.0
 * @category models
 */
export type CloseReason = Engine.CloseReason
