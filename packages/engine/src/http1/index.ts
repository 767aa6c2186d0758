/**
 * The HTTP/1.1 engine, for authors of a driver: bytes in, events out; requests out as text. It does no I/O, keeps no
 * time, depends on no runtime and throws nothing. Applications have no use for it.
 *
 * A driver announces a request to the parser, writes what `encodeHead` gives it, and feeds the parser whatever it reads:
 *
 * ```ts
 * import { defaultParserLimits, encodeHead, noContent, ResponseParser } from "@sluice/engine/http1"
 *
 * declare const write: (text: string) => void
 * declare const close: () => void
 *
 * const parser = new ResponseParser(
 *   {
 *     onInformational: (head) => console.log("for now", head.status),
 *     onHead: (head) => console.log(head.status, head.rawHeaders),
 *     onBody: (bytes, start, end) => console.log(end - start, "bytes", bytes.slice(start, end)),
 *     onComplete: (trailers) => console.log("complete", trailers)
 *   },
 *   {
 *     limits: defaultParserLimits,
 *     latin1: (bytes, start, end) => String.fromCharCode(...bytes.subarray(start, end))
 *   }
 * )
 *
 * const head = encodeHead({ method: "GET", target: "/", host: "example.com", headers: {}, framing: noContent })
 * if (typeof head === "string") {
 *   parser.start("GET")
 *   write(head)
 * }
 *
 * export const onBytes = (bytes: Uint8Array) => {
 *   const outcome = parser.execute(bytes, 0, bytes.length)
 *   // A protocol error, bytes that nobody asked for, or another protocol: nothing more of HTTP/1.1 comes here.
 *   if (outcome !== undefined) close()
 * }
 * ```
 *
 * @since 0.1.0
 */
export {
  /**
   * What is wrong with trailers, if anything is: a field that RFC 9110 §6.5.1 does not allow there, or one that is none.
   *
   * @since 0.1.0
   * @category requests
   */
  checkTrailers,
  /**
   * What goes after the data of a chunk.
   *
   * @since 0.1.0
   * @category requests
   */
  chunkEnd,
  /**
   * What goes before the data of a chunk of so many bytes. The length must not be 0: that would end the content.
   *
   * @since 0.1.0
   * @category requests
   */
  chunkHead,
  /**
   * A chunk in one piece; nothing for no data.
   *
   * @since 0.1.0
   * @category requests
   */
  encodeChunk,
  /**
   * The last chunk, the trailers and the end of the message; or what is wrong with a trailer.
   *
   * @since 0.1.0
   * @category requests
   */
  encodeLastChunk
} from "./ChunkedEncoder.js"
export {
  /**
   * 64 KiB and 256 fields for a response head, 16 KiB of trailers, 4 KiB of extensions a chunk, 16 informational responses.
   *
   * @since 0.1.0
   * @category limits
   */
  defaultParserLimits
} from "./ParserLimits.js"
export type {
  /**
   * How much of a response other than its content is accepted.
   *
   * @since 0.1.0
   * @category limits
   */
  ParserLimits
} from "./ParserLimits.js"
export {
  /**
   * The beginning of what was received, in double quotes: printable ASCII, all else escaped, so that it is safe in a log.
   *
   * @since 0.1.0
   * @category errors
   */
  quoteStart
} from "./ProtocolError.js"
export type {
  /**
   * What a peer, or our own caller, did that HTTP/1.1 does not allow, and where it says so. A value, not an exception.
   *
   * @since 0.1.0
   * @category errors
   */
  ProtocolError,
  /**
   * Every way to break the protocol that is distinguished.
   *
   * @since 0.1.0
   * @category errors
   */
  ProtocolErrorCode
} from "./ProtocolError.js"
export {
  /**
   * Framing for content of a length that is not known yet.
   *
   * @since 0.1.0
   * @category requests
   */
  chunked,
  /**
   * The options of a Connection field, in lower case. One that says `close` needs `keepAlive: false`.
   *
   * @since 0.1.0
   * @category requests
   */
  connectionOptions,
  /**
   * Framing for content of so many bytes.
   *
   * @since 0.1.0
   * @category requests
   */
  contentLength,
  /**
   * The request head, from the request line to the empty line, one character an octet; or what is wrong with it, and
   * then nothing may be written.
   *
   * @since 0.1.0
   * @category requests
   */
  encodeHead,
  /**
   * Framing for a request without content.
   *
   * @since 0.1.0
   * @category requests
   */
  noContent
} from "./RequestEncoder.js"
export type {
  /**
   * How a request's content is delimited.
   *
   * @since 0.1.0
   * @category requests
   */
  Framing,
  /**
   * What `encodeHead` needs to know.
   *
   * @since 0.1.0
   * @category requests
   */
  RequestHead
} from "./RequestEncoder.js"
export {
  /**
   * `http://host/path?query`, for a proxy (RFC 9112 §3.2.2).
   *
   * @since 0.1.0
   * @category targets
   */
  absoluteForm,
  /**
   * `*`, for an OPTIONS that means the server as a whole (RFC 9112 §3.2.4).
   *
   * @since 0.1.0
   * @category targets
   */
  asteriskForm,
  /**
   * `host:port`, for CONNECT (RFC 9112 §3.2.3).
   *
   * @since 0.1.0
   * @category targets
   */
  authorityForm,
  /**
   * What is wrong with a request target for this method, if anything is.
   *
   * @since 0.1.0
   * @category targets
   */
  checkTarget,
  /**
   * `/path?query`, for the server itself (RFC 9112 §3.2.1).
   *
   * @since 0.1.0
   * @category targets
   */
  originForm
} from "./RequestTarget.js"
export type {
  /**
   * What a request target is made of; a `URL` is one.
   *
   * @since 0.1.0
   * @category targets
   */
  TargetUrl
} from "./RequestTarget.js"
export type {
  /**
   * The response head: status, version and framing, and a lazy view of the rest.
   *
   * @since 0.1.0
   * @category responses
   */
  ResponseHead
} from "./ResponseHead.js"
export type {
  /**
   * Why `ResponseParser.execute` did not take all of its input.
   *
   * @since 0.1.0
   * @category responses
   */
  ParseOutcome,
  /**
   * Where a parser is in an exchange.
   *
   * @since 0.1.0
   * @category responses
   */
  ParserState,
  /**
   * What a response is made of, reported in order and at once.
   *
   * @since 0.1.0
   * @category responses
   */
  ResponseHandler,
  /**
   * The limits, and how bytes become text.
   *
   * @since 0.1.0
   * @category responses
   */
  ResponseParserOptions
} from "./ResponseParser.js"
export {
  /**
   * Turns the bytes of one connection into the responses they hold, one for each request announced to it.
   *
   * @since 0.1.0
   * @category responses
   */
  ResponseParser
} from "./ResponseParser.js"
