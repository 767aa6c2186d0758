import type { MemoryTime } from "./MemoryTime.js"
import { Outlet } from "./Outlet.js"
import type { Pipe, PipeReader } from "./Pipe.js"

/** Node's, for sockets: with more than this waiting, `write` says that there is no room. */
const highWaterMark = 16 * 1024

interface Listeners {
  readonly end: Array<(this: MemorySocket) => void>
  readonly drain: Array<(this: MemorySocket) => void>
  readonly close: Array<(this: MemorySocket) => void>
  readonly error: Array<(this: MemorySocket, cause: Error) => void>
}

export interface SocketReader {
  readonly onBytes: (bytes: Uint8Array, length: number) => void
}

/** The client's end of a connection in memory, as `net.Socket` would be it. */
export class MemorySocket implements PipeReader {
  readonly remoteAddress = "memory"
  destroyed = false
  bytesRead = 0
  readableEnded = false
  writableFinished = false
  allowHalfOpen = false
  /** Everybody knows that it is closed. */
  isGone = false
  private needsDrain = false
  private isEnding = false
  private readonly outlet: Outlet
  private readonly listeners: Listeners = { end: [], drain: [], close: [], error: [] }
  private reader: SocketReader | undefined = undefined

  constructor(
    private readonly runtime: MemoryTime,
    private readonly incoming: Pipe,
    private readonly outgoing: Pipe
  ) {
    this.outlet = new Outlet(outgoing, () => this.onEmpty())
    // What reaches a server that is gone is responded to by a reset.
    outgoing.onRefused = () => runtime.soon(() => this.onReset())
  }

  get writableLength(): number {
    return this.outlet.length
  }

  readWith(reader: SocketReader): void {
    this.reader = reader
    this.incoming.readWith(this)
  }

  on(event: keyof Listeners, listener: (this: MemorySocket, cause: Error) => void): this {
    this.listeners[event].push(listener as never)
    return this
  }

  write(chunk: Uint8Array | string, _encoding?: "latin1", onWritten?: (error?: Error | null) => void): boolean {
    if (this.destroyed || this.isEnding) {
      this.runtime.soon(() => onWritten?.(new Error("write after end")))
      return false
    }
    const bytes = typeof chunk === "string" ? fromLatin1(chunk) : chunk
    this.outlet.write(bytes, onWritten === undefined ? undefined : () => this.runtime.soon(() => onWritten(null)))
    const hasRoom = this.outlet.length < highWaterMark
    if (!hasRoom) this.needsDrain = true
    return hasRoom
  }

  end(onEnded?: (error?: Error | null) => void): this {
    this.isEnding = true
    this.outlet.end(() => {
      this.writableFinished = true
      this.runtime.soon(() => {
        onEnded?.(null)
        if (this.readableEnded) this.destroy()
      })
    })
    return this
  }

  cork(): void {
    this.outlet.cork()
  }

  uncork(): void {
    this.outlet.uncork()
  }

  pause(): this {
    this.incoming.pause()
    return this
  }

  resume(): this {
    this.incoming.resume()
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this
    this.destroyed = true
    this.outlet.drop()
    this.outgoing.reset()
    this.incoming.leave()
    this.runtime.soon(() => {
      this.isGone = true
      if (error !== undefined) { for (const listener of this.listeners.error) listener.call(this, error) }
      for (const listener of this.listeners.close) listener.call(this)
    })
    return this
  }

  // From the pipes

  onBytes(bytes: Uint8Array): void {
    this.bytesRead += bytes.length
    this.reader?.onBytes(bytes, bytes.length)
  }

  onEnd(): void {
    this.readableEnded = true
    for (const listener of this.listeners.end) listener.call(this)
    if (this.destroyed) return
    if (this.writableFinished) this.destroy()
    else if (!this.allowHalfOpen) this.end()
  }

  onReset(): void {
    if (this.destroyed) return
    this.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" }))
  }

  private onEmpty(): void {
    if (!this.needsDrain || this.destroyed) return
    this.needsDrain = false
    this.runtime.soon(() => {
      if (!this.destroyed) { for (const listener of this.listeners.drain) listener.call(this) }
    })
  }
}

export const fromLatin1 = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
