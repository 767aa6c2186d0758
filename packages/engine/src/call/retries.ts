import type { Failure } from "../Failure.js"

/** How often a request is sent again because its connection had died while it was idle. */
export const maxRetries = 2

/** In milliseconds: before the first retry of a request that was refused. */
const refusedPause = 50

/**
 * How long to wait until a request that may be sent again is. A server that refuses streams has too many, and would refuse
 * it again; what else is retried is not the server's doing. In a few steps, so that those refused together do not come
 * back together.
 */
export const pauseBefore = (failure: Failure, retries: number, random: () => number): number =>
  failure._tag === "StreamReset" && failure.code === "REFUSED_STREAM"
    ? Math.round(refusedPause * 2 ** retries * (0.8 + 0.1 * Math.floor(5 * random())))
    : 0

/** What is known of an exchange that has failed before there was a response. */
export interface FailedAttempt {
  /** How often the request was sent again before. */
  readonly retries: number
  /** Bytes of the response had come. */
  readonly hasBegun: boolean
  /** The connection had served another request before. */
  readonly reused: boolean
  readonly isHttp2: boolean
  /** Nothing was read of the body, or it can be read again. */
  readonly canSendAgain: boolean
}

/**
 * A server may close an idle connection just when we send on it. Then the request is sent again, if the server cannot have
 * acted on it, or may act on it twice; never because a new connection failed (Go #60636).
 */
export const mayRetry = (failure: Failure, attempt: FailedAttempt): boolean => {
  if (attempt.retries >= maxRetries || !failure.safeToRetry || !attempt.canSendAgain) return false
  // A server that has begun to respond was not just closing an idle connection.
  if (attempt.hasBegun) return false
  switch (failure._tag) {
    case "ReadError":
      if (failure.reason === "PoolClosed") return false
      break
    case "WriteError":
      break
    case "StreamReset":
      // The server saw it and said no. The stream's end says nothing about the connection.
      if (failure.written) return false
      break
    default:
      return false
  }
  // HTTP/2 says which streams it has not begun to process (RFC 9113 §8.7).
  return attempt.reused || (!failure.written && attempt.isHttp2)
}
