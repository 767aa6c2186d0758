/** Who waits for room. */
export interface Relief {
  readonly onRelief: () => void
}

/**
 * How much has been received and waits for its readers: over a connection, or over all connections of a pool. While it is
 * too much nothing grows, and new streams get a small window; at the limit nothing more is let through.
 */
export class BufferedBytes {
  held = 0
  private waiting: Set<Relief> | undefined = undefined

  /** @param limit in bytes; half of it may still be on its way when we say stop */
  constructor(readonly limit: number) {}

  get isCrowded(): boolean {
    return this.held >= this.limit / 2
  }

  /** Much less than where it becomes crowded, so that a connection does not change its settings all the time. */
  get isRelaxed(): boolean {
    return this.held <= this.limit / 8
  }

  get room(): number {
    return this.limit - this.held
  }

  add(bytes: number): void {
    this.held += bytes
  }

  remove(bytes: number): void {
    this.held -= bytes
    const { waiting } = this
    if (waiting === undefined) return
    this.waiting = undefined
    for (const each of waiting) each.onRelief()
  }

  /** Calls back once, when there is less. */
  onceLess(relief: Relief): void {
    ;(this.waiting ??= new Set()).add(relief)
  }
}
