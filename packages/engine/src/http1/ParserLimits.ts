/**
 * How much of a response other than its content is accepted. Passing a limit is a `ProtocolError` that names it. None
 * of them bounds content: that is `maxResponseSize`, which belongs to the driver, as does the time for the whole response head.
 */
export interface ParserLimits {
  /**
   * The response head in bytes, from the first of the status line to the last of the empty line. It holds for each
   * informational (1xx) response by itself.
   */
  readonly maxHeaderBytes: number
  /** Header fields in one response head, and trailer fields in one trailer section. */
  readonly maxHeaders: number
  /** The trailer section in bytes, from after the last chunk to the last of the empty line. */
  readonly maxTrailerBytes: number
  /** The extensions of one chunk in bytes, from the first after its size up to its line end. */
  readonly maxChunkExtensionBytes: number
  /** Informational (1xx) responses before one final response; 101 is final. */
  readonly maxInformational: number
}

/** 64 KiB and 256 fields for a response head, 16 KiB of trailers, 4 KiB of extensions for a chunk, 16 informational responses. */
export const defaultParserLimits: ParserLimits = {
  maxHeaderBytes: 64 * 1024,
  maxHeaders: 256,
  maxTrailerBytes: 16 * 1024,
  maxChunkExtensionBytes: 4 * 1024,
  maxInformational: 16
}
