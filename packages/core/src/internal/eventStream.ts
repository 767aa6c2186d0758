import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { PoolEvent } from "../PoolEvent.js"
import type { EffectHost } from "./EffectHost.js"

/** The events of a pool from the moment that the stream is run, until the pool is closed. */
export const eventStream = (host: EffectHost): Stream.Stream<PoolEvent> => {
  if (host.driver.events.isClosed) return Stream.empty
  return Stream.unwrapScoped(Effect.map(
    Effect.acquireRelease(Effect.sync(() => new EventBuffer(host)), (buffer) => buffer.close),
    (buffer) => Stream.repeatEffectChunkOption(buffer.pull)
  ))
}

/**
 * Events that one reader has not taken yet. They come from the steps of requests, and the reader goes on in its own context
 * (`AsyncLocalStorage`), not in theirs: a queue of Effect's would resume it in a task that belongs to no fiber, together
 * with whatever else is due, in the context of who came first.
 */
class EventBuffer {
  private events: Array<PoolEvent> = []
  private hasEnded = false
  private onReadable: (() => void) | undefined = undefined
  readonly close: Effect.Effect<void>

  constructor(private readonly host: EffectHost) {
    this.close = Effect.sync(host.listen((event) => this.push(event)))
  }

  readonly pull: Effect.Effect<Chunk.Chunk<PoolEvent>, Option.Option<never>> = Effect.async((resume) => {
    if (this.isReadable) return resume(this.take())
    const context = this.host.captureContext()
    // Taken when the reader's fiber goes on: more may have come by then.
    const notify = () => resume(Effect.suspend(() => this.take()))
    this.onReadable = context === undefined ? notify : () => context.run(notify)
    return Effect.sync(() => {
      this.onReadable = undefined
    })
  })

  private get isReadable(): boolean {
    return this.events.length > 0 || this.hasEnded
  }

  private push(event: PoolEvent): void {
    this.events.push(event)
    this.hasEnded = event._tag === "PoolClosed"
    const { onReadable } = this
    this.onReadable = undefined
    onReadable?.()
  }

  private take(): Exit.Exit<Chunk.Chunk<PoolEvent>, Option.Option<never>> {
    const { events } = this
    this.events = []
    return events.length > 0 ? Exit.succeed(Chunk.unsafeFromArray(events)) : Exit.fail(Option.none())
  }
}
