import type { Socket } from "node:net"

/** What Node's sockets are made of, as far as it is the same in all its versions. */
interface Handle {
  /** 0 when it had been stopped, else an error: it reads already. */
  readonly readStart?: () => number
  readonly readStop?: () => number
  /** 0 while there is somebody on the other side. Unix sockets cannot tell. */
  readonly getpeername?: (out: object) => number
  /** Bytes that the system has not taken yet. */
  readonly writeQueueSize?: number
}

/**
 * Whether an HTTP/2 session will hear anything more of its socket.
 *
 * - `Deaf`: it has stopped reading for good. After most violations of the protocol Node 20 sends GOAWAY, stops reading, and
 *   tells nobody: requests wait for what never comes, and the end of the connection goes unnoticed too. (Node 22 ends
 *   the session.) Nothing else that Node has tells of it; but reading can be started only where it had been stopped.
 * - `Gone`: the connection is over, and the session waits for a write on it to end, reading nothing meanwhile. It was
 *   seen under TLS when nginx was restarted, once in a hundred times.
 */
export const hearing = (socket: Socket): "Good" | "Deaf" | "Gone" => {
  const handle = (socket as { readonly _handle?: Handle | null })._handle
  if (handle === undefined || handle === null || socket.destroyed || socket.readableEnded) return "Good"
  if ((handle.getpeername?.({}) ?? 0) !== 0) return "Gone"
  if (handle.readStart === undefined || handle.readStart() !== 0) return "Good"
  handle.readStop?.()
  // A session also stops while its socket takes no bytes, and goes on by itself then.
  return handle.writeQueueSize === 0 ? "Deaf" : "Good"
}
