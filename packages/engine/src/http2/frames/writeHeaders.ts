import type { HpackEncoder } from "../hpack/HpackEncoder.js"
import { blockBound } from "../hpack/HpackEncoder.js"
import type { ByteSink } from "./ByteSink.js"
import * as FrameType from "./FrameType.js"
import { putFrameHead } from "./FrameWriter.js"

const { frameHeadBytes } = FrameType

/**
 * Encodes `fields` and writes them as HEADERS and, if they are too long for one frame of the peer, CONTINUATION. Returns
 * false if a character of them is no octet; then nothing was written and the encoder is as it was.
 */
export const writeHeaders = (
  sink: ByteSink,
  encoder: HpackEncoder,
  streamId: number,
  fields: ReadonlyArray<string>,
  endStream: boolean,
  maxFrameSize: number
): boolean => {
  // All room is made now, so that nothing moves between the frame's head and its block.
  const most = blockBound(fields)
  sink.ensure(most + frameHeadBytes * (Math.ceil(most / maxFrameSize) + 1))
  const head = sink.end
  sink.end = head + frameHeadBytes
  if (!encoder.encode(sink, fields)) {
    sink.end = head
    return false
  }
  const flags = endStream ? FrameType.END_STREAM : 0
  const length = sink.end - head - frameHeadBytes
  if (length <= maxFrameSize) {
    putFrameHead(sink.bytes, head, length, FrameType.HEADERS, flags | FrameType.END_HEADERS, streamId)
  } else {
    putFrameHead(sink.bytes, head, maxFrameSize, FrameType.HEADERS, flags, streamId)
    splitBlock(sink, head + frameHeadBytes, length, streamId, maxFrameSize)
  }
  return true
}

/** Makes room in the block at `start` for the heads of its CONTINUATIONs, from the last to the first. */
const splitBlock = (sink: ByteSink, start: number, length: number, streamId: number, maxFrameSize: number): void => {
  const continuations = Math.ceil(length / maxFrameSize) - 1
  const end = start + length
  for (let n = continuations; n > 0; n--) {
    const from = start + n * maxFrameSize
    const to = Math.min(end, from + maxFrameSize)
    const at = from + n * frameHeadBytes
    sink.bytes.copyWithin(at, from, to)
    const flags = n === continuations ? FrameType.END_HEADERS : 0
    putFrameHead(sink.bytes, at - frameHeadBytes, to - from, FrameType.CONTINUATION, flags, streamId)
  }
  sink.end = end + continuations * frameHeadBytes
}
