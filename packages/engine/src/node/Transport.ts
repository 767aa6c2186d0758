/**
 * What the drivers need of a socket: the part of `net.Socket` that they use, with its meaning. A network in memory has
 * sockets of its own.
 */
export interface Transport {
  readonly remoteAddress?: string | undefined
  readonly destroyed: boolean
  readonly bytesRead: number
  readonly writableLength: number
  readonly readableEnded: boolean
  readonly writableFinished: boolean
  allowHalfOpen: boolean
  on(event: "end" | "drain" | "close", listener: () => void): unknown
  on(event: "error", listener: (cause: Error) => void): unknown
  write(chunk: Uint8Array | string, encoding?: "latin1", onWritten?: (error?: Error | null) => void): boolean
  end(onEnded?: (error?: Error | null) => void): unknown
  cork(): void
  uncork(): void
  pause(): unknown
  resume(): unknown
  ref(): unknown
  unref(): unknown
  destroy(error?: Error): unknown
}

/** A socket as its class makes it is destroyed so, whatever a driver has replaced it with. */
export const destroyAsMade = (socket: Transport, error: Error | undefined): void => {
  ;(Object.getPrototypeOf(socket) as Transport).destroy.call(socket, error)
}
