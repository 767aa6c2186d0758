/**
 * How much has been received and waits for its readers: over a connection, or over all connections of a pool. While it is
 * too much nothing grows, and new streams get a small window.
 */
export class BufferedBytes {
  held = 0

  /** @param limit in bytes; half of it may still be on its way when we say stop */
  constructor(readonly limit: number) {}

  get isCrowded(): boolean {
    return this.held >= this.limit / 2
  }

  /** Much less than where it becomes crowded, so that a connection does not change its settings all the time. */
  get isRelaxed(): boolean {
    return this.held <= this.limit / 8
  }
}
