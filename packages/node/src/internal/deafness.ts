import type { Socket } from "node:net"

/** What Node's sockets are made of, as far as it is the same in all its versions. */
interface Handle {
  /** 0 when it had been stopped, else an error: it reads already. */
  readonly readStart?: () => number
  readonly readStop?: () => number
  /** Bytes that the system has not taken yet. */
  readonly writeQueueSize?: number
}

/**
 * Whether the HTTP/2 session on this socket has stopped reading for good. After most violations of the protocol Node 20
 * sends GOAWAY, stops reading, and tells nobody: requests wait for what never comes, and the end of the connection goes
 * unnoticed too. (Node 22 ends the session.) Nothing else that Node has tells of it; but reading can be started
 * only where it had been stopped. A session also stops while its socket takes no bytes, and goes on by itself then.
 */
export const isDeaf = (socket: Socket): boolean => {
  const handle = (socket as { readonly _handle?: Handle | null })._handle
  if (typeof handle?.readStart !== "function" || typeof handle.writeQueueSize !== "number") return false
  if (socket.destroyed || socket.readableEnded || handle.readStart() !== 0) return false
  handle.readStop?.()
  return handle.writeQueueSize === 0
}
