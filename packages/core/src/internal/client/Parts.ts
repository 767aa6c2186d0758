/**
 * What has arrived of a body. Most bodies are one part, which is kept without an array around it.
 */
export class Parts {
  /** In bytes. */
  size = 0
  private first: Uint8Array | undefined = undefined
  private rest: Array<Uint8Array> | undefined = undefined

  get isEmpty(): boolean {
    return this.first === undefined
  }

  add(bytes: Uint8Array): void {
    this.size += bytes.length
    if (this.first === undefined) this.first = bytes
    else if (this.rest === undefined) this.rest = [bytes]
    else this.rest.push(bytes)
  }

  clear(): void {
    this.size = 0
    this.first = undefined
    this.rest = undefined
  }

  toArray(): ReadonlyArray<Uint8Array> {
    return this.first === undefined ? [] : this.rest === undefined ? [this.first] : [this.first, ...this.rest]
  }

  /** All of it in one piece, which is kept in place of the parts. */
  join(): Uint8Array {
    if (this.rest !== undefined) {
      const joined = new Uint8Array(this.size)
      let offset = 0
      for (const part of this.toArray()) {
        joined.set(part, offset)
        offset += part.length
      }
      this.first = joined
      this.rest = undefined
    }
    return this.first ?? new Uint8Array(0)
  }
}
