import type { Failure, StreamFailure } from "./Failure.js"
import type { StreamRequest } from "./StreamRequest.js"

/** What a session needs of what drives it. `E` is the form that its failures take there. */
export interface SessionHost<E> {
  /** Monotonic, in milliseconds. */
  readonly elapsed: () => number
  /** There is something to write: `flush` is to be called at the end of this turn. It is said once until then. */
  readonly onOutput: () => void
  /** Takes bytes for the transport, during `flush` and `close` only. They are not written to again. */
  readonly write: (bytes: Uint8Array) => void
  /** `onDeadline` is to be called then, by `elapsed`, and no more at the time given before. */
  readonly setDeadline: (at: number) => void
  /** An array for content that is kept; what is in it does not matter. */
  readonly allocate: (size: number) => Uint8Array
  /** `bytes[start, end)` as a string of one character an octet. */
  readonly latin1: (bytes: Uint8Array, start: number, end: number) => string
  /** The server's SETTINGS have come: it speaks HTTP/2, and `capacity` is what it allows. */
  readonly onReady: () => void
  /** `capacity` has changed. */
  readonly onCapacity: () => void
  /** It takes nothing new; what it carries may finish. */
  readonly onDraining: () => void
  /** The server wants HTTP/1.1: for this request, or, without one, for whatever the connection is for. */
  readonly onHttp1Required: (request: StreamRequest | undefined) => void
  /** It is of no use any more, and its streams have been notified. Why, unless the server has just closed it. */
  readonly onClosed: (failure: Failure) => void
  readonly toError: (failure: StreamFailure, request: StreamRequest) => E
}
