/** A peer that sends a byte at a time fills blocks of this size, rather than an array for each byte. */
const blockSize = 16 * 1024

/** Content that has come while its reader takes none. */
export class HeldData {
  private readonly chunks: Array<Uint8Array> = []
  /** How much of the last chunk is filled; the others are full. */
  private filled = 0
  size = 0

  constructor(private readonly allocate: (size: number) => Uint8Array) {}

  add(bytes: Uint8Array, start: number, end: number): void {
    this.size += end - start
    let from = start
    while (from < end) {
      const last = this.room(end - from)
      const stop = Math.min(end, from + last.length - this.filled)
      last.set(bytes.subarray(from, stop), this.filled)
      this.filled += stop - from
      from = stop
    }
  }

  /** The oldest chunk. */
  shift(): Uint8Array | undefined {
    const first = this.chunks.shift()
    if (first === undefined) return undefined
    const taken = this.chunks.length === 0 ? first.subarray(0, this.filled) : first
    if (this.chunks.length === 0) this.filled = 0
    this.size -= taken.length
    return taken
  }

  private room(wanted: number): Uint8Array {
    const { chunks } = this
    if (chunks.length > 0 && this.filled < chunks[chunks.length - 1].length) return chunks[chunks.length - 1]
    const block = this.allocate(Math.max(wanted, blockSize))
    chunks.push(block)
    this.filled = 0
    return block
  }
}
