import { ErrorCode } from "./ErrorCode.js"
import type { Failure, Retry } from "./Failure.js"

/** Whether a request that was written may have been acted on, for all that the failure says (RFC 9113 §8.7). */
export const wasProcessed = (failure: Failure, hasResponse: boolean): boolean => {
  switch (failure._tag) {
    case "Unprocessed":
    case "NotSent":
      return false
    case "StreamReset":
      return hasResponse || !refusesStream(failure.errorCode)
    default:
      return true
  }
}

/** Whether sending a request again can do harm, or only more of the same. */
export const retryOf = (
  failure: Failure,
  stream: { readonly written: boolean; readonly hasResponse: boolean }
): Retry => {
  switch (failure._tag) {
    case "LocalError":
      return "Never"
    case "ProtocolError":
      // The response may be whole, and nobody can know.
      return failure.code === "IncompleteResponse" ? "IfRetryable" : "Never"
    case "StreamReset":
      // Whoever asks for calm does not want it again at once.
      if (failure.errorCode === ErrorCode.ENHANCE_YOUR_CALM) return "Never"
      return wasProcessed(failure, stream.hasResponse) ? "IfRetryable" : "Always"
    case "Unprocessed":
      // A server that has taken nothing at all asks for calm of everybody; else it ends this connection only.
      return failure.goAway.errorCode === ErrorCode.ENHANCE_YOUR_CALM && failure.goAway.lastStreamId === 0
        ? "Never"
        : "Always"
    case "NotSent":
      return "Always"
    default:
      return stream.written ? "IfRetryable" : "Always"
  }
}

const refusesStream = (errorCode: number): boolean =>
  errorCode === ErrorCode.REFUSED_STREAM || errorCode === ErrorCode.HTTP_1_1_REQUIRED
