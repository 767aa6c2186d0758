import { HeadScanner } from "./HeadScanner.js"
import { More } from "./Progress.js"

const nothing = new Uint8Array(0)

/** What heads in pieces are put together in. */
const heldBytes = 4096

/**
 * A reader is needed from the first byte of a block to its last. Nearly all blocks come in one piece, so that one reader
 * serves all connections in turn, and none of them holds one while it waits.
 */
let spare: BlockReader | undefined = undefined

export const borrow = (): BlockReader => {
  const reader = spare ?? new BlockReader()
  spare = undefined
  return reader
}

export const giveBack = (reader: BlockReader): void => {
  reader.release()
  spare = reader
}

/**
 * Reads a response head or a trailer section, in one piece straight from the input, or in several, which it keeps so that the
 * text is in one piece in the end.
 */
export class BlockReader {
  readonly scanner = new HeadScanner()
  /** The block so far, if it did not come in one piece, is `held[0, heldEnd)`. */
  private held: Uint8Array = nothing
  private heldEnd = 0
  /** The block just read. */
  private block: Uint8Array = nothing
  private blockStart = 0
  private blockEnd = 0

  /** Reads on in `bytes[start, end)`. Returns the index after the block, `More` or `Failed`. */
  read(bytes: Uint8Array, start: number, end: number): number {
    const held = this.heldEnd
    if (held === 0) {
      const after = this.scanner.scan(bytes, start, start, end)
      if (after === More) {
        this.hold(bytes, start, end)
      } else {
        this.block = bytes
        this.blockStart = start
        this.blockEnd = after
      }
      return after
    }
    this.hold(bytes, start, end)
    const after = this.scanner.scan(this.held, 0, held, this.heldEnd)
    if (after < 0) return after
    this.block = this.held
    this.blockStart = 0
    this.blockEnd = after
    return start + after - held
  }

  /** Of the block just read, in bytes. */
  get length(): number {
    return this.blockEnd - this.blockStart
  }

  /** The text of the block just read. */
  text(latin1: (bytes: Uint8Array, start: number, end: number) => string): string {
    return latin1(this.block, this.blockStart, this.blockEnd)
  }

  /** Lets go of the block and of the input. A buffer of the usual size costs more to make than a response head to parse. */
  release(): void {
    this.block = nothing
    if (this.held.length > heldBytes) this.held = nothing
    this.heldEnd = 0
  }

  private hold(bytes: Uint8Array, start: number, end: number): void {
    const length = this.heldEnd + end - start
    if (length > this.held.length) this.grow(length)
    this.held.set(bytes.subarray(start, end), this.heldEnd)
    this.heldEnd = length
  }

  private grow(length: number): void {
    const larger = new Uint8Array(Math.max(length, 2 * this.held.length, heldBytes))
    larger.set(this.held.subarray(0, this.heldEnd))
    this.held = larger
  }
}
