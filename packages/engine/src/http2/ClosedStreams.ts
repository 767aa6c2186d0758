/** A power of two. */
const remembered = 1024

/**
 * Which of the streams that are gone were not ended by the server's END_STREAM: reset by either side, or abandoned with a
 * GOAWAY. Frames for these may still come, and are absorbed; on others they are errors (RFC 9113 §5.1, "closed"). Of
 * content no more can come than the stream's window let through before it ended.
 *
 * The newest 1,024 numbers are remembered. What is older is given the benefit of the doubt.
 */
export class ClosedStreams {
  private ids: Uint32Array | undefined = undefined
  private windows: Int32Array | undefined = undefined

  /** The stream was not ended by the server, which may still send so many bytes of content. */
  addReset(streamId: number, window: number): void {
    const slot = slotOf(streamId)
    this.ids ??= new Uint32Array(remembered)
    this.windows ??= new Int32Array(remembered)
    this.ids[slot] = streamId
    this.windows[slot] = window
  }

  /** Whether frames of this stream may still come. `newest` is the last number in use. */
  mayReceive(streamId: number, newest: number): boolean {
    return isForgotten(streamId, newest) || this.ids?.[slotOf(streamId)] === streamId
  }

  /** Content of a stream that may still receive has come. Whether it could: `undefined` if nobody remembers. */
  absorb(streamId: number, bytes: number, newest: number): boolean | undefined {
    const slot = slotOf(streamId)
    if (isForgotten(streamId, newest) || this.windows === undefined) return undefined
    return (this.windows[slot] -= bytes) >= 0
  }
}

/** The numbers are odd: two for each stream. */
const isForgotten = (streamId: number, newest: number): boolean => newest - streamId >= 2 * remembered

const slotOf = (streamId: number): number => (streamId >>> 1) & (remembered - 1)
