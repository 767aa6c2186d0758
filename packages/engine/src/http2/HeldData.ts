/** Blocks grow with what is held, up to this size: a step of a reader for each costs more than the copy. */
const largestBlock = 64 * 1024

/** Content in the order in which it came, copied into few blocks. */
export class HeldData {
  private readonly chunks: Array<Uint8Array> = []
  /** How much of the last chunk is filled; the others are full. */
  private filled = 0
  size = 0

  /** @param leastBlock the size of the smallest block, for peers that send a byte at a time */
  constructor(private readonly allocate: (size: number) => Uint8Array, private readonly leastBlock: number) {}

  add(bytes: Uint8Array, start: number, end: number): void {
    let from = start
    while (from < end) {
      const last = this.room(end - from)
      const stop = Math.min(end, from + last.length - this.filled)
      last.set(bytes.subarray(from, stop), this.filled)
      this.filled += stop - from
      this.size += stop - from
      from = stop
    }
  }

  /** The bytes are nobody else's. */
  addOwned(bytes: Uint8Array): void {
    if (bytes.length < this.leastBlock / 4) return this.add(bytes, 0, bytes.length)
    const last = this.chunks.length - 1
    if (last >= 0) this.chunks[last] = this.chunks[last].subarray(0, this.filled)
    this.chunks.push(bytes)
    this.filled = bytes.length
    this.size += bytes.length
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
    const block = this.allocate(Math.max(wanted, this.leastBlock, Math.min(largestBlock, this.size)))
    chunks.push(block)
    this.filled = 0
    return block
  }
}
