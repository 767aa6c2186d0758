import type { ParserLimits } from "./ParserLimits.js"

/**
 * What a peer (or, for a request, our own caller) did that HTTP/1.1 does not allow. Those of a response become
 * `RemoteProtocolError`, those of a request `LocalProtocolError`. It is a value, not an exception: nothing here throws.
 */
export interface ProtocolError {
  readonly _tag: "ProtocolError"
  readonly code: ProtocolErrorCode
  /** What was received or given, quoted and bounded, and what is wrong with it. */
  readonly message: string
  /** Where the rule stands, for example `RFC 9112 §6.3`. */
  readonly section: string
  /** The limit that was passed, if it is one. */
  readonly limit?: { readonly name: keyof ParserLimits; readonly value: number }
}

/** Every way to break the protocol that this engine distinguishes. */
export type ProtocolErrorCode = ResponseErrorCode | RequestErrorCode

export type ResponseErrorCode =
  /** The status line is not `HTTP/1.x SP 3DIGIT [SP reason-phrase] CRLF`. */
  | "InvalidStatusLine"
  /** The version is not HTTP/1.0 or HTTP/1.1. */
  | "UnsupportedVersion"
  /** The name of a field is empty or holds an octet that is not of a token, such as a space before the colon. */
  | "InvalidHeaderName"
  /** The value of a field holds a control character. */
  | "InvalidHeaderValue"
  /** CR without LF, or LF without CR. */
  | "InvalidLineEnd"
  /** A first header line that begins with whitespace: there is nothing that it could go on with. */
  | "ObsoleteLineFolding"
  | "HeadTooLarge"
  /** Not a decimal number. */
  | "InvalidContentLength"
  /** More than `Number.MAX_SAFE_INTEGER`. */
  | "ContentLengthTooLarge"
  | "RepeatedContentLength"
  /** Transfer-Encoding where it cannot frame the message: anything but `chunked` alone, or in HTTP/1.0. */
  | "InvalidTransferEncoding"
  /** Content-Length together with Transfer-Encoding. */
  | "ConflictingFraming"
  /** 101 without `Upgrade` and `Connection: upgrade`. */
  | "InvalidUpgrade"
  | "InformationalTooLarge"
  | "InvalidChunkSize"
  /** More than `Number.MAX_SAFE_INTEGER`. */
  | "ChunkTooLarge"
  | "InvalidChunkExtension"
  | "ChunkExtensionTooLarge"
  /** The data of a chunk is not followed by CRLF. */
  | "InvalidChunkEnd"
  | "TrailersTooLarge"
  /** A trailer that would change how the message is framed. */
  | "ForbiddenTrailer"
  /** The stream ended inside a message. */
  | "IncompleteMessage"
  /** A response was to be read before the last one was complete: a fault of the driver, not of the peer. */
  | "OverlappingExchange"

export type RequestErrorCode =
  | "InvalidMethod"
  | "InvalidTarget"
  | "InvalidHost"
  | "InvalidHeaderName"
  | "InvalidHeaderValue"
  /** A length that is not a whole number from 0 to `Number.MAX_SAFE_INTEGER`. */
  | "InvalidContentLength"
  /** Framing fields that contradict the framing, or each other. */
  | "ConflictingFraming"
  /** A Host field that contradicts the target. */
  | "ConflictingHost"
  /** A Connection field that contradicts what is to become of the connection, or names a field that it must not. */
  | "ConflictingConnection"
  /** Content where the method has none: CONNECT and TRACE. */
  | "ForbiddenContent"
  /** `Expect: 100-continue` without content. */
  | "InvalidExpectation"
  /** A trailer field that RFC 9110 §6.5.1 forbids, or trailers without chunked. */
  | "ForbiddenTrailer"

export const protocolError = (code: ProtocolErrorCode, message: string, section: string): ProtocolError => ({
  _tag: "ProtocolError",
  code,
  message,
  section
})

export const limitPassed = (
  code: ProtocolErrorCode,
  message: string,
  section: string,
  limits: ParserLimits,
  name: keyof ParserLimits
): ProtocolError => ({
  _tag: "ProtocolError",
  code,
  message: `${message} (${name}: ${limits[name]})`,
  section,
  limit: { name, value: limits[name] }
})

/** The most octets of input that a message quotes. */
const quotable = 48

const escapes: Record<number, string> = { 0x09: "\\t", 0x0a: "\\n", 0x0d: "\\r", 0x22: "\\\"", 0x5c: "\\\\" }

const quoteCode = (code: number): string =>
  escapes[code] ?? (code >= 0x20 && code < 0x7f
    ? String.fromCharCode(code)
    : code <= 0xff
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u{${code.toString(16)}}`)

/** The end of `bytes[start, end)` in double quotes: printable ASCII, all else escaped, so that it is safe in a log. */
export const quoteBytes = (bytes: Uint8Array, start: number, end: number): string => {
  const from = Math.max(start, end - quotable)
  let quoted = from > start ? "\"…" : "\""
  for (let i = from; i < end; i++) quoted += quoteCode(bytes[i])
  return `${quoted}"`
}

/** The most octets of what came at once that are quoted, where nothing is known of it. */
const quotableAtOnce = 64

/** The beginning of `bytes[start, end)`, likewise. */
export const quoteStart = (bytes: Uint8Array, start: number, end: number): string => {
  const stop = Math.min(end, start + quotableAtOnce)
  let quoted = "\""
  for (let i = start; i < stop; i++) quoted += quoteCode(bytes[i])
  return stop < end ? `${quoted}…"` : `${quoted}"`
}

/** The beginning of `text` in double quotes, likewise. */
export const quoteText = (text: string): string => {
  let quoted = "\""
  for (let i = 0; i < text.length && i < quotable; i++) quoted += quoteCode(text.charCodeAt(i))
  return text.length > quotable ? `${quoted}…"` : `${quoted}"`
}

/** One octet as a message names it: `'a'`, `'\r'`, `'\x00'`. */
export const quoteOctet = (octet: number): string => octet === 0x22 ? "'\"'" : `'${quoteCode(octet)}'`
