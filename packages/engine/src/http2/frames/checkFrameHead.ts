import { ErrorCode } from "../ErrorCode.js"
import type { ProtocolError } from "../ProtocolError.js"
import { connectionError } from "../ProtocolError.js"
import * as FrameType from "./FrameType.js"

const wrongSize = (type: number, length: number, section: string, due: string): ProtocolError =>
  connectionError(
    "InvalidFrameSize",
    ErrorCode.FRAME_SIZE_ERROR,
    `${FrameType.frameTypeName(type)} has a payload of ${length} octets; it has ${due}`,
    section
  )

const wrongStream = (type: number, streamId: number, section: string): ProtocolError =>
  connectionError(
    "InvalidStreamId",
    ErrorCode.PROTOCOL_ERROR,
    streamId === 0
      ? `${FrameType.frameTypeName(type)} on stream 0`
      : `${FrameType.frameTypeName(type)} on stream ${streamId}, which does not exist here`,
    section
  )

/** Even identifiers are a server's own streams, which it could open by a push only; and that is turned off. */
const ofRequest = (type: number, streamId: number, section: string): ProtocolError | undefined =>
  streamId % 2 === 1 ? undefined : wrongStream(type, streamId, section)

const ofConnection = (type: number, streamId: number, section: string): ProtocolError | undefined =>
  streamId === 0 ? undefined : wrongStream(type, streamId, section)

/**
 * What is wrong with a frame by its head alone. A wrong PRIORITY is not among it, for it is a matter of its stream; the
 * order of frames (preface, CONTINUATION) is the reader's.
 */
export const checkFrameHead = (
  type: number,
  length: number,
  flags: number,
  streamId: number,
  maxFrameSize: number
): ProtocolError | undefined => {
  if (length > maxFrameSize) return wrongSize(type, length, "RFC 9113 §4.2", `${maxFrameSize} at most`)
  switch (type) {
    case FrameType.DATA:
      return ofRequest(type, streamId, "RFC 9113 §6.1") ?? checkFixed(type, length, flags, "RFC 9113 §6.1")
    case FrameType.HEADERS:
      return ofRequest(type, streamId, "RFC 9113 §6.2") ?? checkFixed(type, length, flags, "RFC 9113 §6.2")
    case FrameType.PRIORITY:
      return streamId === 0 ? wrongStream(type, streamId, "RFC 9113 §6.3") : undefined
    case FrameType.RST_STREAM:
      return ofRequest(type, streamId, "RFC 9113 §6.4") ??
        (length === 4 ? undefined : wrongSize(type, length, "RFC 9113 §6.4", "4"))
    case FrameType.SETTINGS:
      return ofConnection(type, streamId, "RFC 9113 §6.5") ?? checkSettings(length, flags)
    case FrameType.PUSH_PROMISE:
      return connectionError(
        "UnexpectedPush",
        ErrorCode.PROTOCOL_ERROR,
        `PUSH_PROMISE on stream ${streamId}, although SETTINGS_ENABLE_PUSH is 0`,
        "RFC 9113 §6.6"
      )
    case FrameType.PING:
      return ofConnection(type, streamId, "RFC 9113 §6.7") ??
        (length === 8 ? undefined : wrongSize(type, length, "RFC 9113 §6.7", "8"))
    case FrameType.GOAWAY:
      return ofConnection(type, streamId, "RFC 9113 §6.8") ??
        (length >= 8 ? undefined : wrongSize(type, length, "RFC 9113 §6.8", "8 at least"))
    case FrameType.WINDOW_UPDATE:
      return (streamId === 0 ? undefined : ofRequest(type, streamId, "RFC 9113 §6.9")) ??
        (length === 4 ? undefined : wrongSize(type, length, "RFC 9113 §6.9", "4"))
    default:
      return undefined
  }
}

const checkSettings = (length: number, flags: number): ProtocolError | undefined =>
  (flags & FrameType.ACK) !== 0
    ? length === 0 ? undefined : wrongSize(FrameType.SETTINGS, length, "RFC 9113 §6.5", "0 in an ACK")
    : length % 6 === 0
    ? undefined
    : wrongSize(FrameType.SETTINGS, length, "RFC 9113 §6.5", "a multiple of 6")

/** DATA and HEADERS: whether the payload has room for what the flags announce. */
const checkFixed = (type: number, length: number, flags: number, section: string): ProtocolError | undefined => {
  const fixed = ((flags & FrameType.PADDED) !== 0 ? 1 : 0) +
    (type === FrameType.HEADERS && (flags & FrameType.PRIORITY_FIELDS) !== 0 ? 5 : 0)
  return length >= fixed ? undefined : wrongSize(type, length, section, `${fixed} at least by its flags`)
}
