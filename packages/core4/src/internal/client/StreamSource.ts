import type { Failure } from "@sluice/engine"
import type { BodyProblem, BodySink, BodySource, SourceEnd } from "@sluice/engine/call"
import type { OwnedBody } from "@sluice/engine/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { callback, soon } from "../soon.js"
import type { Trailers } from "./RequestBody.js"

export interface StreamSourceOptions {
  readonly chunks: Stream.Stream<Uint8Array, unknown>
  readonly trailers: Trailers | undefined
  readonly replayable: boolean
  readonly live: OwnedBody | undefined
  /** Whose body it is: the stream runs in a fiber of its own, with the context that this one has by then. */
  readonly caller: Fiber.Fiber<unknown, unknown>
  /** Method and origin, for a warning. */
  readonly of: string
  readonly track: Track
}

/** A fiber that runs code of a caller, `of` which request; closing the pool interrupts it too. What is returned does. */
export type Track = (fiber: Fiber.Fiber<unknown, unknown>, of: string) => () => void

/**
 * A stream of Effect as the source of a body.
 */
export class StreamSource implements BodySource {
  constructor(private readonly options: StreamSourceOptions) {}

  get replayable(): boolean {
    return this.options.replayable
  }

  problem(): BodyProblem | undefined {
    return this.options.live?.refusal
  }

  onBroken(listener: (cause: unknown) => void): void {
    this.options.live?.onBroken(listener)
  }

  run(sink: BodySink, onEnd: (end: SourceEnd) => void): () => void {
    const { caller, chunks, of, track, trailers } = this.options
    const room = callback<void>((resume) => sink.whenReady(() => resume(Exit.void)))
    const written = Stream.runForEach(chunks, (chunk) => sink.write(chunk) ? Effect.void : room)
    const fiber = Effect.runForkWith(caller.context)(Effect.andThen(written, trailers ?? Effect.succeed(undefined)))
    let stopped = false
    fiber.addObserver((exit) => {
      if (stopped) return
      onEnd(
        Exit.isSuccess(exit)
          ? { _tag: "Complete", trailers: exit.value }
          : { _tag: "Failed", cause: Cause.squash(exit.cause) }
      )
    })
    const interrupt = track(fiber, of)
    return () => {
      stopped = true
      // Its finalizers are code of the caller.
      soon(fiber, interrupt)
    }
  }

  destroy(failure: Failure.Failure | undefined): void {
    this.options.live?.close(failure)
  }
}
