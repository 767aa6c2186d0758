import type { CloseReason } from "./CloseReason.js"
import type { Connection, ConnectionListener, Protocol } from "./Connection.js"
import type { Failure } from "./Failure.js"
import type { Origin } from "./Origin.js"

/** Calls off something that has not happened yet; harmless afterwards. */
export type Cancel = () => void

/** The context of a caller (`AsyncLocalStorage`). An object and not a function: each request has one. */
export interface CallerContext {
  readonly run: (step: () => void) => void
}

/**
 * How time passes. Elapsed time is monotonic: it knows nothing of the wall clock, which may be set, and all timeouts and
 * ages are measured by it. Wall time is for dates, and to notice that the machine was suspended.
 */
export interface HostTime {
  /** Monotonic, in milliseconds from an arbitrary origin. */
  readonly elapsed: () => number
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  /**
   * Calls `wake` after so many milliseconds, never before it has returned. A background sleep (expiry, age) must not keep
   * the process alive; one of a request does.
   */
  readonly sleep: (millis: number, wake: () => void, background: boolean) => Cancel
  /**
   * Calls `then` when everything that the sockets have by now has been delivered: after one whole poll of the event loop
   * where there is one and time is real, else at once. A deadline that is found due looks once more after it.
   */
  readonly afterPoll: (then: () => void) => void
  /** Calls `run` in a microtask, or as soon as whoever schedules the fibers of a test likes. Never before it has returned. */
  readonly defer: (run: () => void) => void
}

/** A connection that is being made, or was: what the pool can still do to it. */
export interface OpenHandle {
  /** Closes it, or stops making it. `OpenEvents.onGone` follows when its socket is gone and its permits are back. */
  readonly close: () => void
}

/** What becomes of a connection that the host was asked to open. */
export interface OpenEvents extends ConnectionListener {
  readonly onConnected: (connection: Connection) => void
  /** It could not be made. Not called after `OpenHandle.close`. */
  readonly onFailed: (failure: Failure) => void
  /** The last of all: its socket is closed and its permits are back. */
  readonly onGone: () => void
}

/**
 * What is counted when it happens. How much of something there is now, connections, requests that wait, is read from the
 * pool's state by whoever wants to know: nothing is done for it before.
 */
export interface Meter {
  /**
   * A request has ended, so many milliseconds after it was made: whole, with a failure, or cancelled, when it has neither
   * status nor failure. The protocol is undefined where it had no connection.
   */
  readonly ended: (
    origin: Origin,
    method: string,
    status: number | undefined,
    protocol: Protocol | undefined,
    millis: number,
    failure: Failure | undefined
  ) => void
  /** A request that had to wait for its connection has got it, after so many milliseconds. */
  readonly waited: (origin: Origin, millis: number) => void
  /** A request got no connection. */
  readonly refused: (origin: Origin, failure: Failure) => void
  readonly dialFailed: (origin: Origin, failure: Failure) => void
  /** A connection was closed that had been open for so many milliseconds. */
  readonly closed: (origin: Origin, millis: number, reason: CloseReason | undefined) => void
  /** A request is sent again because its connection had died while it was idle. */
  readonly retried: (origin: Origin) => void
  /** An unread body was abandoned for a request that waits. */
  readonly abandoned: (origin: Origin) => void
}

/**
 * What the engine needs of the face that it runs under: time, connections, and the small things that a runtime has.
 * There is one for each pool.
 */
export interface Host extends HostTime {
  /** From 0 to 1. */
  readonly random: () => number
  /**
   * Opens a connection in a scope of the face, which takes the permits first and the socket second, and gives them back
   * in reverse order whatever ends it. It may call back before it returns.
   */
  readonly open: (origin: Origin, events: OpenEvents) => OpenHandle
  /** What a first connection will speak; `"unknown"` when it is negotiated (ALPN). */
  readonly protocol: (origin: Origin) => Protocol | "unknown"
  /**
   * Finds out which of these connections, made for other origins, serve this one as well (RFC 9113 §9.1.1). It may call
   * back before it returns. Undefined where connections are never shared between origins.
   */
  readonly coalesce:
    | ((
      origin: Origin,
      open: ReadonlyArray<Connection>,
      onFound: (serving: ReadonlyArray<Connection>) => void
    ) => Cancel)
    | undefined
  /** Captures the context of the caller that is running now; undefined where there is nothing to capture. */
  readonly captureContext: () => CallerContext | undefined
  /** Undefined: nothing is counted. */
  readonly meter: Meter | undefined
  /** Code of the caller threw where it must not disturb others. */
  readonly reportDefect: (what: string, cause: unknown) => void
}
