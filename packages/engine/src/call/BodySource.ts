import type { Failure } from "../Failure.js"
import type { Cancel } from "../Host.js"

/** Where a source puts the chunks of a request's body. */
export interface BodySink {
  /** False: there is no room for more before `whenReady` calls. The bytes must not be changed afterwards. */
  readonly write: (bytes: Uint8Array) => boolean
  /** Calls `ready` when there is room for the next chunk, at once if there is already. */
  readonly whenReady: (ready: () => void) => void
}

/** How a source ended: with all of the body, and the fields that follow it, or with an error of its own. */
export type SourceEnd =
  | { readonly _tag: "Complete"; readonly trailers: Readonly<Record<string, string>> | undefined }
  | { readonly _tag: "Failed"; readonly cause: unknown }

/** Why a body cannot be sent; `cause` is what ended an earlier request that had it. */
export interface BodyProblem {
  readonly problem: string
  readonly cause: unknown
}

/**
 * Where the chunks of a request's body come from. It belongs to the request from the moment that this is made: what it
 * holds is given back by `destroy`, however the request ends, also when nothing was ever read of it.
 */
export interface BodySource {
  /** Whether it can be run again after something was read of it. */
  readonly replayable: boolean
  /** Undefined while it can be sent: nothing was read of it, and nobody else reads it. */
  readonly problem: () => BodyProblem | undefined
  /** Calls the listener when what it is read from fails before it is read; at most one. */
  readonly onBroken: (listener: (cause: unknown) => void) => void
  /** Begins to pull. Nothing is called any more once it is cancelled. */
  readonly run: (sink: BodySink, onEnd: (end: SourceEnd) => void) => Cancel
  /** Closes what it is read from. Harmless when that has ended. `failure`: why the request ended, if it failed. */
  readonly destroy: (failure: Failure | undefined) => void
}
