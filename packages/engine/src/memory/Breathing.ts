/** After so many steps the event loop has its turn. */
const every = 2048

/**
 * How many turns it gets then. A `TestClock` that is adjusted looks, over three timers, whether all fibers rest, and begins
 * again when they do not: beside a body that never ends they rest in a breath, or never. Timers of the same time run in
 * the order in which they were set, so it is turns that count, however long they take.
 */
const turns = 8

/** Lets the event loop have its turn while bytes pass without it: all steps wait for that together, in their order. */
export class Breathing {
  private steps = 0
  private held: Array<() => void> | undefined = undefined

  constructor(private readonly setTimeout: (run: () => void, millis: number) => unknown) {}

  get isUnderWay(): boolean {
    return this.held !== undefined
  }

  /** Counts a step: whether it has to be held. */
  isDue(): boolean {
    return this.held !== undefined || ++this.steps % every === 0
  }

  /** Takes a step after the event loop has had its turn. */
  hold(step: () => void): void {
    if (this.held !== undefined) return void this.held.push(step)
    this.held = [step]
    this.wait(turns)
  }

  private wait(left: number): void {
    this.setTimeout(() => {
      if (left > 1) return this.wait(left - 1)
      const steps = this.held ?? []
      this.held = undefined
      for (const step of steps) step()
    }, 0)
  }
}
