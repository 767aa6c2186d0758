/** Latencies below this many microseconds have a count each; above it, 32 counts for each power of two. */
const exact = 64
const perOctave = 32

/**
 * Counts requests and their latencies for a fixed time. It allocates nothing while it runs, and costs each request two
 * readings of the clock, the same for every contender.
 */
export class Meter {
  count = 0
  private readonly counts = new Float64Array(exact + perOctave * 26)
  private readonly startedAt = performance.now()
  private readonly endsAt: number
  private readonly endsAtLast: number
  private last: number

  /**
   * @param duration in milliseconds
   * @param expected what every response has to be
   * @param atLeast go on after `duration`, four times as long at most, until there were so many requests
   */
  constructor(
    duration: number,
    private readonly expected: unknown = undefined,
    private readonly atLeast = 0
  ) {
    this.last = this.startedAt
    this.endsAt = this.startedAt + duration
    this.endsAtLast = this.startedAt + duration * 5
  }

  /** Whether another request is to be sent. */
  more(): boolean {
    return this.last < this.endsAt || (this.count < this.atLeast && this.last < this.endsAtLast)
  }

  begin(): number {
    return performance.now()
  }

  /** `response` is held against what was expected: whoever reads nothing would be fast. */
  end(begun: number, response: unknown): void {
    this.last = performance.now()
    this.count++
    this.counts[indexOf((this.last - begun) * 1000)]++
    if (this.expected !== undefined && response !== this.expected) {
      throw new Error(`expected the response ${String(this.expected)}, got ${String(response)}`)
    }
  }

  /** In milliseconds. */
  get elapsed(): number {
    return this.last - this.startedAt
  }

  /** In microseconds. */
  percentile(fraction: number): number {
    let rest = this.count * fraction
    for (let i = 0; i < this.counts.length; i++) {
      rest -= this.counts[i]
      if (rest <= 0) return valueOf(i)
    }
    return Infinity
  }
}

const indexOf = (micros: number): number => {
  if (micros < exact) return micros | 0
  const octave = 31 - Math.clz32(Math.min(micros, 2 ** 30))
  return exact + (octave - 6) * perOctave + ((micros / 2 ** octave - 1) * perOctave | 0)
}

const valueOf = (index: number): number => {
  if (index < exact) return index
  const octave = Math.floor((index - exact) / perOctave)
  return 2 ** (octave + 6) * (1 + (((index - exact) % perOctave) + 0.5) / perOctave)
}
