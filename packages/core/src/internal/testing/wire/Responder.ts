import type { Cancel } from "@sluice/engine"
import { fromLatin1, type Served, type Taken } from "@sluice/engine/memory"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Stream from "effect/Stream"
import type { TransportError } from "../../../TransportError.js"
import type * as models from "../memoryModels.js"
import type { MemoryRequest } from "../MemoryRequest.js"
import type { MemoryRuntime } from "./MemoryRuntime.js"

export interface ResponderOptions {
  readonly runtime: MemoryRuntime
  readonly respond: (request: MemoryRequest) => Effect.Effect<models.Reply, TransportError>
  /** What the test lets the client fail with: it is broken off after this. */
  readonly onScripted: (cause: Cause.Cause<TransportError>, streamId: number) => void
}

/** Runs what responds to the requests of a connection in memory, each in a fiber of its own. */
export class Responder {
  private readonly fibers = new Set<Fiber.RuntimeFiber<void>>()

  constructor(private readonly options: ResponderOptions) {}

  readonly serve = (served: Served<MemoryRequest>): Cancel => {
    const run = Effect.suspend(() => this.options.respond(served.request)).pipe(
      Effect.flatMap((reply) => write(served, reply)),
      Effect.catchAllCause((cause) => Effect.sync(() => this.onCause(served, cause)))
    )
    const fiber = this.options.runtime.fork(Effect.interruptible(run))
    this.fibers.add(fiber)
    fiber.addObserver(() => this.fibers.delete(fiber))
    return () => fiber.unsafeInterruptAsFork(FiberId.none)
  }

  /** Interrupts those who respond, when `leave` has said that nobody wants it any more, and waits for them. */
  end(leave: () => void): Effect.Effect<void> {
    return Effect.suspend(() => {
      const fibers = [...this.fibers]
      leave()
      return Fiber.interruptAll(fibers)
    })
  }

  private onCause(served: Served<MemoryRequest>, cause: Cause.Cause<TransportError>): void {
    if (Cause.isInterruptedOnly(cause) || !served.isServed) return
    this.options.onScripted(cause, served.streamId)
    served.fail()
  }
}

/** Writes a response, as fast as the wire takes it. */
const write = (served: Served<MemoryRequest>, reply: models.Reply): Effect.Effect<void, TransportError> =>
  Effect.suspend(() => {
    if (!served.isServed) return Effect.never
    const { body, raw } = reply
    const finish = Effect.sync(() => served.finish(reply))
    if (raw !== undefined) {
      const chunks = typeof raw === "string" || raw instanceof Uint8Array ? Stream.make(raw) : raw
      return Effect.zipRight(
        Stream.runForEach(
          chunks,
          (chunk) => taken(() => served.writeRaw(typeof chunk === "string" ? fromLatin1(chunk) : chunk))
        ),
        finish
      )
    }
    if (!served.isStreamed(reply)) return Effect.zipRight(taken(() => served.respond(reply)), finish)
    served.begin(reply)
    return Stream.runForEach(
      body as Stream.Stream<string | Uint8Array, TransportError>,
      (part) => taken(() => served.write(typeof part === "string" ? new TextEncoder().encode(part) : part))
    ).pipe(
      Effect.zipRight(taken(() => served.end(reply))),
      Effect.zipRight(finish)
    )
  })

/** Writes, and waits until that has been taken. */
const taken = (write: () => Taken): Effect.Effect<void> =>
  Effect.suspend(() => {
    const taken = write()
    return taken === undefined
      ? Effect.void
      : Effect.async<void>((resume) => Effect.sync(taken(() => resume(Effect.void))))
  })
