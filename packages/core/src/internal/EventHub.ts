import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { PoolEvent } from "../PoolEvent.js"

/**
 * Hands events to those who listen. A listener gets them in a queue of its own, so a slow one, or one that fails,
 * disturbs nobody.
 */
export class EventHub {
  private readonly listeners = new Set<(event: PoolEvent) => void>()
  private closed = false

  /** `onObserved` learns whether anybody listens. */
  constructor(private readonly onObserved: (observed: boolean) => void) {}

  emit(event: PoolEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  /** Nothing comes after this one. */
  close(): void {
    this.closed = true
    this.emit({ _tag: "PoolClosed" })
  }

  readonly stream: Stream.Stream<PoolEvent> = Stream.asyncPush<PoolEvent>((emit) => {
    if (this.closed) return Effect.sync(() => emit.end())
    const listener = (event: PoolEvent) => {
      emit.single(event)
      if (event._tag === "PoolClosed") emit.end()
    }
    return Effect.acquireRelease(
      Effect.sync(() => {
        this.listeners.add(listener)
        this.onObserved(true)
      }),
      () =>
        Effect.sync(() => {
          this.listeners.delete(listener)
          this.onObserved(this.listeners.size > 0)
        })
    )
  }, { bufferSize: "unbounded" })
}
