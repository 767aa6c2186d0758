import type { ByteSink } from "./ByteSink.js"
import * as FrameType from "./FrameType.js"

const { frameHeadBytes } = FrameType

/** What a client sends first: RFC 9113 §3.4. */
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

const putUint32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Puts a frame's head at `bytes[at, at + 9)`. */
export const putFrameHead = (
  bytes: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number
): void => {
  bytes[at] = length >>> 16
  bytes[at + 1] = length >>> 8
  bytes[at + 2] = length
  bytes[at + 3] = type
  bytes[at + 4] = flags
  putUint32(bytes, at + 5, streamId)
}

/** Makes room for a whole frame, for which `sink.bytes` may be replaced; writes its head, and returns where its payload goes. */
const beginFrame = (sink: ByteSink, length: number, type: number, flags: number, streamId: number): number => {
  sink.ensure(frameHeadBytes + length)
  const at = sink.end
  putFrameHead(sink.bytes, at, length, type, flags, streamId)
  sink.end = at + frameHeadBytes + length
  return at + frameHeadBytes
}

const putLatin1 = (bytes: Uint8Array, at: number, text: string): void => {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
}

/** The octets before the first frame. */
export const writePreface = (sink: ByteSink): void => {
  sink.ensure(preface.length)
  putLatin1(sink.bytes, sink.end, preface)
  sink.end += preface.length
}

/** `entries`: identifier, value, identifier, value … */
export const writeSettings = (sink: ByteSink, entries: ReadonlyArray<number>): void => {
  let at = beginFrame(sink, entries.length * 3, FrameType.SETTINGS, 0, 0)
  for (let i = 0; i < entries.length; i += 2) {
    sink.bytes[at] = entries[i] >>> 8
    sink.bytes[at + 1] = entries[i]
    putUint32(sink.bytes, at + 2, entries[i + 1])
    at += 6
  }
}

export const writeSettingsAck = (sink: ByteSink): void => {
  beginFrame(sink, 0, FrameType.SETTINGS, FrameType.ACK, 0)
}

/** The eight octets as two unsigned numbers, as the reader gives them. */
export const writePing = (sink: ByteSink, ack: boolean, high: number, low: number): void => {
  const at = beginFrame(sink, 8, FrameType.PING, ack ? FrameType.ACK : 0, 0)
  putUint32(sink.bytes, at, high)
  putUint32(sink.bytes, at + 4, low)
}

/** `debug`: one character an octet; as much of it as one frame of any peer may hold. */
export const writeGoAway = (sink: ByteSink, lastStreamId: number, errorCode: number, debug: string): void => {
  const text = debug.slice(0, maxDebugBytes)
  const at = beginFrame(sink, 8 + text.length, FrameType.GOAWAY, 0, 0)
  putUint32(sink.bytes, at, lastStreamId)
  putUint32(sink.bytes, at + 4, errorCode)
  putLatin1(sink.bytes, at + 8, text)
}

/** Debug data is for logs; the rest of it would be of no use there. */
const maxDebugBytes = 1024

export const writeWindowUpdate = (sink: ByteSink, streamId: number, increment: number): void => {
  const at = beginFrame(sink, 4, FrameType.WINDOW_UPDATE, 0, streamId)
  putUint32(sink.bytes, at, increment)
}

export const writeRstStream = (sink: ByteSink, streamId: number, errorCode: number): void => {
  const at = beginFrame(sink, 4, FrameType.RST_STREAM, 0, streamId)
  putUint32(sink.bytes, at, errorCode)
}

/** The head of a DATA frame; its payload of `length` octets is to follow. */
export const writeDataHead = (sink: ByteSink, streamId: number, length: number, endStream: boolean): void => {
  sink.ensure(frameHeadBytes)
  putFrameHead(sink.bytes, sink.end, length, FrameType.DATA, endStream ? FrameType.END_STREAM : 0, streamId)
  sink.end += frameHeadBytes
}
