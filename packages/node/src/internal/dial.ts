import type { Origin } from "@sluice/core/Origin"
import type { Failure } from "@sluice/engine"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as net from "node:net"
import * as errors from "./errors.js"
import * as readBuffer from "./readBuffer.js"

/** Takes what a socket reads. The bytes are valid during the call only. */
export interface Reader {
  readonly onBytes: (bytes: Uint8Array, length: number) => void
}

/** A socket, and who takes what it reads. What comes before somebody does is kept. */
export class Dialed<S extends net.Socket = net.Socket> {
  readonly socket: S
  private early: Array<Buffer> | undefined = undefined
  private reader: Reader | undefined = undefined

  constructor(open: (onread: net.OnReadOpts) => S) {
    this.socket = open({
      buffer: readBuffer.next,
      callback: (length, bytes) => {
        this.onBytes(bytes, length)
        return true
      }
    })
  }

  /** Hands over what the socket reads from now on, after what it has read before. */
  readWith(reader: Reader): void {
    this.reader = reader
    for (const bytes of this.takeEarly()) reader.onBytes(bytes, bytes.length)
  }

  /** What has been read by now. */
  takeEarly(): ReadonlyArray<Buffer> {
    const early = this.early ?? []
    this.early = undefined
    return early
  }

  private onBytes(bytes: Uint8Array, length: number): void {
    if (this.reader !== undefined) this.reader.onBytes(bytes, length)
    else (this.early ??= []).push(Buffer.from(bytes.subarray(0, length)))
  }
}

/** Where connections go. */
export interface Route {
  /** The Unix socket that stands for all origins. */
  readonly socketPath?: string | undefined
  readonly lookup?: net.LookupFunction | undefined
}

/** When a TCP connection has been silent for so long, the system asks whether the other side still lives. */
const keepAliveInitialDelay = 60_000

/**
 * A TCP connection to the origin, or to the Unix socket that stands for all origins. Closing the Scope destroys the
 * socket and waits until it is gone.
 */
export const tcp = (origin: Origin, route: Route = {}): Effect.Effect<Dialed, Failure.ConnectError, Scope.Scope> =>
  Effect.gen(function*() {
    const dialed = yield* acquire(() => reading(route, origin, net.connect))
    yield* connected(dialed.socket, "connect", (cause) => errors.notConnected(origin, cause))
    return dialed
  })

/** Opens a socket that reads where `readBuffer` says. */
export const reading = <S extends net.Socket>(
  { lookup, socketPath }: Route,
  { host, port }: Origin,
  open: (options: net.NetConnectOpts) => S
): Dialed<S> => {
  // The path decides; TLS verifies the host all the same.
  const target = socketPath !== undefined
    ? { host, path: socketPath }
    : lookup === undefined
    ? { host, port }
    : { host, port, lookup }
  return new Dialed((onread) => open({ ...target, onread }))
}

/**
 * A socket that is closed with the Scope. Its finalizer ends when the socket is gone. Opening it takes no time, so there
 * is nothing to restore; and `Scope.addFinalizerExit` keeps nothing but this function, where `Effect.acquireRelease`
 * would keep the fiber's whole context for as long as the connection lives.
 */
export const acquire = <D extends Dialed>(open: () => D): Effect.Effect<D, never, Scope.Scope> =>
  Effect.uninterruptible(Effect.flatMap(Effect.scope, (scope) => {
    const dialed = open()
    // An error without a listener would end the process, whenever it comes.
    dialed.socket.on("error", ignore)
    dialed.socket.once("connect", tune)
    dialed.socket.on("close", onClosed)
    return Effect.as(Scope.addFinalizerExit(scope, () => close(dialed.socket)), dialed)
  }))

const ignore = (): void => {}

/**
 * `tls.connect` takes neither as an option, and says nothing. Without `setNoDelay` the second of two small writes waits
 * for the server's acknowledgement of the first, and that for its timer of 40 ms (RFC 896, RFC 1122 §4.2.3.2).
 */
function tune(this: net.Socket): void {
  this.setNoDelay(true)
  this.setKeepAlive(true, keepAliveInitialDelay)
}

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

/**
 * The sockets that the system has closed. `socket.closed` will not do: it is true once the socket is destroyed, which is
 * before that.
 */
const gone = new WeakSet<net.Socket>()

function onClosed(this: net.Socket): void {
  gone.add(this)
}

const close = (socket: net.Socket): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (gone.has(socket)) return resume(Effect.void)
    socket.once("close", () => resume(Effect.void))
    socket.destroy()
  })
