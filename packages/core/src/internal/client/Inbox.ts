import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { TransportError } from "../../TransportError.js"
import { Waiters } from "./Waiters.js"

/** What an inbox asks of the exchange that its bytes come from. */
export interface InboxSource {
  readonly pause: () => void
  readonly resume: () => void
}

/**
 * - `Open`: more may come.
 * - `Ended`: the other side has said that nothing more comes.
 * - `Failed`: nothing more comes; `error` says why.
 */
type InboxState =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Ended" }
  | { readonly _tag: "Failed"; readonly error: TransportError }

/**
 * What has come through a tunnel and has not been read. It holds up to `maxBuffered` bytes and then exerts backpressure.
 */
export class Inbox {
  private state: InboxState = { _tag: "Open" }
  private readonly parts: Array<Uint8Array> = []
  private size = 0
  private paused = false
  private readonly waiters = new Waiters()

  constructor(private readonly source: InboxSource, private readonly maxBuffered: number) {}

  push(bytes: Uint8Array): void {
    this.parts.push(bytes)
    this.size += bytes.length
    if (this.size > this.maxBuffered && !this.paused) {
      this.paused = true
      this.source.pause()
    }
    this.waiters.notify()
  }

  end(): void {
    this.become({ _tag: "Ended" })
  }

  /** What has come before can still be read. */
  fail(error: TransportError): void {
    this.become({ _tag: "Failed", error })
  }

  /** Run again it goes on where it was left: there is one part in each of its chunks, and none is taken in advance. */
  readonly stream: Stream.Stream<Uint8Array, TransportError> = Stream.suspend(() =>
    Stream.repeatEffectChunkOption(
      Effect.suspend(() =>
        this.parts.length > 0 ? this.take() : Effect.zipRight(this.available, Effect.suspend(() => this.take()))
      )
    )
  )

  private readonly available = this.waiters.until(() => this.parts.length > 0 || this.state._tag !== "Open")

  private take(): Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<TransportError>> {
    const part = this.parts.shift()
    if (part === undefined) {
      // Another reader may have been first.
      if (this.state._tag === "Open") return Effect.succeed(Chunk.empty())
      return Effect.fail(this.state._tag === "Failed" ? Option.some(this.state.error) : Option.none())
    }
    this.size -= part.length
    if (this.paused && this.size <= this.maxBuffered) {
      this.paused = false
      this.source.resume()
    }
    return Effect.succeed(Chunk.of(part))
  }

  private become(state: InboxState): void {
    if (this.state._tag !== "Open") return
    this.state = state
    this.waiters.notify()
  }
}
