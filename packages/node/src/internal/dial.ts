import type { Origin } from "@sluice/core/Origin"
import type { ConnectError } from "@sluice/core/TransportError"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as net from "node:net"
import * as errors from "./errors.js"

/**
 * One buffer for what all sockets of the process read: what is in it is used up before the next read. So an idle
 * connection holds no buffer. It is larger than Node's 64 KiB because each read costs a stream's reader a step: a large
 * download takes three quarters of the CPU time (docs/performance.md).
 */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

/** A socket, and who takes what it reads. What comes before somebody does is kept in `early`. */
export interface Dialed<S extends net.Socket = net.Socket> {
  readonly socket: S
  readonly early: Array<Buffer>
  onBytes: (bytes: Uint8Array, length: number) => void
}

/** When a TCP connection has been silent for so long, the system asks whether the other side still lives. */
const keepAliveInitialDelay = 60_000

/**
 * A TCP connection to the origin, or to the Unix socket that stands for all origins. Closing the Scope destroys the
 * socket and waits until it is gone.
 */
export const tcp = (origin: Origin, socketPath?: string): Effect.Effect<Dialed, ConnectError, Scope.Scope> =>
  Effect.gen(function*() {
    const dialed = yield* acquire(() => reading(socketPath, origin, net.connect))
    yield* connected(dialed.socket, "connect", (cause) => errors.notConnected(origin, cause))
    return dialed
  })

/** Opens a socket that reads into the common buffer. */
export const reading = <S extends net.Socket>(
  socketPath: string | undefined,
  { host, port }: Origin,
  open: (options: net.NetConnectOpts) => S
): Dialed<S> => {
  const early: Array<Buffer> = []
  const reader = {
    early,
    onBytes: (bytes: Uint8Array, length: number): void => {
      early.push(Buffer.from(bytes.subarray(0, length)))
    }
  }
  const options = {
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay,
    onread: {
      buffer: readBuffer,
      callback: (length: number, bytes: Uint8Array) => {
        reader.onBytes(bytes, length)
        return true
      }
    }
  }
  // The path decides; TLS verifies the host all the same.
  const target = socketPath === undefined ? { host, port } : { host, path: socketPath }
  return Object.assign(reader, { socket: open({ ...options, ...target }) })
}

/** Hands over what the socket reads from now on, after what it has read before. */
export const readWith = (dialed: Dialed, onBytes: (bytes: Uint8Array, length: number) => void): void => {
  dialed.onBytes = onBytes
  for (const bytes of dialed.early.splice(0)) onBytes(bytes, bytes.length)
}

/**
 * A socket that is closed with the Scope. Its finalizer ends when the socket is gone. Opening it takes no time, so there
 * is nothing to restore; and `Scope.addFinalizer` keeps nothing but the finalizer, where `Effect.acquireRelease` would
 * keep the fiber's whole context for as long as the connection lives.
 */
export const acquire = <D extends Dialed>(open: () => D): Effect.Effect<D, never, Scope.Scope> =>
  Effect.uninterruptible(Effect.flatMap(Effect.scope, (scope) => {
    const dialed = open()
    // An error without a listener would end the process, whenever it comes.
    dialed.socket.on("error", ignore)
    return Effect.as(Scope.addFinalizer(scope, closing(dialed.socket)), dialed)
  }))

const ignore = (): void => {}

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

/** `socket.closed` will not do: it is true once the socket is destroyed, which is before the system has closed it. */
const closing = (socket: net.Socket): Effect.Effect<void> => {
  let isGone = false
  socket.once("close", () => {
    isGone = true
  })
  return Effect.async((resume) => {
    if (isGone) return resume(Effect.void)
    socket.once("close", () => resume(Effect.void))
    socket.destroy()
  })
}
