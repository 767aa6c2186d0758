/**
 * The HTTP/1.1 engine, for authors of a driver: bytes in, events out; requests out as text. It does no I/O, keeps no
 * time, depends on no runtime and throws nothing. Applications have no use for it.
 *
 * @since 0.1.0
 */
export {
  /**
   * @since 0.1.0
   * @category requests
   */
  chunkEnd,
  /**
   * @since 0.1.0
   * @category requests
   */
  chunkHead,
  /**
   * @since 0.1.0
   * @category requests
   */
  encodeChunk,
  /**
   * @since 0.1.0
   * @category requests
   */
  encodeLastChunk
} from "./internal/http1/ChunkedEncoder.js"
export type {
  /**
   * @since 0.1.0
   * @category limits
   */
  ParserLimits
} from "./internal/http1/ParserLimits.js"
export {
  /**
   * @since 0.1.0
   * @category limits
   */
  defaultParserLimits
} from "./internal/http1/ParserLimits.js"
export type {
  /**
   * @since 0.1.0
   * @category errors
   */
  ProtocolViolation,
  /**
   * @since 0.1.0
   * @category errors
   */
  ViolationCode
} from "./internal/http1/ProtocolViolation.js"
export type {
  /**
   * @since 0.1.0
   * @category requests
   */
  Framing,
  /**
   * @since 0.1.0
   * @category requests
   */
  RequestHead
} from "./internal/http1/RequestEncoder.js"
export {
  /**
   * @since 0.1.0
   * @category requests
   */
  chunked,
  /**
   * @since 0.1.0
   * @category requests
   */
  connectionOptions,
  /**
   * @since 0.1.0
   * @category requests
   */
  contentLength,
  /**
   * @since 0.1.0
   * @category requests
   */
  encodeHead,
  /**
   * @since 0.1.0
   * @category requests
   */
  noContent
} from "./internal/http1/RequestEncoder.js"
export type {
  /**
   * @since 0.1.0
   * @category targets
   */
  TargetUrl
} from "./internal/http1/RequestTarget.js"
export {
  /**
   * @since 0.1.0
   * @category targets
   */
  absoluteForm,
  /**
   * @since 0.1.0
   * @category targets
   */
  asteriskForm,
  /**
   * @since 0.1.0
   * @category targets
   */
  authorityForm,
  /**
   * @since 0.1.0
   * @category targets
   */
  originForm
} from "./internal/http1/RequestTarget.js"
export type {
  /**
   * @since 0.1.0
   * @category responses
   */
  ResponseHead
} from "./internal/http1/ResponseHead.js"
export type {
  /**
   * @since 0.1.0
   * @category responses
   */
  ParseOutcome,
  /**
   * @since 0.1.0
   * @category responses
   */
  ParserState,
  /**
   * @since 0.1.0
   * @category responses
   */
  ResponseHandler,
  /**
   * @since 0.1.0
   * @category responses
   */
  ResponseParserOptions
} from "./internal/http1/ResponseParser.js"
export {
  /**
   * @since 0.1.0
   * @category responses
   */
  ResponseParser
} from "./internal/http1/ResponseParser.js"
