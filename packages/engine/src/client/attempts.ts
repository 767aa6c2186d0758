/** An attempt, and how it ended. */
export interface Attempt {
  /** When it began and ended, in milliseconds since the epoch. */
  readonly startedAt: number
  readonly endedAt: number
  /** The status of its response, or the tag of its error. */
  readonly outcome: number | string
}

/** The attempts of one call. */
export class AttemptLog {
  readonly ended: Array<Attempt> = []
  /** When the attempt began that is under way. */
  private startedAt: number | undefined = undefined

  begin(startedAt: number): void {
    this.startedAt = startedAt
  }

  /** The attempt is over. */
  leave(): void {
    this.startedAt = undefined
  }

  end(startedAt: number, endedAt: number, outcome: Attempt["outcome"]): void {
    this.ended.push({ startedAt, endedAt, outcome })
  }

  get last(): Attempt {
    return this.ended[this.ended.length - 1]
  }

  /** All of them, when something else ends the call than they do. */
  soFar(endedAt: number): ReadonlyArray<Attempt> {
    const { ended, startedAt } = this
    return startedAt === undefined ? ended : [...ended, { startedAt, endedAt, outcome: "TotalTimeout" }]
  }
}

/** So many are shown of those that were last. */
const shown = 10

/** `tried 2 times: 503 (0 to 12 ms), ReadError (112 to 340 ms)`: from the beginning of the first. */
export const describeAttempts = (attempts: ReadonlyArray<Attempt>): string => {
  const [{ startedAt: begun }] = attempts
  const last = attempts.slice(-shown).map(({ endedAt, outcome, startedAt }) =>
    `${outcome} (${startedAt - begun} to ${endedAt - begun} ms)`
  )
  return `tried ${attempts.length} times: ${attempts.length > shown ? "…, " : ""}${last.join(", ")}`
}

/** An error of the transport says what was tried, however it is printed. */
export const noteOnError = (error: Error, attempts: ReadonlyArray<Attempt>): void => {
  const { message: alone, stack = "" } = error
  const message = `${alone}; ${describeAttempts(attempts)}`
  Object.defineProperties(error, {
    attempts: { value: attempts, enumerable: true, configurable: true },
    message: { value: message, configurable: true, writable: true },
    stack: { value: stack.replace(alone, () => message), configurable: true, writable: true }
  })
}
