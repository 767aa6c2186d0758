import type { Failure } from "@sluice/engine"
import type { UpgradeCall } from "@sluice/engine/call"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import { fromFailure } from "../../TransportError.js"
import { callback } from "../soon.js"

type Chunks = Arr.NonEmptyReadonlyArray<Uint8Array>

const utf8 = new TextEncoder()

/**
 * A tunnel as the `Socket` of Effect 4: a reader whose Scope ends the connection, and a writer whose Scope ends our side.
 * The connection is there already and no other one can take its place, so that what is written after its end fails.
 */
export const socketOf = (call: UpgradeCall): Socket.Socket => {
  /** How it was closed from here. */
  let closed: Socket.SocketError | undefined
  const readers = new Set<() => void>()

  /** What was written before is handed to the system first; the timeout for writing bounds that. */
  const close = (code: number, reason?: string): void => {
    if (closed === undefined) closed = closeError(code, reason)
    for (const wake of readers) wake()
    call.finish(() => call.close())
  }

  const pull: Effect.Effect<Chunks, Socket.SocketError> = callback((resume) => {
    const goOn = () => {
      stop()
      resume(Effect.suspend(take))
    }
    let cancel = () => {}
    const stop = () => {
      readers.delete(goOn)
      cancel()
    }
    readers.add(goOn)
    if (closed !== undefined) goOn()
    else cancel = call.inbox.whenReadable(goOn)
    return Effect.sync(stop)
  })

  const take = (): Effect.Effect<Chunks, Socket.SocketError> => {
    if (closed !== undefined) return Effect.fail(closed)
    const chunks: Array<Uint8Array> = []
    for (let chunk = call.inbox.take(); chunk !== undefined; chunk = call.inbox.take()) chunks.push(chunk)
    if (Arr.isReadonlyArrayNonEmpty(chunks)) return Effect.succeed(chunks)
    const { state } = call.inbox
    // While it is open another reader was first.
    return state._tag === "Open"
      ? pull
      : Effect.fail(state._tag === "Ended" ? closeError(1000) : readError(state.failure))
  }

  const reader: Effect.Effect<Socket.Reader, Socket.SocketError, Scope.Scope> = Effect.suspend(() => {
    if (!call.isOpen) return Effect.fail(closed ?? openError(call))
    const letGo = call.hold()
    const release = Effect.sync(() => {
      letGo()
      close(1006)
    })
    return Effect.as(Effect.addFinalizer(() => release), { pull, upgrade: Socket.SocketUpgradeError.unsupported })
  })

  const write = (bytes: Uint8Array | string): Effect.Effect<void, Socket.SocketError> =>
    callback((resume) => {
      const cancel = call.write(typeof bytes === "string" ? utf8.encode(bytes) : bytes, (failure) =>
        resume(failure === undefined ? Effect.void : Effect.fail(closed ?? writeError(failure))))
      return Effect.sync(cancel)
    })

  const writer: Effect.Effect<Socket.Writer, never, Scope.Scope> = Effect.suspend(() => {
    const letGo = call.hold()
    const release = Effect.sync(() => {
      call.finish(() => {})
      letGo()
    })
    return Effect.as(Effect.addFinalizer(() => release), {
      write: (chunk) => Socket.isCloseEvent(chunk) ? Effect.sync(() => close(chunk.code, chunk.reason)) : write(chunk),
      writeAll: (chunks) => Effect.forEach(chunks, write, { discard: true })
    })
  })

  return Socket.make({ reader, writer })
}

const closeError = (code: number, closeReason?: string) =>
  new Socket.SocketError({
    reason: new Socket.SocketCloseError({ code, ...(closeReason === undefined ? {} : { closeReason }) })
  })

const readError = (failure: Failure.Failure) =>
  new Socket.SocketError({ reason: new Socket.SocketReadError({ cause: fromFailure(failure) }) })

const writeError = (failure: Failure.Failure) =>
  new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause: fromFailure(failure) }) })

/** It has ended before anybody read of it. */
const openError = ({ inbox: { state } }: UpgradeCall) =>
  new Socket.SocketError({
    reason: new Socket.SocketOpenError({
      kind: "Unknown",
      cause: state._tag === "Failed" ? fromFailure(state.failure) : new Error("the upgraded connection has ended")
    })
  })
