import { ErrorCode } from "./ErrorCode.js"

/** What a peer did that HTTP/2 does not allow. It is a value, not an exception: nothing here throws. */
export interface ProtocolError {
  readonly _tag: "ProtocolError"
  /** The rule that was broken. */
  readonly code: ProtocolErrorCode
  /** What RST_STREAM or GOAWAY says of it, see `ErrorCode`. */
  readonly errorCode: number
  /** Whether the connection cannot go on, or this stream only (RFC 9113 §5.4). */
  readonly scope: "connection" | "stream"
  /** What was received, bounded, and what is wrong with it. */
  readonly detail: string
  /** Where the rule stands, for example `RFC 9113 §6.9`. */
  readonly section: string
}

export type ProtocolErrorCode = FrameErrorCode | HpackErrorCode | MessageErrorCode | ConnectionErrorCode

export type FrameErrorCode =
  /** The first frame is not SETTINGS: the peer may not speak HTTP/2 at all. */
  | "InvalidPreface"
  /** Larger than we allow, or of a size that its type does not have. */
  | "InvalidFrameSize"
  /** A stream identifier where there must be none, none where there must be one, or one that only a server could open. */
  | "InvalidStreamId"
  /** More padding than payload. */
  | "InvalidPadding"
  /** CONTINUATION without HEADERS before it, or something else within a header block. */
  | "InvalidContinuation"
  | "UnexpectedPush"
  /** A header block in too many frames without content. */
  | "TooManyContinuations"

/** Faults of a header block. The two tables are out of step after each of them, so all of them end the connection. */
export type HpackErrorCode =
  | "InvalidHpackIndex"
  /** Longer than the octets that are left, or than an implementation has to accept. */
  | "InvalidHpackInteger"
  | "InvalidHpackString"
  /** Padding that is not a prefix of EOS, more than 7 bits of it, or EOS itself. */
  | "InvalidHuffmanCode"
  /** Above our limit, not at the start of a block, or missing after our limit was lowered. */
  | "InvalidTableSizeUpdate"
  /** A header block, encoded, is longer than we are willing to decode. */
  | "HeaderBlockTooLarge"
  /** Decoded, the header list is longer than we are willing to decode. */
  | "HeaderListTooLarge"

/** Malformed responses: errors of their stream (RFC 9113 §8.1.1). */
export type MessageErrorCode =
  | "MissingStatus"
  | "RepeatedStatus"
  /** Not three digits, or 101, which HTTP/2 does not have. */
  | "InvalidStatus"
  /** A pseudo field that responses do not have, or in the wrong place. */
  | "InvalidPseudoField"
  /** In upper case, or not a token. */
  | "InvalidHeaderName"
  /** A control character in the value of a field. */
  | "InvalidHeaderValue"
  /** A field that belongs to a connection of HTTP/1.1. */
  | "ConnectionSpecificField"
  /** Not a number, or one that cannot be counted exactly. */
  | "InvalidContentLength"
  | "RepeatedContentLength"
  /** More or less content than content-length says. */
  | "WrongContentLength"
  /** Content in the response to HEAD, in a 204 or a 304. */
  | "UnexpectedContent"
  /** A trailer that would change how the message is framed. */
  | "ForbiddenTrailer"
  /** A header section after the head that does not end the stream. */
  | "UnexpectedHeaders"
  /** An interim response that ends the stream. */
  | "UnexpectedEnd"
  | "InformationalTooLarge"
  /** The stream ended without an error, and the response is not complete, or nobody can know. */
  | "IncompleteResponse"

/** Faults beside those of single frames. */
export type ConnectionErrorCode =
  | "InvalidSetting"
  /** DATA before a response head. */
  | "UnexpectedData"
  /** A frame on a stream that the server had ended. */
  | "StreamClosed"
  /** More DATA than a window allows. */
  | "FlowControl"
  /** An increment of 0. */
  | "InvalidWindowUpdate"
  /** A window of more than 2^31-1. */
  | "WindowOverflow"
  /** More of what does nothing than a peer has reason to send. */
  | "Flood"

export const connectionError = (
  code: ProtocolErrorCode,
  errorCode: number,
  detail: string,
  section: string
): ProtocolError => ({ _tag: "ProtocolError", code, errorCode, scope: "connection", detail, section })

export const streamError = (
  code: ProtocolErrorCode,
  errorCode: number,
  detail: string,
  section: string
): ProtocolError => ({ _tag: "ProtocolError", code, errorCode, scope: "stream", detail, section })

/** A fault of a header block. */
export const compressionError = (code: HpackErrorCode, detail: string, section: string): ProtocolError =>
  connectionError(code, ErrorCode.COMPRESSION_ERROR, detail, section)
