import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import type { Exchange } from "../../Connection.js"
import type { Trailers } from "./RequestBody.js"

/**
 * - `Expecting`: the server has been asked whether it wants the body (`Expect: 100-continue`, RFC 9110 §10.1.1).
 * - `Running`: parts are pulled from the stream and written.
 * - `Blocked`: the transport has no room for the next part.
 * - `Ended`: all of it is written, or it was stopped.
 */
type UploadState = "Expecting" | "Running" | "Blocked" | "Ended"

export interface UploadOptions {
  readonly exchange: Exchange
  readonly parts: Stream.Stream<Uint8Array, unknown>
  /** The size that was announced, in bytes. */
  readonly length: number | undefined
  readonly trailers: Trailers | undefined
  /** How long to wait for `100 Continue` before sending anyway; undefined when the server was not asked. */
  readonly expect: number | undefined
  /** The fiber of the caller, whose context the stream runs in. */
  readonly caller: Fiber.RuntimeFiber<unknown, unknown>
  /** It waits for the server now, or no longer: who is slow has changed. */
  readonly onState: () => void
  readonly onFailed: (cause: unknown) => void
}

/**
 * Sends a body that comes in parts, as fast as the connection takes it. It runs in a fiber of its own, so that the
 * answer can begin while the request is still being sent.
 */
export class Upload {
  /** Whether nothing has been pulled from the stream yet. */
  isUntouched = true
  private state: UploadState
  private fiber: Fiber.RuntimeFiber<void, unknown> | undefined = undefined
  private goOn: ((exit: Exit.Exit<void>) => void) | undefined = undefined
  private written = 0

  constructor(private readonly options: UploadOptions) {
    this.state = options.expect === undefined ? "Running" : "Expecting"
  }

  get isBlocked(): boolean {
    return this.state === "Blocked"
  }

  get isRunning(): boolean {
    return this.state !== "Ended"
  }

  start(): Fiber.RuntimeFiber<void, unknown> {
    const { caller } = this.options
    const runtime = Runtime.make({
      context: caller.currentContext,
      fiberRefs: caller.getFiberRefs(),
      runtimeFlags: Runtime.defaultRuntimeFlags
    })
    const fiber = this.fiber = Runtime.runFork(runtime)(this.send)
    fiber.addObserver((exit) => {
      if (this.state === "Ended") return
      this.state = "Ended"
      if (Exit.isFailure(exit)) this.options.onFailed(Cause.squash(exit.cause))
    })
    return fiber
  }

  /** The rest is not wanted. */
  stop(): void {
    if (this.state === "Ended") return
    this.state = "Ended"
    this.fiber?.unsafeInterruptAsFork(FiberId.none)
  }

  /**
   * The answer begins while the body is on its way. One that is no success says that the rest is not wanted (413); to a
   * server that was asked first, any final answer does (RFC 9110 §10.1.1).
   */
  onAnswer(status: number): void {
    if (status >= 300 || this.state === "Expecting") this.stop()
  }

  /** The server wants the body. */
  onContinue(): void {
    if (this.state === "Expecting") this.proceed()
  }

  /** The transport has room again. */
  onDrain(): void {
    if (this.state === "Blocked") this.proceed()
  }

  private readonly send = Effect.suspend(() => {
    const { exchange, expect, length = Infinity, parts, trailers } = this.options
    const body = Stream.runForEach(parts, (part) => {
      this.isUntouched = false
      // An interrupt takes its time to arrive.
      if (part.length === 0 || this.state === "Ended") return Effect.void
      this.written += part.length
      if (this.written > length) return Effect.fail(new WrongLength(`it is longer than the ${length} bytes announced`))
      if (exchange.write(part)) return Effect.void
      this.become("Blocked")
      return this.wait
    })
    const all = expect === undefined
      ? body
      : Effect.zipRight(
        Effect.timeoutOption(this.wait, expect),
        Effect.suspend(() => {
          if (this.state === "Expecting") this.state = "Running"
          return body
        })
      )
    return Effect.flatMap(all, () => {
      if (length !== Infinity && this.written < length && this.state !== "Ended") {
        return Effect.fail(new WrongLength(`it ended after ${this.written} of the ${length} bytes announced`))
      }
      if (trailers !== undefined) return Effect.map(trailers, (fields) => this.end(fields))
      this.end()
      return Effect.void
    })
  })

  private end(trailers?: Readonly<Record<string, string>>): void {
    if (this.state === "Ended") return
    this.state = "Ended"
    this.options.exchange.end(trailers)
    this.options.onState()
  }

  /** Until it is `Running` again, which it may be by the time that anybody waits. */
  private readonly wait: Effect.Effect<void> = Effect.async((resume) => {
    if (this.state === "Running") resume(Exit.void)
    else this.goOn = resume
  })

  private become(state: "Running" | "Blocked"): void {
    this.state = state
    this.options.onState()
  }

  private proceed(): void {
    const goOn = this.goOn
    this.goOn = undefined
    this.become("Running")
    goOn?.(Exit.void)
  }
}

/** A body that is not as long as its content-length says would be read as another message, or wait for ever. */
class WrongLength extends Data.TaggedError("WrongLength")<{ readonly message: string }> {
  constructor(message: string) {
    super({ message })
  }
}
