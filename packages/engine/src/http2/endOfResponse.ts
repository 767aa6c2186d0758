import { ErrorCode } from "./ErrorCode.js"
import { type ProtocolError, streamError } from "./ProtocolError.js"
import type { Stream } from "./Stream.js"

/** Whether nothing can be missing of a response that did not end its stream. Without a length nobody can know. */
export const isWhole = <E>({ contentLength, progress, received }: Stream<E>): boolean =>
  progress === "NoBody" || (progress === "Body" && contentLength === received)

export const incomplete = <E>({ contentLength, hasResponse, received }: Stream<E>): ProtocolError =>
  streamError(
    "IncompleteResponse",
    ErrorCode.NO_ERROR,
    !hasResponse
      ? "the stream ended without an error before a response"
      : `the stream ended without an error after ${received} bytes of the content, ${
        contentLength === undefined ? "and nothing says how many there are" : `of ${contentLength}`
      }`,
    "RFC 9113 §8.1"
  )
