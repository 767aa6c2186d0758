import type { Origin } from "@sluice/core/Origin"
import type { ConnectError } from "@sluice/core/TransportError"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import * as errors from "./errors.js"

/**
 * One buffer for what all sockets of the process read: what is in it is used up before the next read. So an idle
 * connection holds no buffer.
 */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)

/** A socket, and who takes what it reads. */
export interface Dialed<S extends net.Socket = net.Socket> {
  readonly socket: S
  onBytes: (bytes: Uint8Array, length: number) => void
}

/** When a TCP connection has been silent for so long, the system asks whether the other side still lives. */
const keepAliveInitialDelay = 60_000

/**
 * A TCP connection to the origin. Closing the Scope destroys the socket and waits until it is gone.
 */
export const tcp = (origin: Origin): Effect.Effect<Dialed, ConnectError, Scope.Scope> =>
  Effect.gen(function*() {
    const dialed: Dialed = yield* acquire(() => {
      const reading = { onBytes: (_bytes: Uint8Array, _length: number): void => {} }
      const socket = net.connect({
        host: origin.host,
        port: origin.port,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay,
        onread: {
          buffer: readBuffer,
          callback: (length, bytes) => {
            reading.onBytes(bytes, length)
            return true
          }
        }
      })
      return Object.assign(reading, { socket })
    })
    yield* connected(dialed.socket, "connect", (cause) => errors.notConnected(origin, cause))
    return dialed
  })

/** A socket that is closed with the Scope. Its finalizer ends when the socket is gone. */
export const acquire = <D extends Dialed>(open: () => D): Effect.Effect<D, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const dialed = open()
      // An error without a listener would end the process, whenever it comes.
      dialed.socket.on("error", () => {})
      return dialed
    }),
    (dialed) => close(dialed.socket)
  )

/** Waits until the socket is connected, or has failed to be. */
export const connected = <E>(
  socket: net.Socket,
  event: "connect" | "secureConnect",
  toError: (cause: Error) => E
): Effect.Effect<void, E> =>
  Effect.async((resume) => {
    const onConnected = () => {
      socket.off("error", onError)
      resume(Effect.void)
    }
    const onError = (cause: Error) => {
      socket.off(event, onConnected)
      resume(Effect.fail(toError(cause)))
    }
    socket.once(event, onConnected)
    socket.once("error", onError)
  })

const close = (socket: net.Socket): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (socket.closed) return resume(Effect.void)
    socket.once("close", () => resume(Effect.void))
    socket.destroy()
  })
