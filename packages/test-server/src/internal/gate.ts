import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { Signal } from "./signal.js"

/**
 * Holds whatever reaches it while it is closed. A gate uses no clock: it works under TestClock as it does live.
 *
 * @since 0.1.0
 * @category models
 */
export interface Gate {
  readonly [TypeId]: TypeId

  /** Lets all that is held pass, and all that comes later. */
  readonly open: Effect.Effect<void>

  /** Holds all that comes from now on. */
  readonly close: Effect.Effect<void>

  /** Lets the first `count` pass (those held, then those still to come) and stays closed for the rest. */
  readonly pass: (count: number) => Effect.Effect<void>

  /** How many are held now. */
  readonly held: Effect.Effect<number>

  /** Waits until at least `count` are held at once. */
  readonly awaitHeld: (count: number) => Effect.Effect<void>

  /** Waits at the gate like a reply does. */
  readonly await: Effect.Effect<void>
}

export const TypeId: unique symbol = Symbol.for("@sluice/test-server/Gate")
export type TypeId = typeof TypeId

class GateImpl implements Gate {
  readonly [TypeId]: TypeId = TypeId
  private isOpen = false
  private passes = 0
  private readonly waiting = new Set<() => void>()
  private readonly changed = new Signal()

  readonly open = Effect.sync(() => {
    this.isOpen = true
    this.passes = 0
    this.letThrough(this.waiting.size)
  })

  readonly close = Effect.sync(() => {
    this.isOpen = false
    this.passes = 0
  })

  readonly held = Effect.sync(() => this.waiting.size)

  readonly await: Effect.Effect<void> = Effect.async((resume) => {
    const leave = this.enter(() => resume(Effect.void))
    return Effect.sync(leave)
  })

  pass(count: number): Effect.Effect<void> {
    return Effect.sync(() => {
      if (this.isOpen) return
      const now = Math.min(count, this.waiting.size)
      this.passes += count - now
      this.letThrough(now)
    })
  }

  awaitHeld(count: number): Effect.Effect<void> {
    return Effect.asVoid(this.changed.until(() => this.waiting.size >= count ? true : undefined))
  }

  enter(go: () => void): () => void {
    if (this.isOpen || this.passes > 0) {
      if (!this.isOpen) this.passes--
      go()
      return () => {}
    }
    this.waiting.add(go)
    this.changed.notify()
    return () => {
      this.waiting.delete(go)
    }
  }

  private letThrough(count: number): void {
    for (const go of [...this.waiting].slice(0, count)) {
      this.waiting.delete(go)
      go()
    }
  }
}

export const unsafeMake = (): Gate => new GateImpl()

export const make = Effect.sync(unsafeMake)

export const isGate = (u: unknown): u is Gate => Predicate.hasProperty(u, TypeId)

/** Calls `go` when the gate lets it through, at once if it is open. The result leaves the gate. */
export const enter = (gate: Gate, go: () => void): () => void => (gate as GateImpl).enter(go)
