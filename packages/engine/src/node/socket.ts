import type * as net from "node:net"
import type { Reached } from "../DialStage.js"
import type { HostTime } from "../Host.js"
import * as readBuffer from "./readBuffer.js"
import type { TcpSettings } from "./TcpSettings.js"

/** Takes what a socket reads. The bytes are valid during the call only. */
export interface Reader {
  readonly onBytes: (bytes: Uint8Array, length: number) => void
}

/** A socket, and who takes what it reads. What comes before somebody does is kept. */
export class OpenSocket<S extends net.Socket = net.Socket> {
  readonly socket: S
  private early: Array<Buffer> | undefined = undefined
  private reader: Reader | undefined = undefined

  /** A socket over another one knows no buffer of ours: it is read by its events. */
  constructor(open: (onread: net.OnReadOpts) => S, private readonly isOverAnother = false) {
    const socket = this.socket = open({
      buffer: readBuffer.next,
      callback: (length, bytes) => {
        this.onBytes(bytes, length)
        return true
      }
    })
    // An error without a listener would end the process, whenever it comes.
    socket.on("error", ignore)
    socket.on("close", onClosed)
  }

  /** Hands over what the socket reads from now on, after what it has read before. */
  readWith(reader: Reader): void {
    if (this.reader === undefined && this.isOverAnother) {
      this.socket.on("data", (bytes: Buffer) => this.onBytes(bytes, bytes.length))
    }
    this.reader = reader
    const early = this.early ?? []
    this.early = undefined
    for (const bytes of early) reader.onBytes(bytes, bytes.length)
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

/** Opens a socket that reads where `readBuffer` says. */
export const open = <S extends net.Socket>(
  target: net.NetConnectOpts,
  connect: (options: net.NetConnectOpts) => S
): OpenSocket<S> => new OpenSocket((onread) => connect({ ...target, onread }))

const ignore = (): void => {}

/**
 * `tls.connect` takes neither as an option, and says nothing. Without `setNoDelay` the second of two small writes waits
 * for the server's acknowledgement of the first, and that for its timer of 40 ms (RFC 896, RFC 1122 §4.2.3.2).
 */
export const tune = (socket: net.Socket, { keepAliveDelay, keepAliveInterval, noDelay }: TcpSettings): void => {
  if (noDelay) socket.setNoDelay(true)
  if (keepAliveDelay === Infinity) return
  const delay = Math.min(keepAliveDelay, longestDelay)
  if (keepAliveInterval === undefined) socket.setKeepAlive(true, delay)
  else (socket as ProbedSocket).setKeepAlive(true, delay, Math.min(keepAliveInterval, longestDelay))
}

/** In newer releases of Node 24; before, what is too much is not looked at. */
interface ProbedSocket {
  setKeepAlive(enable: boolean, initialDelay: number, interval: number): unknown
}

/** Linux takes no more than 32,767 seconds, and fails without a word. */
const longestDelay = 32_767_000

/** Calls one of them when the socket is connected, or has failed to be. */
export const onceConnected = (
  socket: net.Socket,
  event: "connect" | "secureConnect",
  onConnected: () => void,
  onFailed: (cause: Error) => void
): void => {
  const connected = () => {
    socket.off("error", failed)
    onConnected()
  }
  const failed = (cause: Error) => {
    socket.off(event, connected)
    onFailed(cause)
  }
  socket.once(event, connected)
  socket.once("error", failed)
}

/**
 * The sockets that the system has closed. `socket.closed` will not do: it is true once the socket is destroyed, which is
 * before that.
 */
const gone = new WeakSet<net.Socket>()

function onClosed(this: net.Socket): void {
  gone.add(this)
}

/** Destroys the socket, in the middle of a handshake too, and calls back when the system has closed it. */
export const close = (socket: net.Socket, onGone: () => void): void => {
  if (gone.has(socket)) return onGone()
  socket.once("close", onGone)
  socket.destroy()
}

/** Which address accepted a connection, and when. */
export const reachedBy = (
  { startedAt }: { readonly startedAt: number },
  { socket: { remoteAddress, remoteFamily, remotePort } }: OpenSocket,
  { elapsed }: Pick<HostTime, "elapsed">
): Reached => {
  const host = remoteFamily === "IPv6" ? `[${remoteAddress}]` : remoteAddress
  return {
    address: remoteAddress === undefined
      ? undefined
      : remotePort === undefined
      ? remoteAddress
      : `${host}:${remotePort}`,
    connectedAfter: elapsed() - startedAt
  }
}
