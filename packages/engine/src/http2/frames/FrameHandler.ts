import type { ProtocolError } from "../ProtocolError.js"

/**
 * What a connection receives, in order and at once, from within `FrameReader.execute`. Sizes, flags, padding and stream
 * identifiers are checked; whether a stream may receive the frame, and what settings and increments mean, is for the
 * connection to decide. Ranges of octets are valid only during the call.
 */
export interface FrameHandler {
  /** A DATA frame begins. `flowLength` counts its padding too: it is what flow control takes (RFC 9113 §6.9.1). */
  onDataHead(streamId: number, flowLength: number, endStream: boolean): void
  /** Content of the DATA frame that began last, as it arrives; never empty, never padding. */
  onDataBytes(bytes: Uint8Array, start: number, end: number): void
  /** The DATA frame is complete; END_STREAM takes effect. */
  onDataEnd(): void
  /** A whole header block: HEADERS with its CONTINUATIONs, without padding and priority. */
  onHeaders(streamId: number, endStream: boolean, bytes: Uint8Array, start: number, end: number): void
  onRstStream(streamId: number, errorCode: number): void
  /** Identifier, value, identifier, value …, in the order received. */
  onSettings(entries: ReadonlyArray<number>): void
  onSettingsAck(): void
  /** The eight octets as two unsigned numbers. */
  onPing(high: number, low: number): void
  onPingAck(high: number, low: number): void
  /** The range is the debug data. */
  onGoAway(lastStreamId: number, errorCode: number, bytes: Uint8Array, start: number, end: number): void
  /** An increment of 0 is reported too: whether it ends the stream or the connection depends on the stream. */
  onWindowUpdate(streamId: number, increment: number): void
  /** PRIORITY, or a type that is unknown here: nothing to do but to count them. */
  onIgnored(streamId: number, type: number): void
  /** A frame that is wrong in a way that ends its stream only. */
  onStreamError(streamId: number, error: ProtocolError): void
  /** Input ended within the header block of this stream. */
  onProgress(streamId: number): void
}
