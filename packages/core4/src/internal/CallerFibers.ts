import type { Cancel } from "@sluice/engine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { live } from "./liveClock.js"

type CallerFiber = Fiber.Fiber<unknown, unknown>

/** How long code of callers may go on when it was interrupted, in milliseconds of real time. */
const grace = 1000

/** How many requests a warning names. */
const namedCallers = 5

/**
 * The fibers of a pool that run what callers wrote, a stream that is sent, its finalizer, and for whom. One that is
 * interrupted gets a moment of real time, whatever clock the pool has. It may never end, for an interrupt does not reach
 * everything: then the pool lets go of it and says so, and nothing in the pool grows by it.
 */
export class CallerFibers {
  private readonly all = new Map<CallerFiber, string>()
  /** Those that were interrupted since the sleep began, and before. */
  private interrupted = new Set<CallerFiber>()
  private overdue = new Set<CallerFiber>()
  private cancelSleep: Cancel | undefined = undefined
  private isClosed = false
  private left = 0
  private nextWarning = 1

  constructor(
    /** On real time, and without keeping the process alive. */
    private readonly sleep: (millis: number, wake: () => void) => Cancel,
    private readonly warn: (warning: string) => void
  ) {}

  /** Keeps a fiber until it ends; what is returned interrupts it. */
  track(fiber: CallerFiber, of: string): Cancel {
    this.all.set(fiber, of)
    fiber.addObserver(() => this.ended(fiber))
    return () => {
      fiber.interruptUnsafe()
      if (this.isClosed || !this.all.has(fiber)) return
      this.interrupted.add(fiber)
      this.cancelSleep ??= this.sleep(grace, this.onGraceOver)
    }
  }

  get size(): number {
    return this.all.size
  }

  /** Interrupts all of them and waits for them, for so long as each may take. */
  readonly leave = Effect.suspend(() => {
    this.isClosed = true
    this.stopSleeping()
    if (this.all.size === 0) return Effect.void
    for (const fiber of this.all.keys()) fiber.interruptUnsafe()
    const ended = Effect.raceFirst(
      Effect.interruptible(Fiber.awaitAll([...this.all.keys()])),
      Effect.interruptible(live.sleep(Duration.millis(grace)))
    )
    return Effect.andThen(
      ended,
      Effect.suspend(() => {
        const left = [...this.all.values()]
        this.all.clear()
        return left.length === 0 ? Effect.void : Effect.logWarning(`The pool is closed, and ${describe(left)}`)
      })
    )
  })

  private ended(fiber: CallerFiber): void {
    this.all.delete(fiber)
    if (!this.interrupted.delete(fiber) && !this.overdue.delete(fiber)) return
    if (this.interrupted.size + this.overdue.size === 0) this.stopSleeping()
  }

  private stopSleeping(): void {
    this.cancelSleep?.()
    this.cancelSleep = undefined
  }

  private readonly onGraceOver = (): void => {
    const left = [...this.overdue].map((fiber) => this.all.get(fiber) ?? "")
    for (const fiber of this.overdue) this.all.delete(fiber)
    this.overdue = this.interrupted
    this.interrupted = new Set()
    this.cancelSleep = this.overdue.size > 0 ? this.sleep(grace, this.onGraceOver) : undefined
    this.left += left.length
    // Not for each: where there is one there may be thousands.
    if (this.left < this.nextWarning) return
    this.nextWarning = 2 * this.left
    this.warn(`${this.left} requests have ended, and ${describe(left)}`)
  }
}

const describe = (left: ReadonlyArray<string>): string =>
  `${left.length} of the bodies that were being sent did not end when they were interrupted: ` +
  [...new Set(left)].slice(0, namedCallers).join(", ")
