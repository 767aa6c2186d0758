/**
 * How much of a response other than its content is accepted, by size: no count of fields or of interim responses says
 * anything about what they cost. Passing a limit is a `ProtocolError` that names it. Neither bounds content: that is
 * `maxResponseSize`, which belongs to the driver, as does the time for the whole head.
 */
export interface ParserLimits {
  /**
   * A header section in bytes: the head of a response, from the first of the status line to the last of the empty line, and
   * its trailers, from after the last chunk. It holds for each interim (1xx) response by itself.
   */
  readonly maxHeaderSize: number
  /** All interim responses before one final response together, in bytes; 101 is final. */
  readonly maxInformationalSize: number
}

export const defaultParserLimits: ParserLimits = {
  maxHeaderSize: 256 * 1024,
  maxInformationalSize: 256 * 1024
}
