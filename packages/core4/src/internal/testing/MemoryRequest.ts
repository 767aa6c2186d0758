import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { pulled } from "../pulled.js"
import { callback } from "../soon.js"
import { Held } from "./Held.js"
import type * as models from "./memoryModels.js"

/**
 * A request as the server has received it so far. Its body waits here until the server reads it.
 */
export class MemoryRequest extends Held<models.Reply> implements models.Request {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly parts: Array<Uint8Array> = []
  state: models.Request["state"] = "Running"
  private readonly unread: Array<Uint8Array> = []
  private unreadBytes = 0
  isComplete = false
  /** The server has begun to read the body. */
  onFirstRead: (() => void) | undefined = undefined
  trailers: Readonly<Record<string, string>> = {}
  private onArrival: (() => void) | undefined = undefined

  constructor(
    readonly connection: models.Server,
    { headers, method, target }: Pick<models.Request, "method" | "target" | "headers">,
    private readonly window: number,
    /** So many bytes of the body have been read. */
    private readonly onRead: (length: number) => void,
    readonly streamId: number | undefined = undefined
  ) {
    super()
    this.method = method
    this.target = target
    this.headers = headers
  }

  /** Whether all of the body has come and been read. */
  get isRead(): boolean {
    return this.isComplete && this.unread.length === 0
  }

  /** Whether nothing waits outside the window. */
  get hasRoom(): boolean {
    return this.unreadBytes <= this.window
  }

  receive(part: Uint8Array): void {
    this.parts.push(part)
    this.unread.push(part)
    this.unreadBytes += part.length
    this.onArrival?.()
  }

  complete(trailers: Readonly<Record<string, string>> = {}): void {
    this.isComplete = true
    this.trailers = trailers
    this.onArrival?.()
  }

  /** What comes from now on goes through a tunnel. */
  reopen(): void {
    this.isComplete = false
  }

  get body(): Stream.Stream<Uint8Array> {
    return pulled(this.take)
  }

  get text(): Effect.Effect<string> {
    return Stream.mkString(Stream.decodeText(this.body))
  }

  private readonly take = callback<Uint8Array, Cause.Done>((resume) => {
    if (!this.isComplete && this.parts.length === 0) this.onFirstRead?.()
    this.onFirstRead = undefined
    this.onArrival = () => {
      const part = this.unread.shift()
      if (part === undefined && !this.isComplete) return
      this.onArrival = undefined
      if (part === undefined) return resume(Cause.done())
      this.unreadBytes -= part.length
      this.onRead(part.length)
      resume(Exit.succeed(part))
    }
    this.onArrival()
    return Effect.sync(() => {
      this.onArrival = undefined
    })
  })
}
