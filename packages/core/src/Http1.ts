/**
 * The HTTP/1.1 engine, for authors of a driver: bytes in, events out; requests out as text. It does no I/O, keeps no
 * time, depends on no runtime and throws nothing. Applications have no use for it.
 *
 * @since 0.1.0
 */
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
