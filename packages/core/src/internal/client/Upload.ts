import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import type { Exchange } from "../../Connection.js"

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
  /** How long to wait for `100 Continue` before sending anyway; undefined when the server was not asked. */
  readonly expect: number | undefined
  /** The fiber of the caller, whose context the stream runs in. */
  readonly caller: Fiber.RuntimeFiber<unknown, unknown>
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

  /** The server wants the body. */
  onContinue(): void {
    if (this.state === "Expecting") this.proceed()
  }

  /** The transport has room again. */
  onDrain(): void {
    if (this.state === "Blocked") this.proceed()
  }

  private readonly send = Effect.suspend(() => {
    const { exchange, expect, parts } = this.options
    const body = Stream.runForEach(parts, (part) => {
      this.isUntouched = false
      return part.length === 0 || exchange.write(part) ? Effect.void : this.waitFor("Blocked")
    })
    const all = expect === undefined
      ? body
      : Effect.zipRight(
        Effect.timeoutOption(this.waitFor("Expecting"), expect),
        Effect.suspend(() => {
          this.state = "Running"
          return body
        })
      )
    return Effect.tap(all, () => {
      this.state = "Ended"
      exchange.end()
    })
  })

  private waitFor(state: "Expecting" | "Blocked"): Effect.Effect<void> {
    return Effect.async((resume) => {
      this.state = state
      this.goOn = resume
    })
  }

  private proceed(): void {
    this.state = "Running"
    const goOn = this.goOn
    this.goOn = undefined
    goOn?.(Exit.void)
  }
}
