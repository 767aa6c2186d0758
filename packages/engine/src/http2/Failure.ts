import { ErrorCode } from "./ErrorCode.js"
import type { ProtocolError } from "./ProtocolError.js"

/** A GOAWAY that the server has sent (RFC 9113 §6.8). */
export interface GoAway {
  /** The server has not begun with streams above this number, and will not. */
  readonly lastStreamId: number
  readonly errorCode: number
  /** The debug data: bounded, and printable ASCII. Empty if there was none. */
  readonly debug: string
}

/**
 * What is known after another GOAWAY. Servers that have told why, too many PINGs for example, often say a last one without
 * an error when they close: that does not take the reason back.
 */
export const goAwayAfter = (before: GoAway | undefined, now: GoAway): GoAway => {
  if (before === undefined || now.errorCode !== ErrorCode.NO_ERROR) return now
  const { debug, errorCode } = before
  return errorCode !== ErrorCode.NO_ERROR || now.debug === ""
    ? { lastStreamId: now.lastStreamId, errorCode, debug }
    : now
}

/** What is wrong with a request that cannot be sent as it is. Nothing of it was. */
export interface LocalError {
  readonly _tag: "LocalError"
  readonly reason:
    | "InvalidMethod"
    | "InvalidTarget"
    | "InvalidHeader"
    | "InvalidBody"
    | "InvalidTrailer"
    | "NotSupported"
  readonly detail: string
  readonly section: string
}

/**
 * Why a stream, or its connection, has failed.
 *
 * - `LocalError`: the request cannot be sent as it is.
 * - `ProtocolError`: the server broke the rules.
 * - `StreamReset`: the server has sent RST_STREAM.
 * - `Unprocessed`: the server has sent GOAWAY, and has not begun with this stream.
 * - `Ended`: the server has ended the connection, after a GOAWAY or without one.
 * - `Broken`: reading from or writing to the connection failed.
 * - `NotSent`: the connection takes no more streams, and the request was still waiting to be written.
 * - `Unresponsive`: a PING, or our SETTINGS, were not acknowledged in time.
 * - `Closed`: we have closed the connection.
 */
export type Failure =
  | LocalError
  | ProtocolError
  | { readonly _tag: "StreamReset"; readonly errorCode: number }
  | { readonly _tag: "Unprocessed"; readonly goAway: GoAway }
  | { readonly _tag: "Ended"; readonly goAway: GoAway | undefined }
  | { readonly _tag: "Broken"; readonly goAway: GoAway | undefined; readonly cause: unknown }
  | { readonly _tag: "NotSent"; readonly goAway: GoAway | undefined }
  | { readonly _tag: "Unresponsive"; readonly what: "PING" | "SETTINGS" }
  | { readonly _tag: "Closed" }

/**
 * Whether sending the request again can do harm.
 *
 * - `Always`: the server cannot have acted on it.
 * - `IfRetryable`: it may have; requests that may be carried out twice can be retried.
 * - `Never`: it would be the same again, or the server asks for calm.
 */
export type Retry = "Always" | "IfRetryable" | "Never"

/** How a stream has failed. */
export interface StreamFailure {
  readonly failure: Failure
  /** Whether the server may have acted on the request: it was written, and nothing says that it was not processed. */
  readonly written: boolean
  /** Whether the head of the response had come. */
  readonly hasResponse: boolean
  readonly retry: Retry
}

/** The text of debug data that is safe to show: printable ASCII, of bounded length. */
export const debugText = (bytes: Uint8Array, start: number, end: number): string => {
  let text = ""
  const stop = Math.min(end, start + maxDebugText)
  for (let i = start; i < stop; i++) {
    const octet = bytes[i]
    text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : "?"
  }
  return end > stop ? `${text}…` : text
}

const maxDebugText = 256
