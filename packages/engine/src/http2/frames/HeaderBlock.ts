import { ErrorCode } from "../ErrorCode.js"
import type { ProtocolError } from "../ProtocolError.js"
import { compressionError, connectionError } from "../ProtocolError.js"
import { frameHeadBytes } from "./FrameType.js"

/**
 * CONTINUATION frames without content that one block may have. They are allowed, and a peer may need one to end a block,
 * but they cost us work and the sender nothing (CVE-2024-27316 and its kin). All other frames are bounded by their octets.
 */
const maxEmptyFrames = 16

const none = new Uint8Array(0)

/** Joins the fragments of a header block that has more than one frame: RFC 9113 §4.3. */
export class HeaderBlock {
  bytes: Uint8Array = none
  end = 0
  /** The stream whose block is incomplete; 0 while there is none. */
  streamId = 0
  endStream = false
  private octets = 0
  private emptyFrames = 0

  constructor(private readonly maxBytes: number) {}

  begin(streamId: number, endStream: boolean): void {
    this.streamId = streamId
    this.endStream = endStream
    this.end = 0
    this.octets = 0
    this.emptyFrames = 0
  }

  /** A frame with so much of the block is about to be read; it counts with its head, so that small ones are bounded too. */
  expect(length: number): ProtocolError | undefined {
    this.octets += frameHeadBytes + length
    if (this.octets > this.maxBytes + frameHeadBytes) {
      return compressionError(
        "HeaderBlockTooLarge",
        `The header block of stream ${this.streamId} takes more than ${this.maxBytes} octets, frame heads included`,
        "RFC 9113 §10.5.1"
      )
    }
    if (length > 0) return undefined
    this.emptyFrames++
    return this.emptyFrames <= maxEmptyFrames ? undefined : connectionError(
      "TooManyContinuations",
      ErrorCode.ENHANCE_YOUR_CALM,
      `The header block of stream ${this.streamId} has more than ${maxEmptyFrames} frames without content`,
      "RFC 9113 §10.5"
    )
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    const length = this.end + end - start
    if (length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.bytes.length))
      larger.set(this.bytes.subarray(0, this.end))
      this.bytes = larger
    }
    this.bytes.set(bytes.subarray(start, end), this.end)
    this.end = length
  }

  /** The block is complete. Its memory goes with it: most connections never have another one of several frames. */
  finish(): void {
    this.streamId = 0
    this.bytes = none
  }
}
