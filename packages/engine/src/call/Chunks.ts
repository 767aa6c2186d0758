/** Chunks smaller than this that wait are joined: an object for each costs more than the copy. */
const smallChunk = 1024

/** What small chunks are joined in: the first block is of this size, and each further one of twice the size, up to… */
const firstBlock = 4 * 1024
const largestBlock = 64 * 1024

/**
 * What has arrived of a body and waits to be read. Most bodies are one chunk, which is kept without an array around it.
 */
export class Chunks {
  /** In bytes. */
  size = 0
  private first: Uint8Array | undefined = undefined
  private rest: Array<Uint8Array> | undefined = undefined
  /** Small chunks joined, after all others: those of a server that sends byte by byte. */
  private block: Uint8Array | undefined = undefined
  private blockSize = 0

  get isEmpty(): boolean {
    return this.first === undefined
  }

  add(bytes: Uint8Array): void {
    this.size += bytes.length
    if (this.first === undefined) this.first = bytes
    else if (bytes.length < smallChunk) this.addSmall(bytes)
    else {
      this.endBlock()
      this.append(bytes)
    }
  }

  clear(): void {
    this.size = 0
    this.first = undefined
    this.rest = undefined
    this.block = undefined
    this.blockSize = 0
  }

  toArray(): ReadonlyArray<Uint8Array> {
    this.endBlock()
    return this.first === undefined ? [] : this.rest === undefined ? [this.first] : [this.first, ...this.rest]
  }

  /** All of it in one piece, which is kept instead of the chunks. */
  join(): Uint8Array {
    this.endBlock()
    if (this.rest !== undefined) {
      const joined = new Uint8Array(this.size)
      let offset = 0
      for (const chunk of this.toArray()) {
        joined.set(chunk, offset)
        offset += chunk.length
      }
      this.first = joined
      this.rest = undefined
    }
    return this.first ?? new Uint8Array(0)
  }

  private append(bytes: Uint8Array): void {
    if (this.rest === undefined) this.rest = [bytes]
    else this.rest.push(bytes)
  }

  private addSmall(bytes: Uint8Array): void {
    if (this.block !== undefined && this.blockSize + bytes.length > this.block.length) {
      const size = Math.min(2 * this.block.length, largestBlock)
      this.endBlock()
      this.block = new Uint8Array(size)
    }
    const block = this.block ??= new Uint8Array(firstBlock)
    block.set(bytes, this.blockSize)
    this.blockSize += bytes.length
  }

  private endBlock(): void {
    if (this.block === undefined) return
    this.append(this.block.subarray(0, this.blockSize))
    this.block = undefined
    this.blockSize = 0
  }
}
