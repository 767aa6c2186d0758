/** A power of two. */
const remembered = 1024

/**
 * Which of the streams that are gone were not ended by the server's END_STREAM: reset by either side, or given up with a
 * GOAWAY. Frames for these may still come, and are absorbed; on others they are errors (RFC 9113 §5.1, "closed").
 *
 * The newest 1,024 numbers are remembered. What is older is given the benefit of the doubt.
 */
export class ClosedStreams {
  private ring: Uint32Array | undefined = undefined

  /** The stream was not ended by the server. */
  addReset(streamId: number): void {
    this.ring ??= new Uint32Array(remembered)
    this.ring[slotOf(streamId)] = streamId
  }

  /** Whether frames of this stream may still come. `newest` is the last number in use. */
  mayReceive(streamId: number, newest: number): boolean {
    // Two for each stream: the numbers are odd.
    if (newest - streamId >= 2 * remembered) return true
    return this.ring !== undefined && this.ring[slotOf(streamId)] === streamId
  }
}

const slotOf = (streamId: number): number => (streamId >>> 1) & (remembered - 1)
