/** What the next bytes are; `Foreign`: they are no zstd, and do not matter. */
type State = "Magic" | "SkippedSize" | "Descriptor" | "BlockHeader" | "Foreign"

/**
 * Follows the frames of zstd data (RFC 8878 §3.1) as it comes, without decoding it, to say whether it may end here: Node 22
 * takes data that ends too early for whole.
 */
export class ZstdFrames {
  private state: State = "Magic"
  /** Of what is read, and not passed over. */
  private held: Array<number> = []
  private wanted = 4
  private passed = 0
  private hasChecksum = false

  /** Whether the data is whole, if no more of it comes. */
  get isWhole(): boolean {
    return this.passed === 0 &&
      (this.state === "Foreign" || (this.state === "Magic" && (this.held.length === 0 || !mayBeMagic(this.held))))
  }

  feed(bytes: Uint8Array): this {
    let at = 0
    while (at < bytes.length && this.state !== "Foreign") {
      if (this.passed > 0) {
        const pass = Math.min(this.passed, bytes.length - at)
        this.passed -= pass
        at += pass
        continue
      }
      this.held.push(bytes[at++])
      if (this.held.length === this.wanted) this.step(this.held)
    }
    return this
  }

  private expect(state: State, wanted: number, pass = 0): void {
    this.state = state
    this.wanted = wanted
    this.passed = pass
    this.held = []
  }

  private step(read: ReadonlyArray<number>): void {
    const number = read.reduce((sum, byte, i) => sum + byte * 2 ** (8 * i), 0)
    switch (this.state) {
      case "Magic":
        return number === 0xfd2fb528
          ? this.expect("Descriptor", 1)
          : number >= 0x184d2a50 && number <= 0x184d2a5f
          ? this.expect("SkippedSize", 4)
          : this.expect("Foreign", 0)
      case "SkippedSize":
        return this.expect("Magic", 4, number)
      case "Descriptor": {
        const hasWindow = (number & 0x20) === 0
        this.hasChecksum = (number & 4) !== 0
        const dictionary = [0, 1, 2, 4][number & 3]
        const size = [hasWindow ? 0 : 1, 2, 4, 8][number >> 6]
        return this.expect("BlockHeader", 3, (hasWindow ? 1 : 0) + dictionary + size)
      }
      case "BlockHeader": {
        // A block of one byte repeated has that byte alone.
        const content = ((number >> 1) & 3) === 1 ? 1 : number >> 3
        return (number & 1) === 0
          ? this.expect("BlockHeader", 3, content)
          : this.expect("Magic", 4, content + (this.hasChecksum ? 4 : 0))
      }
    }
  }
}

/** Whether a frame may begin so, or one that is skipped. */
const mayBeMagic = ([first, ...rest]: ReadonlyArray<number>): boolean => {
  const others = first === 0x28 ? [0xb5, 0x2f, 0xfd] : first >>> 4 === 5 ? [0x2a, 0x4d, 0x18] : undefined
  return others !== undefined && rest.every((byte, i) => byte === others[i])
}
