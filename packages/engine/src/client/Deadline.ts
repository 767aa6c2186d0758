/** When a call has to be over, with the bodies of its responses. */
export class Deadline {
  private readonly listeners = new Set<() => void>()

  /**
   * @param outer of the call that this one is a part of: no part ends later than the whole
   * @param start in nanoseconds of a monotonic clock, as `end`
   * @param yields whether the total of an origin bounds the requests to it as well, since nobody has said another one for
   *   this call
   * @param isOpen whether it may still be replaced
   */
  constructor(
    private readonly outer: Deadline | undefined,
    private readonly start: bigint,
    private ownMillis: number,
    readonly yields: boolean,
    private isOpen: boolean
  ) {}

  /** Neither it nor what it is a part of will be replaced. */
  get isFixed(): boolean {
    return !this.isOpen && this.outer?.isFixed !== false
  }

  /** Undefined for never. */
  get end(): bigint | undefined {
    return this.first.ownEnd
  }

  /** How long it gives, from its own beginning or that of the call around it. */
  get millis(): number {
    return this.first.ownMillis
  }

  private get first(): Deadline {
    const outer = this.outer?.first
    const end = outer?.ownEnd
    return outer === undefined || end === undefined || (this.ownEnd !== undefined && this.ownEnd < end) ? this : outer
  }

  private get ownEnd(): bigint | undefined {
    return this.ownMillis === Infinity ? undefined : this.start + BigInt(Math.ceil(this.ownMillis * 1e6))
  }

  /** It is known now what is called, and how long that may take from the beginning of the call, if it has its own time. */
  settle(millis: number | undefined): void {
    this.isOpen = false
    if (millis === undefined) return
    this.ownMillis = millis
    for (const listener of this.listeners) listener()
  }

  onReplaced(listener: () => void): () => void {
    this.listeners.add(listener)
    const remove = this.outer?.onReplaced(listener)
    return () => {
      this.listeners.delete(listener)
      remove?.()
    }
  }
}

/** How many milliseconds are left of a deadline. */
export const millisUntil = (deadline: Deadline | undefined, now: bigint): number => {
  const end = deadline?.end
  return end === undefined ? Infinity : Math.max(0, Number(end - now) / 1e6)
}
