import type { Socket } from "node:net"
import type { Breaking } from "../Reply.js"

/** Closes a connection at once: in order, or by a reset. `tcp` is what lies under `socket` when that is TLS. */
export const breakSocket = (socket: Socket, tcp: Socket, how: Breaking): void => {
  // Node's own resetAndDestroy sends FIN before the reset, so that the client sees an end in order. The flag is what
  // it leaves behind for destroy, which then sends nothing but the reset.
  if (how !== "end") Object.assign(tcp, { resetAndClosing: true })
  tcp.destroy()
  socket.destroy()
}
