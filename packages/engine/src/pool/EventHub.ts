import type { Cancel } from "../Host.js"
import type { Event } from "./Event.js"

export type EventListener = (event: Event) => void

/**
 * Hands events to those who listen. A listener that throws disturbs nobody, but should rather not.
 */
export class EventHub {
  private readonly listeners = new Set<EventListener>()
  isClosed = false

  constructor(
    /** Learns whether anybody listens. */
    private readonly onObserved: (observed: boolean) => void,
    private readonly onDefect: (cause: unknown) => void
  ) {}

  /** Once it is closed, the listener is never called. */
  listen(listener: EventListener): Cancel {
    this.listeners.add(listener)
    this.onObserved(true)
    return () => {
      this.listeners.delete(listener)
      this.onObserved(this.listeners.size > 0)
    }
  }

  /** Nothing comes after this one. */
  close(): void {
    this.emit({ _tag: "PoolClosed" })
    this.isClosed = true
  }

  emit(event: Event): void {
    for (const listener of this.listeners) {
      try {
        listener(event)
      } catch (cause) {
        this.onDefect(cause)
      }
    }
  }
}
