/** An address of a host, as text without brackets; or the path of a Unix socket. */
export interface Address {
  readonly address: string
  readonly family: 4 | 6 | "unix"
  /** Where it is not that of the URL. */
  readonly port?: number | undefined
}

/** One try to connect to one address. */
export interface Attempt<Cause> {
  readonly address: Address
  /** Milliseconds after the start of the first one. */
  readonly startedAfter: number
  /** Undefined while it is under way. */
  readonly failure: Cause | undefined
}

/** How long an attempt is alone before the next one starts beside it, in milliseconds (RFC 8305 §5). */
export const attemptDelay = 250

/**
 * The families in turn, beginning with that of the first address, each in the order given (RFC 8305 §4). The same address
 * twice is one address.
 */
export const interleave = (addresses: ReadonlyArray<Address>): ReadonlyArray<Address> => {
  const distinct = [...new Map(addresses.map((each) => [`${each.address} ${each.port}`, each])).values()]
  const first = distinct[0]?.family
  const same = distinct.filter(({ family }) => family === first)
  const other = distinct.filter(({ family }) => family !== first)
  const longest = Math.max(same.length, other.length)
  return Array.from({ length: longest }, (_, n) => [same[n], other[n]]).flat().filter((each) => each !== undefined)
}

/**
 * Which address is tried when: Happy Eyeballs (RFC 8305 §5). The next one starts when the last one has been under way for
 * `attemptDelay`, or at once when one has failed. None is abandoned because another one has started; the first that
 * connects wins.
 */
export class AddressRace<Cause> {
  private readonly tried: Array<{ address: Address; startedAfter: number; failure: Cause | undefined }> = []
  private readonly order: ReadonlyArray<Address>
  private startedAt = 0

  constructor(addresses: ReadonlyArray<Address>) {
    this.order = interleave(addresses)
  }

  /** Those that were begun, in that order. */
  get attempts(): ReadonlyArray<Attempt<Cause>> {
    return this.tried
  }

  /** Whether there is an address that has not been tried: then `start` is due again after `attemptDelay`. */
  get hasMore(): boolean {
    return this.tried.length < this.order.length
  }

  /** All addresses were tried, and each has failed. */
  get isLost(): boolean {
    return !this.hasMore && this.tried.every(({ failure }) => failure !== undefined)
  }

  /** The address to try now. Called for the first one, when a delay has passed, and when an attempt has failed. */
  start(now: number): Address | undefined {
    if (!this.hasMore) return undefined
    if (this.tried.length === 0) this.startedAt = now
    const address = this.order[this.tried.length]
    this.tried.push({ address, startedAfter: now - this.startedAt, failure: undefined })
    return address
  }

  /** An attempt has failed. */
  failed(address: Address, failure: Cause): void {
    for (const attempt of this.tried) if (attempt.address === address) attempt.failure = failure
  }
}
